"""A frame's cells are read as those of a file, each by itself."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from learning.reading.columns import typed_in_memory
from schemas.dataset import BooleanColumn, CategoryColumn, Column, NumberColumn, TimeColumn

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
BERLIN = TimeColumn(zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("cell", "column", "value"),
    [
        (True, NumberColumn(), 1.0),
        (np.bool_(True), BooleanColumn(), 1.0),
        (np.float32(0.5), NumberColumn(), 0.5),
        (np.int8(3), CategoryColumn(), "3"),
        (3.0, CategoryColumn(), "3"),
        (Decimal("0.5"), NumberColumn(), 0.5),
        (2**70, NumberColumn(), float(2**70)),
        (2**70, CategoryColumn(), str(2**70)),
        (NOON, TimeColumn(), NOON),
        (pd.Timestamp(NOON).tz_convert("Asia/Tokyo"), TimeColumn(), NOON),
        (NOON.replace(hour=13, tzinfo=None), BERLIN, NOON),
        (np.datetime64("2026-01-31T13:00"), BERLIN, NOON),
        (date(2026, 1, 31), BERLIN, datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("2026-01-31T13:00", BERLIN, NOON),
    ],
    ids=repr,
)
def test_a_cell_of_any_kind_is_what_it_says(cell: object, column: Column, value: Any) -> None:
    among: list[Any] = [None, "odd", cell, [1]]
    for cells in ([cell], among):
        found = typed_in_memory(pd.Series(cells, dtype=object), column)
        assert found.cells[cells.index(cell)] == value
        assert not found.bad[cells.index(cell)]


@pytest.mark.parametrize(
    "cell",
    [b"x", {"a": 1}, object(), 1j, "\ud800", 10**400, [["a"], ["b", "c"]]],
    ids=["bytes", "dict", "object", "complex", "surrogate", "huge", "ragged"],
)
def test_what_no_file_holds_is_bad_and_missing(cell: object) -> None:
    found = typed_in_memory(pd.Series(["1", cell], dtype=object), NumberColumn())
    assert found.bad.tolist() == [False, True]
    assert found.cells.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "cell", [None, pd.NA, pd.NaT, np.nan, np.datetime64("NaT"), Decimal("NaN")]
)
@pytest.mark.parametrize("column", [NumberColumn(), CategoryColumn(), BERLIN], ids=repr)
def test_nothing_is_missing_and_not_bad(cell: object, column: Column) -> None:
    found = typed_in_memory(pd.Series([cell], dtype=object), column)
    assert found.cells.isna().all()
    assert not found.bad.any()


def test_a_clock_without_a_zone_names_no_instant() -> None:
    times = pd.Series([NOON, NOON.replace(tzinfo=None)], dtype=object)
    assert typed_in_memory(times, TimeColumn()).bad.tolist() == [False, True]


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([1, 0, 1]),
        pd.Series([1.0, None, 1.0]),
        pd.Series([1.0, None, 1.0], dtype="float16"),
        pd.Series([True, False, True]),
        pd.Series([True, None, True], dtype="boolean"),
        pd.Series([1, None, 1], dtype="Int64"),
        pd.Series(["1", None, "1"]),
        pd.Series(["1", "0", "1"], dtype="category"),
        pd.to_datetime(pd.Series(["2026-01-31", None, "2026-01-31"])),
        pd.to_datetime(pd.Series(["2026-01-31", None, "2026-01-31"])).dt.tz_localize("Asia/Tokyo"),
    ],
    ids=lambda cells: str(cells.dtype),
)
@pytest.mark.parametrize("column", [NumberColumn(), BooleanColumn(), CategoryColumn(), BERLIN])
def test_a_dtype_changes_nothing(cells: "pd.Series[Any]", column: Column) -> None:
    labelled = cells.set_axis([7, 7, 3])
    whole = typed_in_memory(labelled, column)
    each = typed_in_memory(labelled.astype(object), column)
    pd.testing.assert_series_equal(whole.cells, each.cells)
    assert whole.bad.tolist() == each.bad.tolist()


@pytest.mark.parametrize("dtype", ["object", "float64", "str"])
def test_no_rows_are_no_cells(dtype: str) -> None:
    found = typed_in_memory(pd.Series([], dtype=dtype), NumberColumn())
    assert found.cells.dtype == np.float64
    assert len(found.cells) == len(found.bad) == 0
