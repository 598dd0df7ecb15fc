"""The pandera schema that a data set implies.

A frame of raw rows has the plan's feature columns (text and category as str, number as float64,
missing as NaN), `LABEL` as class text, `KEY` as text where the plan names a key and `TIME` in UTC
where it names a time. A frame of prepared rows has `LABEL` as an index and `KEY` as a hash: see
`schemas.manifest.Rows`.
"""

from collections.abc import Iterable
from typing import assert_never

import numpy as np
import pandas as pd
import pandera.pandas as pandera

from schemas.dataset import CategoryColumn, Column, Dataset, NumberColumn, TextColumn
from schemas.label import SingleLabel, class_text
from schemas.manifest import KEY, LABEL, TIME

SHOWN = 10
"""Most levels or classes that one message lists."""


def frame_schema(dataset: Dataset, label: SingleLabel) -> pandera.DataFrameSchema:
    """Strict over raw rows; validate lazily. Each check is named by what it expects."""
    columns = feature_columns(dataset)
    classes = [class_text(each) for each in label.classes]
    columns[LABEL] = pandera.Column(str, pandera.Check.isin(classes, error=one_of(classes)))
    if dataset.key is not None:
        columns[KEY] = pandera.Column(str)
    if dataset.time is not None:
        columns[TIME] = pandera.Column(pd.DatetimeTZDtype("us", "UTC"))
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
        case _:
            assert_never(column)


def _number_checks(column: NumberColumn) -> list[pandera.Check]:
    checks = [pandera.Check(lambda cells: ~np.isinf(cells), error="a finite number")]
    if column.low is not None:
        checks.append(pandera.Check.ge(column.low, error=f"at least {column.low:g}"))
    if column.high is not None:
        checks.append(pandera.Check.le(column.high, error=f"at most {column.high:g}"))
    return checks
