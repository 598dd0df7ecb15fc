"""What a server must know before a worker starts: the work pool, the automations, who is dead.

Imports prefect: only for use once its settings stand (`nightshift/up.py`).
"""

from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Crashed

POOL = "nightshift"
_ALIVE = FlowRunFilterState(
    type=FlowRunFilterStateType(
        any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING, StateType.PAUSED]
    )
)


async def provision(automations: Path) -> int:
    """Create what is missing, renew what changed; gives how many lost runs were ended."""
    async with get_client() as client:
        await _create_pool(client)
        for automation in read_automations(automations):
            await _write_automation(client, automation)
    return await end_lost_runs()


async def end_lost_runs() -> int:
    """End the unfinished runs of our pool; for the moment before its only worker starts.

    Their processes died with the last worker, but they would hold their deployment's slot until
    the server misses their heartbeats.
    """
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    async with get_client() as client:
        lost = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=_ALIVE), work_pool_filter=pool
        )
        for run in lost:
            for child in await _children(client, run):
                await _end(client, child)
            await _end(client, run)
    return len(lost)


def read_automations(path: Path) -> list[AutomationCore]:
    """The automations of a file in the form that `prefect automation create` reads."""
    raw: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [AutomationCore.model_validate(entry) for entry in raw["automations"]]


async def _create_pool(client: PrefectClient) -> None:
    try:
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


async def _write_automation(client: PrefectClient, automation: AutomationCore) -> None:
    known = await client.read_automations_by_name(automation.name)
    if known:
        await client.update_automation(known[0].id, automation)
    else:
        await client.create_automation(automation)


async def _children(client: PrefectClient, run: FlowRun) -> list[FlowRun]:
    parent = FlowRunFilterParentFlowRunId(any_=[run.id])
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=_ALIVE, parent_flow_run_id=parent)
    )


async def _end(client: PrefectClient, run: FlowRun) -> None:
    state: State[None] = Crashed(message="Its worker was stopped before the run had ended.")
    await client.set_flow_run_state(run.id, state, force=True)
