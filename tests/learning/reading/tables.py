"""A small data set and its files, for tests of reading."""

from pathlib import Path

import pandas as pd

from learning.reading.quarantine import message
from learning.reading.tables import Read, read_table
from schemas.dataset import Dataset
from schemas.label import Label, SingleLabel, targets

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
) -> Read:
    """The same with the rows that were set aside."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, name, dataset, targets(label))


def rejection(found: Read) -> str:
    """The rejection, were these rows too many."""
    return message(found.findings, len(found.frame) + len(found.quarantined))


def faults(found: Read) -> dict[str, int]:
    """Rows by what they broke."""
    return {finding.reason: finding.count for finding in found.findings}


def features(**columns: object) -> Dataset:
    """A data set of these columns."""
    return Dataset.model_validate({"source": "x", "columns": columns})
