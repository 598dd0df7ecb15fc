"""What cells of each role are in a frame, for frames that were not read by us."""

from typing import Literal, assert_never

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from learning.reading.columns import typed_in_memory
from learning.reading.wording import first_few
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.faults import DataRejected

UTC_TIME: Literal["datetime64[us, UTC]"] = "datetime64[us, UTC]"


def missing_cells(column: Column, index: pd.Index) -> pd.Series:
    """A column of nothing."""
    match column:
        case NumberColumn() | BooleanColumn():
            return pd.Series(np.nan, index=index, dtype=np.float64)
        case TimeColumn():
            return pd.Series(pd.NaT, index=index, dtype=UTC_TIME)
        case TextColumn() | CategoryColumn() | EmbeddingColumn():
            return pd.Series(None, index=index, dtype=object)
        case _:
            assert_never(column)


def has_role(cells: pd.Series, column: Column) -> bool:
    """Whether the cells are of the kind that the role's features are made of."""
    match column:
        case NumberColumn() | BooleanColumn():
            return bool(is_numeric_dtype(cells.dtype))
        case TimeColumn():
            return bool(is_datetime64_any_dtype(cells.dtype))
        case TextColumn() | CategoryColumn() | EmbeddingColumn():
            return not (is_numeric_dtype(cells.dtype) or is_datetime64_any_dtype(cells.dtype))
        case _:
            assert_never(column)


def as_role(cells: pd.Series, column: Column) -> pd.Series:
    """Cells of any kind, as training reads them from a file; what can't be read is missing.

    Numbers and truths in a column of text are their one text form, as a CSV file writes them.

    Raises
    ------
    DataRejected
        An embedding is no list of as many finite numbers: zeros in its place would be an answer
        about another row.
    """
    read_as = CategoryColumn() if isinstance(column, TextColumn) else column
    found = typed_in_memory(cells, read_as)
    match column:
        case EmbeddingColumn() if found.bad.any():
            rows = (np.flatnonzero(found.bad) + 1).tolist()
            raise DataRejected(
                f"Column {str(cells.name)!r}: expected {found.expected}, got other cells in "
                f"{first_few(rows)}. Correct them, or leave them empty."
            )
        case NumberColumn():
            return found.cells.where(np.isfinite(found.cells))
        case _:
            return found.cells
