"""What cells of each role are in a frame, for frames that were not read by us."""

from typing import Literal, assert_never

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.label import class_text

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
    """Whole numbers, booleans, numbers and times written as text become what the role asks for;
    what can't is missing.
    """
    match column:
        case NumberColumn() | BooleanColumn():
            return pd.to_numeric(cells, errors="coerce").astype(np.float64)
        case TimeColumn():
            return pd.to_datetime(cells, utc=True, errors="coerce").astype(UTC_TIME)
        case TextColumn() | CategoryColumn():
            return cells.map(class_text, na_action="ignore").astype(object)
        case EmbeddingColumn(dimension=dimension):
            return cells.map(lambda cell: _vector(cell, dimension)).astype(object)
        case _:
            assert_never(column)


def _vector(cell: object, dimension: int) -> object:
    if not isinstance(cell, list | tuple | np.ndarray):
        return None
    vector = np.asarray(cell, dtype=np.float32)
    return vector if vector.shape == (dimension,) else None
