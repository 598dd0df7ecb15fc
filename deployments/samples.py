"""A look at a plan's data before a night pays for it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pa_parquet

from schemas.manifest import LABEL, Manifest
from schemas.plan import Plan
from tasks.ingestion import assemble, ingest, scan
from tasks.storage import open_store

MOST_OBJECTS = 5


@dataclass(frozen=True)
class Sample:
    """`read` of `objects` were read; `class_rows` counts their valid rows, before cleaning."""

    objects: int
    read: int
    rows: int
    class_rows: dict[str, int]


def check_sample(plan: Plan, scratch: Path) -> Sample:
    """Reads the first object and the last few by name; their faults are one `DataRejected`.

    Where those are all objects, they must also be enough to train on, after cleaning and split.
    """
    source = plan.dataset.source
    store = open_store(source)
    found = scan(store, plan.dataset.pattern, source).objects
    chosen = found if len(found) <= MOST_OBJECTS else (found[0], *found[1 - MOST_OBJECTS :])
    shards = ingest(store, Manifest(source=source, objects=chosen), plan, scratch)
    if len(chosen) == len(found):
        assemble(shards, plan, scratch)
    labels = Counter(
        label
        for shard in shards
        for label in pa_parquet.read_table(shard.path, columns=[LABEL])[LABEL].to_pylist()
    )
    return Sample(
        objects=len(found),
        read=len(chosen),
        rows=labels.total(),
        class_rows={text: labels[i] for i, text in enumerate(plan.class_texts)},
    )
