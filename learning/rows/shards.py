"""An object's valid rows as Parquet, and those that it broke the schema in as a private table.

What was set aside is told by the shard itself, in the metadata of its file: a shard of an earlier
night needs no second look at the object.
"""

import hashlib
import importlib.metadata
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from pydantic import ValidationError

from learning.reading.tables import Read, to_arrow
from schemas.findings import Finding
from schemas.label import Target
from schemas.manifest import OURS, Shard, label_columns
from schemas.strict import Strict

_TOLD = b"nightshift"

_FORM = 2
"""Of the files of a release under way; 2: shards with hashes of cells, indexes without features."""


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


def write_shard(read: Read, path: Path, targets: Sequence[Target] = ()) -> Kept:
    """The valid rows, with what is told of the others."""
    features = [column for column in read.frame if not str(column).startswith(OURS)]
    told = Kept(
        rows=len(read.frame),
        quarantined=len(read.quarantined),
        findings=read.findings,
        class_counts=tuple(
            tuple(np.bincount(read.frame[column], minlength=target.classes).tolist())
            for column, target in zip(label_columns(len(targets)), targets, strict=True)
        ),
        missing={str(column): int(read.frame[column].isna().sum()) for column in features},
        stored=dict(read.stored),
    )
    table = to_arrow(read.frame).replace_schema_metadata({_TOLD: told.model_dump_json()})
    pa_parquet.write_table(table, path)
    return told


def kept_shard(path: Path) -> Kept | None:
    """Nothing for a shard that is not there or was damaged: then its object is read again."""
    try:
        found = pa_parquet.read_metadata(path)
        told = Kept.model_validate_json((found.metadata or {}).get(_TOLD, b""))
    except (OSError, pa.ArrowException, ValidationError):
        return None
    return told if told.rows == found.num_rows else None


def joined(paths: Iterable[str], columns: list[str] | None = None) -> pd.DataFrame:
    """The valid rows of these shards, one after the other; of all columns, or of these."""
    tables = [pa_parquet.read_table(path, columns=columns) for path in paths]
    plain = [table.replace_schema_metadata(None) for table in tables]
    frame: pd.DataFrame = pa.concat_tables(plain).to_pandas()
    return frame


def quarantine_name(object_name: str, digest: str) -> str:
    """The name of a file for the rows of an object: its own where that is plain, then the digest.

    >>> quarantine_name("2026/11/day 1.csv", "0af3")
    '2026_11_day_1.csv-0af3.csv'
    """
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", object_name)[-80:].lstrip(".-")
    return f"{plain}-{digest}.csv"


def write_private(frame: pd.DataFrame, path: Path) -> None:
    """A CSV file that nobody else on this machine may read, in place at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        part = Path(folder) / "rows"
        part.touch(mode=0o600)
        frame.to_csv(part, index=False)
        part.replace(path)


def quarantine_told(shards: Sequence[Shard]) -> str:
    """How many rows of a scan broke the schema and why, each reason with its rows; may be shown."""
    broken = sum(shard.quarantined for shard in shards)
    rows = broken + sum(shard.rows for shard in shards)
    reasons = "; ".join(f"{reason} ({n:,})" for reason, n in faults_of(shards).items())
    return f"{broken:,} of {rows:,} rows ({percent(broken / max(rows, 1))}): {reasons}"


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
    release = importlib.metadata.version("nightshift")
    named = "\n".join(map(str, (release, _FORM, *parts)))
    return hashlib.sha256(named.encode()).hexdigest()[:16]
