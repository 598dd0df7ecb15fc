"""No row is of a day yet to come: where rows are split by time, one would hide all others."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from learning.reading.wording import first_few
from learning.rows.batches import batches
from schemas.faults import DataRejected
from schemas.findings import MOST_PLACES, Finding
from schemas.manifest import ROW, TIME, Shard

SKEW = timedelta(days=1)
"""Clocks differ, and a day's rows may be dated by its end."""

_TODO = "Correct the clock or the time zone of the export."


def refuse_future(shards: Iterable[Shard], column: str, now: datetime) -> None:
    """Every row dated more than a day after now is told by object and number."""
    limit = now + SKEW
    findings = [found for shard in shards for found in _later(shard, column, limit)]
    if not findings:
        return
    told = "; ".join(
        f"{found.count:,} later in {found.object_name} ({first_few(found.rows)})"
        for found in findings
    )
    raise DataRejected(
        f"Column {column!r}: expected {findings[0].expected}, got {told}. {_TODO}", findings
    )


def _later(shard: Shard, column: str, limit: datetime) -> list[Finding]:
    count, first = 0, list[int]()
    for batch in batches(shard.path, (TIME, ROW), shard.rows, shard.object_name):
        late = pc.greater(batch[TIME], pa.scalar(limit, batch[TIME].type))
        rows = batch[ROW].filter(late)
        count += len(rows)
        first += rows.slice(0, MOST_PLACES - len(first)).to_pylist()
    if not count:
        return []
    return [
        Finding(
            object_name=shard.object_name,
            column=column,
            expected=f"instants until {limit:%Y-%m-%d %H:%M} UTC",
            got="later ones",
            count=count,
            rows=tuple(first),
            todo=_TODO,
        )
    ]
