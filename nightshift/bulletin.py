"""The nights that a server runs, as its terminal tells them: a line when one begins and one when it
ends, whoever started it.

Imports prefect: only for use once its settings stand (`nightshift/up.py`).
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterStartTime,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectException

from nightshift.terminal import fact
from schemas.faults import NightshiftError
from tasks.home import Home
from tasks.ledger.records import history
from tasks.storage import open_store

_LOOK_S = 2.0
_MOST = 200  # of the latest nights; the server gives no more at once
_NAME = "night-"  # what the flow puts in front of a plan's name


@contextmanager
def bulletin(home: Home, api_url: str, say: Callable[[str], None]) -> Iterator[None]:
    """Tell of nights, as long as it lasts, in a thread: an answer may take its time."""
    done = threading.Event()
    teller = Teller(home, api_url, say)
    thread = threading.Thread(target=_follow, args=(teller, done), name="bulletin", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_LOOK_S)


def _follow(teller: "Teller", done: threading.Event) -> None:
    since = datetime.now(UTC)
    with get_client(sync_client=True) as client:
        while not done.wait(_LOOK_S):
            try:
                teller.tell(nights_since(client, since))
            except (httpx.HTTPError, PrefectException):
                continue  # a server that is busy answers the next look, or has ended, which is told


def nights_since(client: SyncPrefectClient, since: datetime) -> list[FlowRun]:
    """The runs of nights that began after it, in that order."""
    found = client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=["night"])),
        flow_run_filter=FlowRunFilter(start_time=FlowRunFilterStartTime(after_=since)),
        sort=FlowRunSort.START_TIME_DESC,
        limit=_MOST,
    )
    return found[::-1]


class Teller:
    """Says each beginning and each end once, however often it sees them."""

    def __init__(self, home: Home, api_url: str, say: Callable[[str], None]) -> None:
        self._home = home
        self._pages = api_url.removesuffix("/api")
        self._say = say
        self._begun: set[UUID] = set()
        self._ended: set[UUID] = set()

    def tell(self, nights: Sequence[FlowRun]) -> None:
        """What is new in these runs."""
        for night in nights:
            plan, page = night.name.removeprefix(_NAME), f"{self._pages}/runs/flow-run/{night.id}"
            if night.id not in self._begun:
                self._begun.add(night.id)
                self._say(fact(time.time(), "night", f"{plan} begins: {page}"))
            if night.state and night.state.is_final() and night.id not in self._ended:
                self._ended.add(night.id)
                ended = f"{plan} ends: {self._outcome(plan, night.id)}{night.state.name}"
                where = f"see `nightshift nights {plan}` and {page}"
                self._say(fact(time.time(), "night", f"{ended}; {where}"))

    def _outcome(self, plan: str, run: UUID) -> str:
        """As the ledger has it; nothing of a run that was killed, which the next start settles."""
        try:
            past = history(open_store(self._home.state, self._home.memory), plan)
        except NightshiftError:  # a store that can't be read now; the state says how it ended
            return ""
        outcomes = (record.outcome for record in past if record.flow_run_id == str(run))
        return "".join(f"{outcome}, " for outcome in outcomes)
