"""A small data set and its files, for tests of reading."""

from pathlib import Path

import pandas as pd

from learning.tables import read_table
from schemas.dataset import Dataset
from schemas.label import SingleLabel

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
    label: SingleLabel = LABEL,
    name: str = "day.csv",
) -> pd.DataFrame:
    """The prepared rows of a file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, name, dataset, label)
