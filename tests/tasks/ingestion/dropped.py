"""Drops of a plan of comments, and what ingestion makes of them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from learning.rows.assembly import assemble
from learning.rows.sides import read_side
from schemas.manifest import Rows, Shard
from schemas.plan import Plan
from schemas.store import Store
from tasks.ingestion import ingest
from tasks.scanning import scan

COMMENTS = {
    "name": "comments",
    "dataset": {"source": "drops", "columns": {"comment": "text", "likes": "number"}},
    "label": {"column": "mood", "classes": [-1, 0, 1]},
}


def plan(**changes: Any) -> Plan:
    dataset = COMMENTS["dataset"] | changes.pop("dataset", {})  # type: ignore[operator]
    return Plan.model_validate(COMMENTS | {"dataset": dataset} | changes)


LAX = {"dataset": {"quarantine": {"max_share": 0.05}}}


def csv(first: int, count: int) -> str:
    rows = (f"comment number {n},{n % 7},{n % 3 - 1}" for n in range(first, first + count))
    return "\n".join(["comment,likes,mood", *rows]) + "\n"


def shards_of(
    store: Store, cache: Path, wanted: Plan, on_read: Callable[[str], object] = len
) -> tuple[Shard, ...]:
    manifest = scan(store, wanted.dataset)
    return ingest(store, manifest, wanted, cache, cache / "quarantine", on_read)


def rows_of(store: Store, folder: Path, wanted: Plan, not_before: datetime | None = None) -> Rows:
    return assemble(shards_of(store, folder / "cache", wanted), wanted, folder / "work", not_before)


def sides(rows: Rows, *columns: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and keys of either side, and these columns."""
    names = ["__label0", "__key", *columns]
    train = read_side(rows.train, [*names, "__fold"])
    return train.to_pandas(), read_side(rows.holdout, names).to_pandas()
