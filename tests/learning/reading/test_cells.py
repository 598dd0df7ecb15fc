import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from learning.reading.cells import booleans, labels, levels, numbers, texts
from schemas.label import Classes, MultiLabel, SingleLabel, Target, targets


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
    assert booleans(nothing).cells.isna().all()


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


def test_every_label_of_many_reads_truths_as_zero_and_one() -> None:
    (target, _) = targets(MultiLabel(columns=("sad", "calm")))
    written = ["0", "1", "1.0", "true", "False", "TRUE ", ""]
    assert _told(labels(_column(written), target).cells) == ["0", "1", "1", "1", "0", "1", None]
    for stored in ([1, 0], [1.0, 0.0], [True, False], [1.0, -0.0]):
        assert _told(labels(_column(stored), target).cells) == ["1", "0"]


def test_a_label_of_hundreds_of_digits_is_no_class() -> None:
    digits = "9" * 400
    found = labels(_column([digits, "1"]), _target((0, 1)))
    assert _told(found.cells)[1] == "1"
    assert _told(found.cells)[0] not in ("0", "1")


@pytest.mark.parametrize("cell", ["true", "TRUE", " True ", "1", "1.0", "yes", "Yes", True, 1, 1.0])
def test_what_is_true_becomes_one(cell: object) -> None:
    found = booleans(_column([cell]))
    assert found.cells.tolist() == [1.0]
    assert found.cells.dtype == np.float64


@pytest.mark.parametrize("cell", ["false", "FALSE", "0", "0.0", "no", " No", False, 0, -0.0])
def test_what_is_false_becomes_zero(cell: object) -> None:
    assert booleans(_column([cell])).cells.tolist() == [0.0]


@pytest.mark.parametrize("cell", ["maybe", "2", "y", "t", "-1", 2, 0.5, -1, float("inf")])
def test_what_is_neither_is_told_by_row(cell: object) -> None:
    found = booleans(_column([cell, None]))
    assert found.bad.tolist() == [True, False]
    assert found.cells.isna().all()
    assert not found.got


def test_a_missing_truth_is_missing() -> None:
    for nothing in ([None, "", "NA", "nan", "true"], [None, float("nan"), 1.0], [None, True]):
        found = booleans(_column(nothing))
        assert not found.bad.any()
        assert found.cells.isna().tolist() == [*[True] * (len(nothing) - 1), False]


def test_a_column_of_times_or_lists_is_no_truth() -> None:
    assert booleans(_column([dt.datetime(2026, 1, 1)])).got == "timestamp[us]"
    assert booleans(_column([[1], [0]])).got == "list<int64>"


def test_every_cell_keeps_its_row_across_chunks() -> None:
    chunks = pa.chunked_array([pa.array(["1", "x"]), pa.array([None, "2"], pa.string())])
    assert np.array_equal(numbers(chunks).bad, [False, True, False, False])
    assert _told(levels(chunks).cells) == ["1", "x", None, "2"]
