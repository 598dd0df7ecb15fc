import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from learning.answers import Answers
from learning.bootstrap import Bootstrap, macro_f1_interval, own, paired, score_interval
from learning.objectives import MeanF, aims, overall
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.objectives import (
    AveragePrecision,
    BalancedAccuracy,
    Cost,
    FBeta,
    MacroF1,
    Objective,
)
from schemas.results import Interval
from tests.learning.worlds import World, world

NOTHING = Interval(value=0.0, low=0.0, high=0.0)


def _single(classes: int) -> tuple[Target, ...]:
    return targets(SingleLabel(column="y", classes=tuple(range(classes))))


def _decided(decisions: np.ndarray, classes: int) -> Answers:
    return Answers((np.eye(classes)[decisions],), decisions[:, None])


def _paired(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, classes: int, resamples: int = 500
) -> Bootstrap:
    """By macro-F1, of one target."""
    sides = (_decided(first, classes), _decided(second, classes))
    asked = _single(classes)
    return paired(labels[:, None], *sides, aims(MacroF1(), asked), asked, resamples, 0.9, 0)


def _interval(
    labels: np.ndarray, decisions: np.ndarray, classes: int, resamples: int, seed: int = 0
) -> Interval:
    asked = _single(classes)
    return macro_f1_interval(labels[:, None], decisions[:, None], asked, resamples, 0.9, seed)


def test_equal_decisions_differ_by_exactly_nothing() -> None:
    case = world(200, 3, 0)
    decisions = case.truth.argmax(1)
    both = _paired(case.labels, decisions, decisions.copy(), 3)
    assert both.score == NOTHING
    assert both.classes[0] == (NOTHING,) * 3


def test_swapping_the_sides_turns_the_sign() -> None:
    case = world(200, 3, 1)
    plain, worse = case.truth.argmax(1), np.roll(case.truth.argmax(1), 7)
    there = _paired(case.labels, plain, worse, 3).score
    back = _paired(case.labels, worse, plain, 3).score
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low)
    )


def test_bounds_are_those_of_drawing_the_rows_themselves() -> None:
    case = world(300, 3, 2)
    labels, first = case.labels, case.truth.argmax(1)
    second = np.where(np.arange(300) % 5 == 0, labels, first)
    rng = np.random.default_rng(9)
    drawn = rng.integers(0, 300, (2000, 300))
    differences = [
        f1_score(labels[rows], second[rows], average="macro")
        - f1_score(labels[rows], first[rows], average="macro")
        for rows in drawn[:800]
    ]
    ours = _paired(labels, first, second, 3, 4000, 0.9, 0).score
    assert (ours.low, ours.high) == pytest.approx(
        tuple(np.quantile(differences, (0.05, 0.95))), abs=0.006
    )


def test_the_interval_holds_the_true_score_as_often_as_it_says() -> None:
    large = world(200_000, 3, 3)
    truth = f1_score(large.labels, large.truth.argmax(1), average="macro")
    held = 0
    for seed in range(200):
        case = world(400, 3, 1000 + seed)
        interval = macro_f1_interval(case.labels, case.truth.argmax(1), 3, 400, 0.9, seed)
        held += interval.low <= truth <= interval.high
    assert 0.83 <= held / 200 <= 0.96


def test_intervals_hold_their_figure_and_are_scikit_learns() -> None:
    case = world(90, 4, 4)
    decisions = case.truth.argmax(1)
    interval = macro_f1_interval(case.labels, decisions, 4, 300, 0.6, 0)
    assert interval.value == pytest.approx(f1_score(case.labels, decisions, average="macro"))
    assert interval.low <= interval.value <= interval.high
    each = class_f1_intervals(case.labels, decisions, 4, 300, 0.6, 0)
    assert [f1.value for f1 in each] == pytest.approx(
        f1_score(case.labels, decisions, average=None, labels=range(4))
    )


def test_a_class_without_rows_and_decisions_changes_nothing() -> None:
    labels = np.array([0, 0, 1, 1] * 20)
    first, second = np.zeros(80, dtype=np.int64), labels
    both = _paired(labels, first, second, 3, 300, 0.95, 0)
    assert both.classes[0][2] == NOTHING
    assert both.score.low > 0


def test_the_same_seed_gives_the_same_bounds() -> None:
    case = world(200, 3, 5)
    once = [macro_f1_interval(case.labels, case.truth.argmax(1), 3, 300, 0.9, 4) for _ in range(2)]
    assert once[0] == once[1]


def test_renaming_classes_draws_the_same_resamples() -> None:
    case = world(200, 4, 6)
    order = np.array([2, 0, 3, 1])
    first, second = case.truth.argmax(1), np.roll(case.truth.argmax(1), 3)
    plain = _paired(case.labels, first, second, 4, 300, 0.9, 0)
    renamed = _paired(order[case.labels], order[first], order[second], 4, 300, 0.9, 0)
    assert renamed.macro.low == pytest.approx(plain.macro.low, abs=1e-12)
    assert tuple(renamed.classes[c] for c in order) == plain.classes


def test_many_rows_and_classes_take_seconds_not_minutes() -> None:
    case = world(10_000, 150, 7, skew=0.02)
    began = time.process_time()
    decisions = case.truth.argmax(1)
    _paired(case.labels, decisions, np.roll(decisions, 1), 150, 1000, 0.95, 0)
    assert time.process_time() - began < 15
