"""How a night's record looks as the state of a Prefect run."""

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from schemas.ledger import Record


def state_of(record: Record) -> State[Any]:
    """Failed where a person has to act, so that automations fire; else Completed under a name."""
    told = "; ".join(record.reasons)
    match record.outcome:
        case "skipped":
            return skipped(told)
        case "held" | "insufficient-evidence":
            return Completed(name="Held", message=told)
        case "promoted" | "rolled-back":
            return Completed(message=told)
        case "rejected-data" | "failed":
            return Failed(message=f"{record.outcome}: {told}")


def state_of_all(records: Sequence[Record]) -> State[Any]:
    """The night of all plans: Failed with the list where one failed, Skipped where all were."""
    told = "; ".join(f"{record.plan}: {record.outcome}" for record in records)
    if any(record.outcome in ("failed", "rejected-data") for record in records):
        return Failed(message=told)
    if all(record.outcome == "skipped" for record in records):
        why = (f"{record.plan}: {'; '.join(record.reasons)}" for record in records)
        return skipped("; ".join(why))
    return Completed(message=told)


def skipped(why: str) -> State[Any]:
    """Nothing was to be done, which is as good as done; the run's page shows why."""
    return Completed(name="Skipped", message=why)
