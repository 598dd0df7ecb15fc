import numpy as np

from learning.answers import Answers, parted, side_by_side
from schemas.label import MultiTaskLabel, targets
from tests.learning.worlds import world

BOTH = targets(MultiTaskLabel(columns={"a": ("x", "y"), "b": ("p", "q", "r")}))
FIRST, SECOND = world(20, 2, 0).truth, world(20, 3, 1).truth


def test_parts_come_back_as_they_went_side_by_side() -> None:
    joined = side_by_side((FIRST, SECOND))
    assert joined.shape == (20, 5)
    first, second = parted(joined, BOTH)
    assert np.array_equal(first, FIRST)
    assert np.array_equal(second, SECOND)


def test_one_target_is_a_part_of_its_own() -> None:
    (part,) = parted(side_by_side((SECOND,)), BOTH[1:])
    assert np.array_equal(part, SECOND)


def test_answers_to_some_rows_are_those_rows_of_every_target() -> None:
    decisions = np.stack([FIRST.argmax(1), SECOND.argmax(1)], axis=1)
    rows = np.arange(20) % 3 == 0
    some = Answers((FIRST, SECOND), decisions, latency_ms=1.5).of(rows)
    assert np.array_equal(some.probabilities[1], SECOND[rows])
    assert np.array_equal(some.decisions, decisions[rows])
    assert some.latency_ms == 1.5
