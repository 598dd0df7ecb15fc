from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.reading.marks import cell_hashes, group_keys
from learning.rows.cleaning import CONFLICT, DUPLICATE, NO_TEXT, REPLACED, clean
from learning.rows.stubs import Stubs
from schemas.dataset import Dataset
from schemas.faults import DataRejected
from schemas.manifest import label_columns
from tests.learning.rows import reference


def _dataset(key: str | None = None, **cleaning: str) -> Dataset:
    return Dataset.model_validate(
        {
            "source": "x",
            "columns": {"said": "text", "size": "number"},
            "key": key,
            "cleaning": cleaning,
        }
    )


def _frame(
    said: list[str | None],
    labels: list[Any],
    dataset: Dataset,
    ids: list[str] | None = None,
    sizes: Sequence[float | None] = (),
) -> pd.DataFrame:
    numbers = np.array(sizes or [1.0] * len(said), dtype=np.float64)
    frame = pd.DataFrame({"said": pd.Series(said, dtype="str"), "size": numbers})
    if ids is not None:
        frame["__key"] = ids
    frame["__key"] = group_keys(frame, dataset)
    table = np.array(labels, dtype=np.int16).reshape(len(said), -1)
    for place, column in enumerate(label_columns(table.shape[1])):
        frame[column] = table[:, place]
    frame["__row"] = [f"day.csv#{row}" for row in range(1, len(said) + 1)]
    return frame


@dataclass(frozen=True)
class Left:
    """Of cleaned rows: their numbers, what they weigh, and how many rows each rule dropped."""

    rows: list[int]
    weights: list[float]
    dropped: dict[str, int]


def _clean(frame: pd.DataFrame, dataset: Dataset) -> Left:
    written = [name for name, column in dataset.columns.items() if column.role == "text"]
    blank = [(frame[name].fillna("").str.strip() == "").to_numpy() for name in written]
    labels = frame[[name for name in frame if str(name).startswith("__label")]]
    stubs = Stubs(
        labels=labels.to_numpy(np.int16),
        keys=frame["__key"].to_numpy(np.uint64),
        cells=cell_hashes(frame, dataset),
        blank=np.all(blank, axis=0) if blank else np.zeros(len(frame), dtype=bool),
        numbers=np.arange(1, len(frame) + 1),
        weights=frame["__weight"].to_numpy() if "__weight" in frame else None,
    )
    cleaned = clean(stubs, dataset, lambda place, number: f"day.csv#{number} at {place}")
    left = cleaned.stubs
    places = np.arange(len(frame)) if left.places is None else left.places
    assert np.array_equal(left.keys, stubs.keys[places])
    assert np.array_equal(left.labels, stubs.labels[places])
    weights = [] if left.weights is None else left.weights.tolist()
    return Left((places + 1).tolist(), weights, cleaned.dropped)


def test_rows_of_use_stay_as_they_are() -> None:
    frame = _frame(["a", "b"], [0, 1], _dataset())
    assert _clean(frame, _dataset()) == Left([1, 2], [], {})


def test_missing_and_blank_texts_are_dropped_and_counted() -> None:
    cleaned = _clean(_frame(["a", None, " \t\u00a0", "b"], [0, 0, 0, 1], _dataset()), _dataset())
    assert cleaned.rows == [1, 4]
    assert cleaned.dropped == {NO_TEXT: 2}


def test_a_row_with_one_text_of_two_stays() -> None:
    dataset = Dataset.model_validate({"source": "x", "columns": {"said": "text", "title": "text"}})
    frame = _frame(["a", None], [0, 1], _dataset()).assign(
        title=pd.Series([None, "b"], dtype="str")
    )
    assert len(_clean(frame, dataset).rows) == 2


def test_missing_texts_reject_the_data_where_the_plan_says_so() -> None:
    dataset = _dataset(missing_text="reject")
    with pytest.raises(DataRejected, match=r"got 1 row without one \(day.csv#2 at 1\)"):
        _clean(_frame(["a", None], [0, 1], dataset), dataset)


def test_duplicates_keep_their_first() -> None:
    cleaned = _clean(_frame(["a", "b", "a"], [0, 1, 0], _dataset()), _dataset())
    assert cleaned.rows == [1, 2]
    assert cleaned.dropped == {DUPLICATE: 1}


def test_duplicates_stay_where_the_plan_says_so() -> None:
    dataset = _dataset(duplicates="keep")
    assert len(_clean(_frame(["a", "a"], [0, 0], dataset), dataset).rows) == 2


def test_the_duplicate_that_stays_weighs_as_much_as_all_of_them() -> None:
    frame = _frame(["a", "b", "a", None, None, "c"], [0, 1, 0, 1, 1, 1], _dataset())
    frame = frame.assign(title="same", size=[1.0, 1.0, 1.0, np.nan, np.nan, 1.0])
    frame["__weight"] = [1.0, 2.0, 0.5, 4.0, 8.0, 16.0]
    columns = {"said": "text", "title": "text", "size": "number"}
    dataset = Dataset.model_validate({"source": "x", "columns": columns})
    cleaned = _clean(frame, dataset)
    assert cleaned.rows == [1, 2, 4, 6]
    assert cleaned.weights == [1.5, 2.0, 12.0, 16.0]
    assert frame["__weight"].tolist() == [1.0, 2.0, 0.5, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(
    ("weights", "left", "weight"),
    [
        ([3.0, 1.0, 1.0], [1], [3.0]),
        ([1.0, 1.0, 1.0], [2], [2.0]),
        ([0.3, 0.1, 0.2], [], []),
    ],
    ids=["one-row-outweighs-two", "equal-weights-count-rows", "tie-up-to-rounding"],
)
def test_labels_vote_by_weight_where_rows_have_one(
    weights: list[float], left: list[int], weight: list[float]
) -> None:
    frame = _frame(["a"] * 3, [0, 1, 1], _dataset()).assign(__weight=weights)
    cleaned = _clean(frame, _dataset())
    assert cleaned.rows == left
    assert cleaned.weights == weight


@pytest.mark.parametrize(
    ("rule", "labels", "left", "conflicts"),
    [
        ("majority", [0, 0, 1], [1], 1),
        ("majority", [0, 1, 1], [2], 1),
        ("majority", [0, 1, 2], [], 3),
        ("drop", [0, 0, 1], [], 3),
        ("keep", [0, 0, 1], [1, 3], 0),
    ],
)
def test_labels_of_one_case_vote_by_the_stated_rule(
    rule: str, labels: list[int], left: list[int], conflicts: int
) -> None:
    dataset = _dataset(conflicts=rule)
    cleaned = _clean(_frame(["Same text", "same text", "same  text"], labels, dataset), dataset)
    same = _clean(_frame(["same text"] * 3, labels, dataset), dataset)
    assert same.dropped.get(CONFLICT, 0) == cleaned.dropped.get(CONFLICT, 0) == conflicts
    assert same.rows == left


def test_a_conflict_of_one_case_leaves_others_alone() -> None:
    cleaned = _clean(_frame(["a", "b", "a", "c"], [0, 1, 1, 0], _dataset()), _dataset())
    assert cleaned.rows == [2, 4]


def test_a_later_row_of_the_same_key_replaces_the_earlier() -> None:
    dataset = _dataset(key="id")
    frame = _frame(["a", "b", "c"], [0, 1, 1], dataset, ids=["1", "2", "1"])
    cleaned = _clean(frame, dataset)
    assert cleaned.rows == [2, 3]
    assert cleaned.dropped == {REPLACED: 1}


def test_two_keys_with_the_same_text_are_no_conflict() -> None:
    dataset = _dataset(key="id")
    frame = _frame(["a", "a"], [0, 1], dataset, ids=["1", "2"])
    assert _clean(frame, dataset).dropped == {}


@pytest.mark.parametrize(
    ("labels", "left", "conflicts"),
    [
        ([(0, 1), (0, 1), (0, 2)], [1], 1),
        ([(0, 1), (0, 2), (1, 1)], [], 3),
        ([(0, 1), (1, 0), (1, 0)], [2], 1),
        ([(0, 1), (0, 1), (0, 1)], [1], 0),
    ],
    ids=["one of two labels", "no two alike", "both labels", "none"],
)
def test_rows_vote_for_all_of_their_labels_together(
    labels: list[tuple[int, int]], left: list[int], conflicts: int
) -> None:
    cleaned = _clean(_frame(["same"] * 3, labels, _dataset()), _dataset())
    assert cleaned.dropped.get(CONFLICT, 0) == conflicts
    assert cleaned.rows == left


def test_rows_that_differ_in_any_label_are_no_duplicates() -> None:
    dataset = _dataset(conflicts="keep")
    cleaned = _clean(_frame(["a", "a", "a"], [(0, 1), (0, 2), (0, 1)], dataset), dataset)
    assert cleaned.rows == [1, 2]
    assert cleaned.dropped == {DUPLICATE: 1}


def test_equal_embeddings_are_found_by_their_numbers() -> None:
    dataset = Dataset.model_validate(
        {
            "source": "x",
            "columns": {"meaning": {"role": "embedding", "dimension": 2}},
            "cleaning": {"duplicates": "drop"},
        }
    )
    vectors = [[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    frame = pd.DataFrame(
        {
            "meaning": [np.array(vector, dtype=np.float32) for vector in vectors],
            "__label0": np.array([0, 0, 0, 1], dtype=np.int16),
            "__key": np.arange(4, dtype=np.uint64),
            "__row": [f"day.csv#{row}" for row in range(1, 5)],
        }
    )
    assert _clean(frame, dataset).rows == [1, 3, 4]


CLEANINGS = st.fixed_dictionaries(
    {},
    optional={
        "conflicts": st.sampled_from(["majority", "drop", "keep"]),
        "duplicates": st.sampled_from(["drop", "keep"]),
    },
)
SAID = st.sampled_from([None, " ", "a", "A ", "b"])
ROWS = st.lists(
    st.tuples(SAID, st.sampled_from([1.0, -0.0, 0.0, None]), st.integers(0, 2), st.integers(0, 1)),
    min_size=1,
    max_size=25,
)


@given(ROWS, CLEANINGS, st.booleans(), st.booleans(), st.booleans())
def test_rows_are_cleaned_as_by_frames(
    rows: list[tuple[str | None, float | None, int, int]],
    cleaning: dict[str, str],
    keyed: bool,
    weighed: bool,
    with_text: bool,
) -> None:
    columns = {"said": "text", "size": "number"} if with_text else {"size": "number"}
    settings = {"source": "x", "columns": columns, "cleaning": cleaning}
    dataset = Dataset.model_validate(settings | {"key": "id" if keyed else None})
    said, sizes, moods, loud = zip(*rows, strict=True)
    ids = [f"{number}" for number in sizes] if keyed else None
    frame = _frame(list(said), list(zip(moods, loud, strict=True)), dataset, ids, list(sizes))
    if weighed:
        frame["__weight"] = np.array([0.1, 0.2, 0.3, 1.0])[np.arange(len(frame)) % 4]
    expected, left = reference.clean(frame, dataset), _clean(frame, dataset)
    assert left.dropped == expected.dropped
    assert [f"day.csv#{row}" for row in left.rows] == expected.frame["__row"].tolist()
    if weighed:
        assert left.weights == pytest.approx(expected.frame["__weight"].tolist())
