from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from learning.profiling.guesses import Guesses, guess
from learning.reading.contents import Contents
from schemas.dataset import NumberColumn, TextColumn
from schemas.faults import DataRejected, PlanError

N = range(200)
RANDOM = np.random.default_rng(0)
SIZE = RANDOM.random(200).tolist()
LABEL = np.array(["a", "b"])[RANDOM.integers(0, 2, 200)].tolist()


def guesses(**columns: Any) -> Guesses:
    return guess(Contents(pa.table(columns | {"y": LABEL})), ["y"])


def test_an_id_is_the_key_and_another_is_left_out() -> None:
    found = guesses(size=SIZE, serial=[f"s{n}" for n in N], case_id=[n + 1 for n in N])
    assert found.key is not None
    assert found.key.name == "case_id"
    assert "names a case beside 'case_id'" in found.left_out["serial"]


def test_ids_above_what_a_float_holds_are_a_key_as_text_and_none_as_floats() -> None:
    ids = [2**60 + 1000 * n for n in N]
    as_text = guesses(size=SIZE, id=[str(each) for each in ids]).key
    assert as_text is not None
    assert as_text.name == "id"
    rounded = guesses(size=SIZE, id=[float(each) for each in ids])
    assert rounded.key is None
    assert "id" in rounded.left_out


def test_counters_of_rows_and_ids_that_repeat_are_left_out() -> None:
    found = guesses(
        size=SIZE, n=list(N), index=[2 * n for n in N], user_id=[f"u{n // 2}" for n in N]
    )
    assert found.key is None
    assert found.left_out["n"] == found.left_out["index"] == "counts the rows"
    assert "it tells who, not what" in found.left_out["user_id"]


def test_a_measure_that_differs_in_every_row_is_no_id() -> None:
    found = guesses(size=SIZE, income=RANDOM.permutation(10**6)[:200])
    assert [each.column for each in found.features] == [NumberColumn(), NumberColumn()]
    assert found.key is None


def test_the_first_complete_time_is_that_of_the_row() -> None:
    days = [f"2026-01-{1 + n % 28:02}T00:00:00Z" for n in N]
    found = guesses(size=SIZE, birth_date=days, closed_at=["", *days[1:]], created_at=days)
    assert found.time is not None
    assert found.time.name == "created_at"
    assert {each.name for each in found.features} == {"size", "birth_date", "closed_at"}


def test_weights_are_known_by_name() -> None:
    found = guesses(size=SIZE, sample_weight=[1.5] * 100 + [2.0] * 100)
    assert found.weight is not None
    assert found.weight.name == "sample_weight"


def test_names_are_read_by_their_characters_where_there_is_nothing_else() -> None:
    [feature] = guesses(name=[f"{'xyz'[n % 3]}{n}" for n in N]).features
    assert feature.column == TextColumn()
    assert feature.unspaced


def test_an_id_that_is_read_for_want_of_features_is_asked_about() -> None:
    commas = [f"{row % 97},{row % 10}" for row in range(200)]
    found = guesses(case=[f"c{row:04}" for row in range(200)], size=commas, y=[0, 0, 0, 1] * 50)
    (case,) = found.features
    assert case.name == "case"
    assert case.asks == ("a feature only since 'size' can't be: see what is left out",)


def test_rows_that_will_be_set_aside_are_counted_once() -> None:
    labels = ["" if n < 4 else LABEL[n] for n in N]
    sizes = ["?" if n in (3, 4) else str(SIZE[n]) for n in N]
    table = pa.table({"size": sizes, "y": labels})
    found = guess(Contents(table, unread={"no JSON object": {199: ""}}), ["y"])
    assert found.aside_rows == 6
    assert list(found.set_aside.values()) == [1, 4, 2]
    assert list(found.set_aside)[1:] == ["without a class in 'y'", "without a number in 'size'"]


def test_a_column_that_is_left_out_for_how_it_is_written_is_no_key() -> None:
    found = guesses(size=[f"{n + 1},{n:03}.5" for n in N], other=SIZE)
    assert found.key is None
    assert "separators between thousands" in found.left_out["size"]


def test_few_rows_are_told_by_their_number() -> None:
    table = pa.table({"size": SIZE[:12], "y": ["a", "b"] * 6})
    with pytest.raises(DataRejected, match="at least 20 labelled rows, got 12: a part of them"):
        guess(Contents(table), ["y"])


def test_columns_with_names_of_ours_are_left_out() -> None:
    assert guesses(size=SIZE, __id=[f"s{n}" for n in N]).key is None
    assert "rename it" in guesses(size=SIZE, __label=SIZE).left_out["__label"]


def test_an_unknown_label_is_answered_with_a_near_name() -> None:
    with pytest.raises(PlanError, match=r"got 'Y'\. Did you mean 'y'"):
        guess(Contents(pa.table({"size": SIZE, "y": LABEL})), ["Y"])
    with pytest.raises(
        PlanError, match=r"one of the 2 columns .*, got 'other'\..*put a header"
    ) as told:
        guess(Contents(pa.table({"size": SIZE, "y": LABEL})), ["other"])
    assert "size" not in str(told.value)


def test_a_label_alone_is_no_data() -> None:
    with pytest.raises(DataRejected, match="there is no other column"):
        guesses()


def test_rows_that_nothing_tells_apart_need_a_key() -> None:
    with pytest.raises(DataRejected, match="at least 20 different cases, got fewer"):
        guesses(level=["x", "y"] * 100, flag=[True, False, False, True] * 50)
    found = guesses(level=["x", "y"] * 100, row=list(N))
    assert found.key is not None
    assert found.key.name == "row"
    assert "later files replace" in found.key.asks[0]
