import time
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from learning.answers import Answers
from learning.deciding import bootstrap
from learning.deciding.bootstrap import Bootstrap, macro_f1_interval, own, paired, score_interval
from learning.deciding.objectives import MeanRanking, aims, overall
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
    ours = _paired(labels, first, second, 3, 4000).score
    assert (ours.low, ours.high) == pytest.approx(
        tuple(np.quantile(differences, (0.05, 0.95))), abs=0.006
    )


def test_the_interval_holds_the_true_score_as_often_as_it_says() -> None:
    large = world(200_000, 3, 3)
    truth = f1_score(large.labels, large.truth.argmax(1), average="macro")
    held = 0
    for seed in range(200):
        case = world(400, 3, 1000 + seed)
        interval = _interval(case.labels, case.truth.argmax(1), 3, 400, seed)
        held += interval.low <= truth <= interval.high
    assert 0.83 <= held / 200 <= 0.96


def test_intervals_hold_their_figure_and_are_scikit_learns() -> None:
    case = world(90, 4, 4)
    decisions = case.truth.argmax(1)
    answers = Answers((case.truth,), decisions[:, None])
    found = own(case.labels[:, None], answers, aims(MacroF1(), _single(4)), 300, 0.6, 0)
    assert found.score.value == pytest.approx(f1_score(case.labels, decisions, average="macro"))
    assert found.score.low <= found.score.value <= found.score.high
    assert [f1.value for f1 in found.classes[0]] == pytest.approx(
        f1_score(case.labels, decisions, average=None, labels=range(4))
    )


def test_a_class_without_rows_and_decisions_changes_nothing() -> None:
    labels = np.array([0, 0, 1, 1] * 20)
    first, second = np.zeros(80, dtype=np.int64), labels
    both = _paired(labels, first, second, 3, 300)
    assert both.classes[0][2] == NOTHING
    assert both.score.low > 0


def test_the_same_seed_gives_the_same_bounds() -> None:
    case = world(200, 3, 5)
    once = [_interval(case.labels, case.truth.argmax(1), 3, 300, 4) for _ in range(2)]
    assert once[0] == once[1]


def test_renaming_classes_draws_the_same_resamples() -> None:
    case = world(200, 4, 6)
    order = np.array([2, 0, 3, 1])
    first, second = case.truth.argmax(1), np.roll(case.truth.argmax(1), 3)
    plain = _paired(case.labels, first, second, 4, 300)
    renamed = _paired(order[case.labels], order[first], order[second], 4, 300)
    assert renamed.score.low == pytest.approx(plain.score.low, abs=1e-12)
    assert tuple(renamed.classes[0][c] for c in order) == plain.classes[0]


THREE = targets(MultiTaskLabel(columns={"a": (0, 1, 2), "b": (0, 1), "c": (0, 1)}))
MANY = targets(MultiLabel(columns=("a", "b", "c")))
COST = Cost(costs={"2": {"0": 5.0}})
RANKING = AveragePrecision()


def _beside(cases: Sequence[World], noise: float, seed: int) -> tuple[np.ndarray, Answers, Answers]:
    """Labels, and the answers of a model that is disturbed and of one that is not."""
    rng = np.random.default_rng(seed)

    def answers(parts: tuple[np.ndarray, ...]) -> Answers:
        return Answers(parts, np.stack([part.argmax(1) for part in parts], axis=1))

    truth = tuple(case.truth for case in cases)
    disturbed = tuple(
        (1 - noise) * part + noise * rng.dirichlet(np.ones(part.shape[1]), len(part))
        for part in truth
    )
    return np.stack([case.labels for case in cases], axis=1), answers(disturbed), answers(truth)


@pytest.mark.parametrize(
    ("objective", "asked"),
    [
        pytest.param(MacroF1(), THREE, id="macro-F1 of three tasks"),
        pytest.param(MacroF1(), MANY, id="macro-F1 of three labels"),
        pytest.param(BalancedAccuracy(), THREE, id="balanced accuracy of three tasks"),
        pytest.param(RANKING, THREE, id="PR-AUC of three tasks"),
        pytest.param(RANKING, MANY, id="PR-AUC of three labels"),
        pytest.param(FBeta(of=2, beta=2), THREE[:1], id="F2"),
        pytest.param(COST, THREE[:1], id="cost"),
        pytest.param(AveragePrecision(of=2), THREE[:1], id="PR-AUC of a class"),
    ],
)
def test_every_objective_has_the_bounds_of_drawing_the_rows(
    objective: Objective, asked: tuple[Target, ...]
) -> None:
    cases = [world(240, target.classes, seed) for seed, target in enumerate(asked)]
    labels, first, second = _beside(cases, 0.4, seed=3)
    goals = aims(objective, asked)
    rng = np.random.default_rng(9)
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, 240, 240)
        before, after = (
            Answers(tuple(part[rows] for part in each.probabilities), each.decisions[rows])
            for each in (first, second)
        )
        drawn.append(overall(goals, labels[rows], after) - overall(goals, labels[rows], before))
    ours = paired(labels, first, second, goals, asked, 2000, 0.9, 0)
    value = overall(goals, labels, second) - overall(goals, labels, first)
    assert ours.score.value == pytest.approx(value, abs=1e-12)
    spread = float(np.std(drawn))
    low, high = np.quantile(drawn, (0.05, 0.95))
    assert (ours.score.low, ours.score.high) == pytest.approx((low, high), abs=0.35 * spread)
    assert ours.score.value == pytest.approx(np.mean([t.value for t in ours.targets]))
    one = score_interval(labels, second, goals, 300, 0.9, 0)
    assert one.value == pytest.approx(overall(goals, labels, second), abs=1e-12)


def test_rows_are_drawn_whole_so_targets_that_err_together_stay_as_uncertain_as_one() -> None:
    two = targets(MultiTaskLabel(columns={"a": (0, 1), "b": (0, 1)}))
    goals = aims(MacroF1(), two)

    def width(cases: list[World]) -> float:
        labels, _, answers = _beside(cases, 0.0, seed=0)
        found = score_interval(labels, answers, goals[: len(cases)], 2000, 0.9, 0)
        return found.high - found.low

    case, apart = world(400, 2, 1), world(400, 2, 2)
    assert width([case, case]) == width([case])
    assert width([case, apart]) < 0.85 * max(width([case]), width([apart]))


def test_more_labels_than_fit_in_one_number_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    labels, decisions = rng.integers(0, 2, (2, 150, 70))
    many = targets(MultiLabel(columns=tuple(f"label {i}" for i in range(70))))
    found = macro_f1_interval(labels, decisions, many, 200, 0.9, 0)
    expected = f1_score(labels, decisions, average="macro")
    assert found.value == pytest.approx(expected)


def test_equal_probabilities_tie_in_a_ranking() -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 0] * 10)
    scores = np.array([0.9, 0.9, 0.5, 0.5, 0.5, 0.2, 0.2, 0.1] * 10)
    answers = Answers((np.stack([1 - scores, scores], 1),), np.zeros((80, 1), dtype=np.int64))
    found = score_interval(labels[:, None], answers, (MeanRanking((1,)),), 200, 0.9, 0)
    assert found.value == pytest.approx(average_precision_score(labels, scores))


def test_a_ranking_of_very_many_rows_is_resampled_less_often_but_no_less_than_fifty_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels, first, second = _beside([world(300, 2, 2)], 0.4, seed=3)
    goals, asked = (MeanRanking((1,)),), THREE[1:2]

    def found(resamples: int) -> Bootstrap:
        return paired(labels, first, second, goals, asked, resamples, 0.9, 0)

    few, plenty = found(50), found(5000)
    monkeypatch.setattr(bootstrap, "RANKED_AT_MOST", 10_000)
    assert found(5000) == few != plenty


def test_bounds_of_few_resamples_are_nearly_those_of_many() -> None:
    labels, first, second = _beside([world(2000, 2, 2)], 0.4, seed=3)

    def width(resamples: int, seed: int) -> float:
        found = paired(
            *(labels, first, second, (MeanRanking((1,)),), THREE[1:2], resamples, 0.95, seed)
        ).score
        return found.high - found.low

    many = width(3000, 0)
    few = [width(50, seed) for seed in range(40)]
    assert np.mean(few) == pytest.approx(many, rel=0.05)
    assert np.std(few) < 0.15 * many


def test_rankings_of_very_many_classes_are_bounded_in_time_and_memory() -> None:
    labels, first, second = _beside([world(20_000, 400, 2, skew=0.005)], 0.1, seed=3)
    (asked,) = targets(SingleLabel(column="a", classes=tuple(range(400))))
    goals = aims(RANKING, (asked,))
    tracemalloc.start()
    began = time.process_time()
    paired(labels, first, second, goals, (asked,), 2000, 0.95, 0)
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 10
    assert peak < 100e6


@pytest.mark.parametrize(
    ("rows", "asked", "objective", "most_s"),
    [
        pytest.param(60_000, 1, MacroF1(), 2, id="one label, many rows"),
        pytest.param(5000, 6, MacroF1(), 6, id="six labels"),
        pytest.param(10_000, 1, RANKING, 10, id="ranking"),
    ],
)
def test_two_thousand_resamples_take_seconds(
    rows: int, asked: int, objective: Objective, most_s: float
) -> None:
    many = targets(MultiLabel(columns=tuple(f"label {i}" for i in range(max(asked, 2)))))[:asked]
    cases = [world(rows, 2, seed) for seed in range(asked)]
    labels, first, second = _beside(cases, 0.3, seed=1)
    began = time.process_time()
    paired(labels, first, second, aims(objective, many), many, 2000, 0.95, 0)
    assert time.process_time() - began < most_s


def test_many_rows_and_classes_take_seconds_not_minutes() -> None:
    case = world(10_000, 150, 7, skew=0.02)
    began = time.process_time()
    decisions = case.truth.argmax(1)
    _paired(case.labels, decisions, np.roll(decisions, 1), 150, 1000)
    assert time.process_time() - began < 15
