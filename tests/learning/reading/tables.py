"""A small data set and its files, for tests of reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from learning.reading.csv_files import BLOCK
from learning.reading.quarantine import Tally, message
from learning.reading.tables import Read, read_table
from schemas.dataset import Dataset
from schemas.findings import Finding
from schemas.label import Label, SingleLabel, Target, targets

LABEL = SingleLabel(column="label", classes=(-1, 0, 1))
TEXT_ONLY = Dataset.model_validate({"source": "x", "columns": {"said": "text"}})
MIXED = Dataset.model_validate(
    {
        "source": "x",
        "columns": {"said": "text", "size": "number", "kind": "category"},
        "ignore": {"note": "not known when predicting"},
        "key": "id",
        "time": "at",
    }
)
HEADER = "id,at,said,size,kind,note,label"


@dataclass(frozen=True)
class Found:
    """What all parts of a file hold."""

    frame: pd.DataFrame
    quarantined: pd.DataFrame
    findings: tuple[Finding, ...]
    parts: list[Read]


def read(
    folder: Path,
    content: str | bytes,
    dataset: Dataset = TEXT_ONLY,
    label: Label = LABEL,
    name: str = "day.csv",
) -> pd.DataFrame:
    """The prepared rows of a file with this content."""
    return read_all(folder, content, dataset, label, name).frame


def read_all(
    folder: Path,
    content: str | bytes,
    dataset: Dataset = TEXT_ONLY,
    label: Label = LABEL,
    name: str = "day.csv",
) -> Found:
    """The same with the rows that were set aside."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return whole(path, name, dataset, targets(label))


def whole(
    path: Path,
    name: str,
    dataset: Dataset,
    asked: Sequence[Target],
    *,
    quick: bool = False,
    block: int = BLOCK,
) -> Found:
    """All rows of a file at once."""
    scratch = path.with_name("scratch")
    scratch.mkdir(exist_ok=True)
    parts = list(read_table(path, name, dataset, asked, scratch, quick=quick, block=block))
    tally = Tally(name)
    for part in parts:
        tally.add(part.faults, part.start, part.rows)
    tally.refuse()
    return Found(
        pd.concat([part.frame for part in parts], ignore_index=True),
        pd.concat([part.quarantined for part in parts], ignore_index=True),
        tally.findings,
        parts,
    )


def rejection(found: Found) -> str:
    """The rejection, were these rows too many."""
    return message(found.findings, len(found.frame) + len(found.quarantined))


def faults(found: Found) -> dict[str, int]:
    """Rows by what they broke."""
    return {finding.reason: finding.count for finding in found.findings}


def features(**columns: object) -> Dataset:
    """A data set of these columns."""
    return Dataset.model_validate({"source": "x", "columns": columns})


def joined(paths: Iterable[Path], columns: list[str] | None = None) -> pd.DataFrame:
    """The rows of these shards, one after the other."""
    tables = [pq.read_table(path, columns=columns).replace_schema_metadata() for path in paths]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame
