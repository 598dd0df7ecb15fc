"""A row that nobody wrote: what a model's input looks like, without a cell of the data."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import pandas as pd

from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)

_INSTANT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def example(columns: Mapping[str, Column]) -> pd.DataFrame:
    """One row that the columns' schema takes, of plan and fancy alone."""
    row = [_cell(column) for column in columns.values()]
    # Names as objects: MLflow compares them with a range, which pandas' strings warn about.
    return pd.DataFrame([row], columns=pd.Index(list(columns), dtype=object))


def _cell(column: Column) -> Any:
    match column:
        case TextColumn(max_chars=most):
            return "some text"[:most]
        case NumberColumn(low=low, high=high):
            return min(max(0.0, low or 0.0), high if high is not None else math.inf)
        case CategoryColumn(levels=levels):
            return levels[0] if levels else "some level"
        case BooleanColumn():
            return True
        case TimeColumn(format=form, zone=zone):
            there = _INSTANT.astimezone(ZoneInfo(zone or "UTC"))
            return there.isoformat() if form is None else there.strftime(form)
        case EmbeddingColumn(dimension=dimension):
            return [0.0] * dimension
        case _:
            assert_never(column)
