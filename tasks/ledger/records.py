"""What became of every attempt at a night: records that are written once."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from schemas.faults import StoreConflict
from schemas.ledger import FINISHED, Outcome, Record
from schemas.store import ABSENT, Store
from tasks.ledger.stored import all_stored, as_json


def write_record(store: Store, record: Record) -> str:
    """The name of the new record; the same record twice is one, another one is a conflict."""
    name = record_name(record)
    content = as_json(record)
    try:
        store.write(name, content, ABSENT)
    except StoreConflict:
        if store.read(name)[0] != content:
            raise
    return name


def record_name(record: Record) -> str:
    """Names sort by time: `ledger/PLAN/20261121T020000.000000Z-RUN.json`."""
    started = record.started_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"ledger/{record.plan}/{started}-{record.run_id}.json"


def history(store: Store, plan: str | None = None) -> list[Record]:
    """All readable records, oldest first; `damaged` names the others."""
    found = (record for _, record in _records(store, plan) if record is not None)
    return sorted(found, key=lambda record: (record.started_at, record.run_id))


def damaged(store: Store, plan: str | None = None) -> list[str]:
    """Names of records that can't be read: written by a newer version, or changed by hand."""
    return [name for name, record in _records(store, plan) if record is None]


def last_finished(history: Sequence[Record], plan: str) -> Record | None:
    """The newest night that settled a manifest: what is new tonight is new against this one.

    Earlier ones do not count: data that is again what it was then has lost the rows that came
    since, and the champion must lose them too.
    """
    finished = (r for r in _settled(history, plan) if r.manifest is not None)
    return max(finished, key=lambda record: record.started_at, default=None)


def attempts(
    history: Sequence[Record], plan: str, manifest_digest: str, plan_digest: str, outcome: Outcome
) -> list[Record]:
    """The nights of just this data under just this plan that ended so, oldest first."""
    return [
        record
        for record in history
        if record.plan == plan
        and record.outcome == outcome
        and record.manifest is not None
        and record.manifest.digest == manifest_digest
        and record.plan_digest == plan_digest
    ]


def _settled(history: Sequence[Record], plan: str) -> Iterator[Record]:
    return (r for r in history if r.plan == plan and r.outcome in FINISHED)


def _records(store: Store, plan: str | None) -> Iterator[tuple[str, Record | None]]:
    return all_stored(store, f"ledger/{plan}/" if plan else "ledger/", Record)
