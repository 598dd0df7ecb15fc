import numpy as np
import pandas as pd

from learning.holdout import Holdout, most_common_class, untouched


def _holdout(keys: list[int]) -> Holdout:
    n = len(keys)
    frame = pd.DataFrame({"x": np.arange(n, dtype=float), "__row": [f"o#{i}" for i in range(n)]})
    return Holdout(frame, np.arange(n) % 2, np.array(keys, dtype=np.uint64))


def test_a_row_whose_group_a_model_was_trained_on_never_judges_it():
    champion, challenger = np.array([1, 5], dtype=np.uint64), np.array([4], dtype=np.uint64)
    kept = untouched(_holdout([5, 6, 4, 7, 5]), [champion, challenger])
    assert kept.keys.tolist() == [6, 7]
    assert kept.frame["__row"].tolist() == ["o#1", "o#3"]
    assert kept.labels.tolist() == [1, 1]


def test_rows_that_nobody_saw_are_all_kept():
    holdout = _holdout([1, 2, 3])
    assert untouched(holdout, [np.array([9], dtype=np.uint64)]) is holdout


def test_the_floor_answers_the_largest_class_with_the_shares():
    floor = most_common_class(_holdout([1, 2, 3]), classes=3)
    assert floor.decisions.tolist() == [0, 0, 0]
    np.testing.assert_allclose(floor.probabilities[0], [2 / 3, 1 / 3, 0])
