"""An object's valid rows as Parquet, and those that it broke the schema in as a private table.

What was set aside is told by the shard itself, in the metadata of its file: a shard of an earlier
night needs no second look at the object.
"""

import hashlib
import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pyarrow.types as pt
from pydantic import ValidationError

from learning.reading.quarantine import Tally
from learning.reading.tables import Read, to_arrow
from learning.reading.wording import amount
from schemas.findings import Finding
from schemas.label import Target
from schemas.manifest import LABEL, OURS, ROW, Shard, label_columns
from schemas.strict import Strict

_TOLD = b"nightshift"

_FORM = 3
"""Of the files of a release under way; 2: shards with hashes of cells, indexes without features;
3: folds of very many groups by hash."""


class Kept(Strict):
    """What a shard tells of its object's rows, valid ones and others: see `schemas.manifest`."""

    rows: int
    quarantined: int = 0
    findings: tuple[Finding, ...] = ()
    class_counts: tuple[tuple[int, ...], ...] = ()
    missing: dict[str, int] = {}
    stored: dict[str, str] = {}

    @property
    def faults(self) -> dict[str, int]:
        """Rows by what they broke; a row may have broken several rules."""
        return {finding.reason: finding.count for finding in self.findings}


class _Counts:
    """What is told of a shard, gathered while its rows pass."""

    def __init__(self, name: str, targets: Sequence[Target]) -> None:
        self.tally = Tally(name)
        self.targets = targets
        self.rows = self.quarantined = 0
        self.classes = [np.zeros(target.classes, dtype=np.int64) for target in targets]
        self.missing: Counter[str] = Counter()
        self.stored: dict[str, str] = {}

    def add(self, read: Read, table: pa.Table) -> None:
        self.tally.add(read.faults, read.start, read.rows)
        self.rows += table.num_rows
        self.quarantined += len(read.quarantined)
        self.stored = dict(read.stored)
        columns = label_columns(len(self.targets))
        for column, target, counted in zip(columns, self.targets, self.classes, strict=True):
            counted += np.bincount(read.frame[column], minlength=target.classes)
        for column in table.column_names:
            if not column.startswith(OURS):
                self.missing[column] += table[column].null_count

    @property
    def kept(self) -> Kept:
        return Kept(
            rows=self.rows,
            quarantined=self.quarantined,
            findings=self.tally.findings,
            class_counts=tuple(tuple(counted.tolist()) for counted in self.classes),
            missing=dict(self.missing),
            stored=self.stored,
        )


def write_shard(
    reads: Iterable[Read],  # of one object, in order; at least one
    path: Path,
    name: str = "",  # of the object
    targets: Sequence[Target] = (),
    set_aside: Callable[[pd.DataFrame], object] = len,  # takes the rows that broke the schema
) -> Kept:
    """The valid rows, with what is told of the others; while a part is written, the next is read.

    Raises
    ------
    DataRejected
        A column is wrong as a whole; all that is wrong in the object is told.
    """
    counts = _Counts(name, targets)
    writer: pa_parquet.ParquetWriter | None = None
    with ExitStack() as opened, ThreadPoolExecutor(1) as beside:
        written: Future[None] | None = None
        for read in reads:
            table = to_arrow(read.frame)
            counts.add(read, table)
            set_aside(read.quarantined)
            if writer is None:
                writer = opened.enter_context(_writer(path, table))
            if written is not None:
                written.result()
            written = beside.submit(writer.write_table, table)
        if written is not None:
            written.result()
        counts.tally.refuse()
        if writer is not None:
            writer.add_key_value_metadata({_TOLD: counts.kept.model_dump_json()})
    return counts.kept


def _writer(path: Path, table: pa.Table) -> pa_parquet.ParquetWriter:
    """Plain pages with checksums: twice as quick as packed ones, and a flipped bit is found."""
    # Measured with 5 million rows of 8 numbers, in processor seconds: plain 0.5, LZ4 1.2.
    texts = [field.name for field in table.schema if pt.is_large_string(field.type)]
    whole = [column for column in table.column_names if column.startswith(LABEL)]
    return pa_parquet.ParquetWriter(
        path,
        table.schema,
        use_dictionary=[*texts, *whole] or False,
        compression={name: "lz4" if name in texts else "none" for name in table.column_names},
        write_statistics=False,
        write_page_checksum=True,
        store_schema=False,
        column_encoding={ROW: "DELTA_BINARY_PACKED"} if ROW in table.column_names else None,
    )


def kept_shard(path: Path) -> Kept | None:
    """Nothing for a shard that is not there or was damaged: then its object is read again."""
    try:
        found = pa_parquet.read_metadata(path)
        told = Kept.model_validate_json((found.metadata or {}).get(_TOLD, b""))
    except (OSError, pa.ArrowException, ValidationError):
        return None
    return told if told.rows == found.num_rows else None


def quarantine_name(object_name: str, digest: str) -> str:
    """The name of a file for the rows of an object: its own where that is plain, then the digest.

    >>> quarantine_name("2026/11/day 1.csv", "0af3")
    '2026_11_day_1.csv-0af3.csv'
    """
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", object_name)[-80:].lstrip(".-")
    return f"{plain}-{digest}.csv"


def quarantine_told(shards: Sequence[Shard]) -> str:
    """How many rows of a scan broke the schema and why, each reason with its rows; may be shown."""
    broken = sum(shard.quarantined for shard in shards)
    rows = broken + sum(shard.rows for shard in shards)
    reasons = "; ".join(f"{reason} ({n:,})" for reason, n in faults_of(shards).items())
    return f"{broken:,} of {amount(rows, 'row')} ({percent(broken / max(rows, 1))}): {reasons}"


def faults_of(shards: Iterable[Shard]) -> dict[str, int]:
    """Rows by what they broke, over all objects; a row may have broken several rules."""
    reasons: Counter[str] = Counter()
    for shard in shards:
        reasons.update(shard.faults)
    return dict(reasons.most_common())


def percent(share: float) -> str:
    """A share as messages tell it.

    >>> percent(0.01), percent(0.00123)
    ('1 %', '0.123 %')
    """
    return f"{100 * share:.3g} %"


def content_digest(*parts: object) -> str:
    """Sixteen hex digits of parts, form and release: a later one may make other files of them."""
    named = "\n".join(map(str, (_release(), _FORM, *parts)))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


@cache
def _release() -> str:
    return importlib.metadata.version("nightshift")
