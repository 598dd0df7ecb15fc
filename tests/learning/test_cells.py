import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from learning.cells import labels, levels, numbers, texts
from learning.instants import instants
from schemas.label import Classes, SingleLabel, Target, targets


def _column(cells: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, type=kind)])


def _target(classes: Classes) -> Target:
    return targets(SingleLabel(column="y", classes=classes))[0]


def _told(cells: "pd.Series[str]") -> list[object]:
    return cells.astype(object).where(cells.notna(), None).tolist()


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        ("1.5", 1.5),
        (" 1e3 ", 1000.0),
        ("+5", 5.0),
        ("-0.5", -0.5),
        (7, 7.0),
        (True, 1.0),
        (Decimal("2.5"), 2.5),
        (2**60 + 1, float(2**60)),
    ],
    ids=repr,
)
def test_what_is_a_number_becomes_one(stored: object, number: float) -> None:
    found = numbers(_column([stored]))
    assert found.cells.tolist() == [number]
    assert not found.bad.any()


@pytest.mark.parametrize("stored", ["", " ", "NA", "n/a", "NaN", "null", "None", None])
def test_what_exports_write_for_nothing_is_a_missing_number(stored: str | None) -> None:
    found = numbers(_column([stored, "1"], pa.string()))
    assert found.cells.isna().tolist() == [True, False]
    assert not found.bad.any()


@pytest.mark.parametrize("stored", ["abc", "1,5", "1.000,5", "1 000", "12%", "0x1F", "-"])
def test_what_is_no_number_is_told_by_row(stored: str) -> None:
    found = numbers(_column(["1", stored, None, "2"]))
    assert found.bad.tolist() == [False, True, False, False]
    assert found.cells.isna().tolist() == [False, True, True, False]


def test_a_column_of_times_is_no_number() -> None:
    found = numbers(_column([dt.datetime(2026, 1, 1)]))
    assert found.bad.all()
    assert found.got == "timestamp[us]"


def test_an_empty_text_is_missing() -> None:
    assert _told(texts(_column(["", " ", None, "NA"])).cells) == [None, " ", None, "NA"]


def test_text_may_be_coded_in_parquet() -> None:
    coded = pa.chunked_array([pa.array(["a", None, "b", "a"]).dictionary_encode()])
    assert _told(texts(coded).cells) == ["a", None, "b", "a"]


def test_a_column_of_nulls_is_missing_text_and_missing_numbers() -> None:
    nothing = pa.chunked_array([pa.nulls(2)])
    assert texts(nothing).cells.isna().all()
    assert numbers(nothing).cells.isna().all()
    assert levels(nothing).cells.isna().all()
    assert instants(nothing).cells.isna().all()


def test_numbers_are_no_text() -> None:
    found = texts(_column([1, None]))
    assert found.bad.tolist() == [True, False]
    assert found.got == "int64"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["a", "", None], ["a", None, None]),
        ([1, 2, None], ["1", "2", None]),
        ([1.0, 2.5, float("nan")], ["1", "2.5", None]),
        ([True, False, None], ["true", "false", None]),
        ([2**53 + 1], ["9007199254740993"]),
    ],
    ids=["text", "int", "float", "bool", "id-above-2^53"],
)
def test_a_level_has_one_text_form(cells: list[object], told: list[object]) -> None:
    assert _told(levels(_column(cells)).cells) == told


def test_a_nested_column_is_no_level() -> None:
    assert levels(_column([[1], [2]])).bad.all()


@pytest.mark.parametrize(
    ("classes", "cells", "told"),
    [
        ((-1, 0, 1), ["1", "1.0", "-1", "+1", "-0.0"], ["1", "1", "-1", "1", "0"]),
        ((-1, 0, 1), [1, 0, -1], ["1", "0", "-1"]),
        ((0, 1), [1.0, 0.0, None], ["1", "0", None]),
        ((0, 1), [True, False], ["1", "0"]),
        ((True, False), ["True", "FALSE", "true"], ["true", "false", "true"]),
        ((True, False), [True, False], ["true", "false"]),
        (("NA", "None"), ["NA", "None"], ["NA", "None"]),
        (("1.0", "b"), ["1.0", "1"], ["1.0", "1"]),
        ((0.5, 1.5), ["0.50", "1.5"], ["0.5", "1.5"]),
    ],
    ids=str,
)
def test_a_label_of_any_type_finds_its_class(
    classes: Classes, cells: list[object], told: list[object]
) -> None:
    found = labels(_column(cells), _target(classes))
    assert _told(found.cells) == told


@pytest.mark.parametrize(
    ("classes", "cell"),
    [((0, 1), "2"), ((0, 1), "yes"), ((True, False), "1"), (("a", "b"), "A"), (("a", "b"), "a ")],
    ids=str,
)
def test_a_label_of_no_class_keeps_its_own_text(classes: Classes, cell: str) -> None:
    found = labels(_column([cell]), _target(classes))
    assert _told(found.cells) == [cell]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31T09:30:00Z",
        "2026-01-31 09:30:00z",
        "2026-01-31T10:30:00+01:00",
        "2026-01-31 01:30:00 -0800",
        "2026-01-31T09:30Z",
        "2026-01-31T09:30:00.000000+00",
    ],
)
def test_a_time_with_an_offset_is_an_instant(cell: str) -> None:
    found = instants(_column([cell, None]))
    assert found.cells[0] == pd.Timestamp("2026-01-31T09:30:00Z")
    assert found.cells.dtype == "datetime64[us, UTC]"
    assert not found.bad.any()


@pytest.mark.parametrize(
    "cell",
    ["2026-01-31T09:30:00", "2026-01-31", "31.01.2026 09:30Z", "2026-13-31T09:30:00Z", "now"],
)
def test_a_time_without_an_offset_is_told_by_row(cell: str) -> None:
    assert instants(_column(["2026-01-31T09:30:00Z", cell])).bad.tolist() == [False, True]


def test_a_stored_time_needs_its_zone() -> None:
    naive = _column([dt.datetime(2026, 1, 31, 9, 30)])
    assert instants(naive).bad.all()
    zoned = naive.cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "Europe/Berlin"))
    found = instants(zoned)
    assert found.cells.dtype == "datetime64[us, UTC]"
    assert not found.bad.any()


def test_every_cell_keeps_its_row_across_chunks() -> None:
    chunks = pa.chunked_array([pa.array(["1", "x"]), pa.array([None, "2"], pa.string())])
    assert np.array_equal(numbers(chunks).bad, [False, True, False, False])
    assert _told(levels(chunks).cells) == ["1", "x", None, "2"]
