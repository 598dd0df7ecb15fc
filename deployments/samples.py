"""A look at a plan's data before a night pays for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.rows.assembly import assemble
from learning.rows.floors import class_counts
from learning.rows.shards import joined, quarantine_told
from schemas.manifest import Manifest, Shard, label_columns
from schemas.plan import Plan
from tasks.ingestion import ingest
from tasks.scanning import scan
from tasks.storage import open_store

MOST_OBJECTS = 5


@dataclass(frozen=True)
class Sample:
    """`read` of `objects` were read; `class_rows` counts their valid rows by target and class,
    before cleaning. `set_aside` says which rows a night would set aside and why, `notes` what
    else a person should know; each is empty where there is nothing to say.
    """

    objects: int
    read: int
    rows: int
    class_rows: dict[str, dict[str, int]]
    set_aside: str
    notes: tuple[str, ...]


def check_sample(plan: Plan, scratch: Path, memory: Path | None = None) -> Sample:
    """Reads the first object and the last few by name; their faults are one `DataRejected`.

    So are rows that break the schema, where there are more of them than a night may set aside.
    Where those are all objects, they must also be enough to train on, after cleaning and split.
    """
    source = plan.dataset.source
    store = open_store(source, memory)
    found = scan(store, plan.dataset).objects
    chosen = found if len(found) <= MOST_OBJECTS else (found[0], *found[1 - MOST_OBJECTS :])
    shards = ingest(store, Manifest(source=source, objects=chosen), plan, scratch, None)
    whole = len(chosen) == len(found)
    return Sample(
        objects=len(found),
        read=len(chosen),
        rows=sum(shard.rows for shard in shards),
        class_rows=_class_rows(shards, plan),
        set_aside=quarantine_told(shards) if any(shard.quarantined for shard in shards) else "",
        notes=assemble(shards, plan, scratch).notes if whole else (),
    )


def _class_rows(shards: Sequence[Shard], plan: Plan) -> dict[str, dict[str, int]]:
    names = list(label_columns(len(plan.targets)))
    labels = joined((shard.path for shard in shards), names).to_numpy()
    counts = zip(plan.targets, class_counts(labels, plan.targets), strict=True)
    return {target.name: dict(zip(target.class_texts, n, strict=True)) for target, n in counts}
