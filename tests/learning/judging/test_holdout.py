"""Who may judge, and what a model of other classes or targets is heard on."""

import numpy as np
import pandas as pd
import pytest

from learning.judging.holdout import Holdout, answer, differences, most_common_class, untouched
from schemas.faults import NightFailed
from schemas.label import ClassValue, MultiLabel, MultiTaskLabel, SingleLabel, targets
from tests.tasks.kept import COLUMNS, fitted

SINGLE = targets(SingleLabel(column="label", classes=(0, 1, 2)))


def _holdout(keys: list[int]) -> Holdout:
    n = len(keys)
    frame = pd.DataFrame(
        {
            "said": ["good"] * n,
            "amount": np.full(n, 2.0),
            "__row": [f"o#{i}" for i in range(n)],
        }
    )
    return Holdout(frame, (np.arange(n) % 2)[:, None], np.array(keys, dtype=np.uint64))


def test_a_row_whose_group_a_model_was_trained_on_never_judges_it() -> None:
    champion, challenger = np.array([1, 5], dtype=np.uint64), np.array([4], dtype=np.uint64)
    kept = untouched(_holdout([5, 6, 4, 7, 5]), [champion, challenger])
    assert kept.keys.tolist() == [6, 7]
    assert kept.frame["__row"].tolist() == ["o#1", "o#3"]
    assert kept.labels.tolist() == [[1], [1]]


def test_rows_that_nobody_saw_are_all_kept() -> None:
    holdout = _holdout([1, 2, 3])
    assert untouched(holdout, [np.array([9], dtype=np.uint64)]) is holdout


def test_the_floor_answers_the_largest_class_with_the_shares() -> None:
    floor = most_common_class(_holdout([1, 2, 3]), SINGLE)
    assert floor.decisions.tolist() == [[0], [0], [0]]
    np.testing.assert_allclose(floor.probabilities[0][0], [2 / 3, 1 / 3, 0])


def test_a_single_label_is_the_same_whatever_its_column_is_called() -> None:
    renamed = targets(SingleLabel(column="other", classes=(-1, 0, 1)))
    own = answer(fitted(), _holdout([1, 2]), fitted().targets)
    assert np.array_equal(answer(fitted(), _holdout([1, 2]), renamed).decisions, own.decisions)
    assert differences(fitted(), COLUMNS, renamed) == []


def test_a_model_of_other_classes_is_heard_on_those_it_shares() -> None:
    grown = targets(SingleLabel(column="label", classes=(1, 2, -1)))
    found = answer(fitted(), _holdout([1, 2]), grown)
    assert not found.probabilities[0][:, 1].any()
    np.testing.assert_allclose(found.probabilities[0].sum(axis=1), 1)
    assert found.decisions.tolist() == [[0], [0]]  # "good" is class 1, which stands first now
    assert differences(fitted(), COLUMNS, grown) == ["knows the classes -1, 0, 1"]


def test_of_a_target_that_it_does_not_know_a_model_says_that_all_is_as_likely() -> None:
    classes: tuple[ClassValue, ...] = (-1, 0, 1)
    known = targets(MultiTaskLabel(columns={"a": classes, "b": classes}))
    asked = targets(MultiTaskLabel(columns={"a": classes, "new": ("x", "y")}))
    found = answer(fitted(asked=known), _holdout([1, 2]), asked)
    assert found.probabilities[1].tolist() == [[0.5, 0.5]] * 2
    assert found.decisions[:, 1].tolist() == [0, 0]
    assert differences(fitted(asked=known), COLUMNS, asked) == [
        "knows the classes a: -1, 0, 1; b: -1, 0, 1"
    ]


def test_a_model_that_shares_nothing_is_told() -> None:
    asked = targets(MultiLabel(columns=("sad", "calm")))
    with pytest.raises(NightFailed, match="Expected a champion of some of the classes sad: 0, 1"):
        answer(fitted(), _holdout([1, 2]), asked)
