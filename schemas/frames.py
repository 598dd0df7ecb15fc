"""The pandera schema that a data set implies.

A frame of raw rows has the plan's feature columns (text and category as str, number and boolean as
float64, time in UTC, embedding as float32 arrays, missing as NaN, NaT and None), a label column for
each target as class text, and where the plan names them `KEY` as text, `TIME` in UTC and `WEIGHT`
as float64. In a frame of prepared rows labels are indices and `KEY` is a hash: see
`schemas.manifest.Rows`.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

import numpy as np
import pandas as pd
import pandera.pandas as pandera

from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    Dataset,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.label import Target
from schemas.manifest import KEY, TIME, WEIGHT, label_columns

SHOWN = 10
"""Most levels or classes that one message lists."""


INSTANT = pd.DatetimeTZDtype("us", "UTC")


def frame_schema(dataset: Dataset, targets: Sequence[Target]) -> pandera.DataFrameSchema:
    """Strict over raw rows; validate lazily. Each check is named by what it expects."""
    columns = feature_columns(dataset)
    for column, target in zip(label_columns(len(targets)), targets, strict=True):
        classes = target.class_texts
        columns[column] = pandera.Column(str, pandera.Check.isin(classes, error=one_of(classes)))
    if dataset.key is not None:
        columns[KEY] = pandera.Column(str)
    if dataset.time is not None:
        columns[TIME] = pandera.Column(INSTANT)
    if dataset.weight is not None:
        columns[WEIGHT] = pandera.Column(
            float,
            pandera.Check(lambda cells: (cells > 0) & ~np.isinf(cells), error="above 0 and finite"),
        )
    return pandera.DataFrameSchema(columns, strict=True, unique_column_names=True)


def feature_columns(dataset: Dataset) -> dict[str, pandera.Column]:
    """What each feature column must hold, also where rows have no label."""
    return {name: _column(column) for name, column in dataset.columns.items()}


def one_of(levels: Iterable[str]) -> str:
    """The end of "expected ...".

    >>> one_of(["a", "b"])
    "one of 'a', 'b'"
    """
    quoted = [repr(level) for level in levels]
    more = f" and {len(quoted) - SHOWN} more" if len(quoted) > SHOWN else ""
    return f"one of {', '.join(quoted[:SHOWN])}{more}"


def _column(column: Column) -> pandera.Column:
    match column:
        case TextColumn(max_chars=most):
            short = pandera.Check.str_length(
                max_value=most, error=f"at most {most:,} characters (max_chars)"
            )
            return pandera.Column(str, short, nullable=True)
        case NumberColumn():
            return pandera.Column(float, _number_checks(column), nullable=not column.required)
        case CategoryColumn(levels=levels):
            known = pandera.Check.isin(levels, error=one_of(levels)) if levels else None
            return pandera.Column(str, known, nullable=True)
        case BooleanColumn(required=required):
            return pandera.Column(float, nullable=not required)
        case TimeColumn(required=required):
            return pandera.Column(INSTANT, nullable=not required)
        case EmbeddingColumn():
            return pandera.Column(object)
        case _:
            assert_never(column)


def _number_checks(column: NumberColumn) -> list[pandera.Check]:
    checks = [pandera.Check(lambda cells: ~np.isinf(cells), error="a finite number")]
    if column.low is not None:
        checks.append(pandera.Check.ge(column.low, error=f"at least {column.low:g}"))
    if column.high is not None:
        checks.append(pandera.Check.le(column.high, error=f"at most {column.high:g}"))
    return checks
