"""Whether a night is due: what stands at the source against what the last finished night found."""

from collections.abc import Sequence
from dataclasses import dataclass

from learning.reading.wording import amount
from schemas.ledger import Record
from schemas.manifest import Changes
from schemas.plan import Plan
from schemas.store import Store
from tasks.ledger.manifests import kept_manifest
from tasks.ledger.records import last_finished
from tasks.scanning import Listing, changes


@dataclass(frozen=True)
class News:
    """`nothing` says why no night is due, and is empty where one is; `note` what else to know.

    `last` is the last finished night, whatever its plan said then.
    """

    changes: Changes
    last: Record | None
    nothing: str = ""
    note: str = ""


def news(store: Store, plan: Plan, found: Listing, past: Sequence[Record]) -> News:
    """New, changed and vanished objects are news, and so is another plan."""
    last = last_finished(past, plan.name)
    if last is None or last.manifest is None:
        return News(changes(found.manifest, None), None)
    differs = last.manifest.digest != found.manifest.digest
    before = kept_manifest(store, last.manifest) if differs else found.manifest
    moved = changes(found.manifest, before, found.waiting)
    note = "" if before else f"what the night of {_when(last)} had read is not known: all is new"
    if moved != Changes() or plan.digest != last.plan_digest:
        return News(moved, last, note=note)
    same = f"the same as in the night of {_when(last)} ({last.outcome})"
    if differs:
        same += "; others that it had read wait again"
    return News(
        moved, last, f"no new data: {amount(len(found.manifest.objects), 'object')}, {same}"
    )


def _when(record: Record) -> str:
    return f"{record.started_at:%Y-%m-%d %H:%M} UTC"
