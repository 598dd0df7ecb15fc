import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.deciding.metrics import class_fs, confusion
from learning.deciding.objectives import Aim, MeanCost, MeanF, MeanRanking, MeanRecall, value
from learning.deciding.offsets import (
    KERNEL,
    MANY,
    WIDER,
    accepted_offsets,
    blurred,
    cross_fitted,
    decide,
    fit_offsets,
)
from tests.learning.worlds import World, world

SEEDS = st.integers(0, 10_000)


def _macro(classes: int) -> MeanF:
    return MeanF(tuple(range(classes)))


def _fitted(case: World) -> np.ndarray:
    return fit_offsets(case.truth, case.labels, _macro(case.truth.shape[1]))


def _score(case: World, offsets: np.ndarray, aim: Aim | None = None) -> float:
    aim = aim or _macro(case.truth.shape[1])
    return value(aim, case.labels, decide(case.truth, offsets), case.truth)


def _blurred(case: World, offset: float, aim: Aim | None = None) -> float:
    """Mean score of two classes over normal moves of the second's offset."""
    moves = np.arange(-36, 37) * 0.05
    weights = np.exp(-((moves / 0.6) ** 2) / 2)
    scores = [_score(case, np.array([0.0, offset + move]), aim) for move in moves]
    return float(np.average(scores, weights=weights))


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(5, 60), st.floats(-1, 3))
def test_two_classes_get_the_best_blurred_threshold(seed: int, rows: int, skew: float) -> None:
    case = world(rows, 2, seed, skew=skew)
    offsets = _fitted(case)
    if len(np.unique(case.labels)) == 2 and offsets.any():
        best = max(_blurred(case, offset) for offset in np.arange(-20, 21) * 0.25)
        assert _blurred(case, offsets[1] - offsets[0]) >= best - 1e-4


def test_three_classes_get_what_a_grid_finds() -> None:
    case = world(3000, 3, 5, spread=1.0, skew=1.5)
    grid = np.linspace(-1, 4, 21)
    best = max(_score(case, np.array([0.0, a, b])) for a, b in itertools.product(grid, grid))
    assert _score(case, _fitted(case)) >= best - 0.01


def _exact_threshold(case: World) -> np.ndarray:
    odds = np.sort(np.log(case.truth[:, 1] / case.truth[:, 0]))
    cuts = (odds[1:] + odds[:-1]) / 2
    return np.array([0.0, -max(cuts, key=lambda cut: _score(case, np.array([0.0, -cut])))])


def test_the_luck_of_few_rows_is_not_chased() -> None:
    fresh = world(20_000, 2, 99, spread=1.0, skew=2.0)
    few = [world(150, 2, seed, spread=1.0, skew=2.0) for seed in range(25)]
    exact = [_score(fresh, _exact_threshold(case)) for case in few]
    ours = [_score(fresh, _fitted(case)) for case in few]
    assert np.mean(ours) > np.mean(exact) + 0.002


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(1, 200), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_curve_of_a_class_is_the_blurred_sum_of_all(
    seed: int, classes: int, rows: int, beta: float
) -> None:
    case, aim = world(rows, classes, seed), MeanF(tuple(range(classes)), beta)
    sums = []
    for offset in WIDER:
        decided = confusion(case.labels, decide(case.truth, np.eye(classes)[1] * offset), classes)
        figures = (np.diagonal(decided), decided.sum(0), decided.sum(1))
        sums.append(np.nansum(class_fs(*figures, beta)))
    expected = np.convolve(sums, KERNEL, mode="valid")
    found = blurred(case.truth, case.labels, 1, aim)
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(1, 100))
def test_offsets_never_lose_on_their_own_rows(seed: int, classes: int, rows: int) -> None:
    case = world(rows, classes, seed)
    offsets = _fitted(case)
    assert _score(case, offsets) >= _score(case, np.zeros(classes))
    assert np.abs(offsets).max() <= 6
    assert np.isfinite(offsets).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(2, 6))
def test_renaming_classes_renames_the_offsets(seed: int, classes: int) -> None:
    case = world(150, classes, seed)
    order = np.random.default_rng(seed).permutation(classes)
    renamed, labels = case.truth[:, order], np.argsort(order)[case.labels]
    plain = _fitted(case)
    assert np.array_equal(fit_offsets(renamed, labels, _macro(classes)), plain[order])
    assert np.array_equal(order[decide(renamed, plain[order])], decide(case.truth, plain))


def test_row_order_changes_no_offset() -> None:
    case = world(300, 3, 4)
    order = np.random.default_rng(0).permutation(300)
    again = fit_offsets(case.truth[order], case.labels[order], _macro(3))
    assert np.allclose(again, _fitted(case))


def test_a_model_that_is_always_right_needs_no_offsets() -> None:
    labels = np.array([0, 1, 2, 0, 1])
    sure = np.eye(3)[labels] * 0.9 + 0.1 / 3
    assert not fit_offsets(sure, labels, _macro(3)).any()


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        pytest.param(np.full((6, 3), 1 / 3), [0, 1, 2, 0, 1, 2], id="knows nothing"),
        pytest.param(np.eye(3)[[0, 1, 2, 2]], [0, 1, 1, 2], id="zeros and ones"),
        pytest.param(np.full((3, 2), 0.5), [1, 1, 1], id="one class only"),
        pytest.param(np.array([[0.6, 0.4]]), [1], id="one row"),
        pytest.param(np.empty((0, 4)), [], id="no row"),
    ],
)
def test_odd_rows_give_finite_offsets(probabilities: np.ndarray, labels: list[int]) -> None:
    classes = probabilities.shape[1]
    offsets = fit_offsets(probabilities, np.array(labels, dtype=np.int16), _macro(classes))
    assert offsets.shape == (probabilities.shape[1],)
    assert np.isfinite(offsets).all()


def test_a_class_without_rows_keeps_its_offset() -> None:
    case = world(200, 4, 6)
    seen = case.labels != 3
    assert fit_offsets(case.truth[seen], case.labels[seen], _macro(4))[3] == 0


def test_more_classes_than_climb_twice_gain_on_rows_not_seen() -> None:
    fitted, fresh = (world(10_000, MANY + 1, seed, spread=3.0, skew=0.1) for seed in (7, 8))
    weight = fitted.truth.mean(0) ** -0.7  # as class weights leave probabilities
    aim = _macro(MANY + 1)
    bent, there = (
        each * weight / (each * weight).sum(1, keepdims=True)
        for each in (fitted.truth, fresh.truth)
    )
    offsets = fit_offsets(bent, fitted.labels, aim)
    gained = value(aim, fresh.labels, decide(there, offsets), there)
    assert gained > value(aim, fresh.labels, there.argmax(1), there) + 0.005


def test_rare_classes_gain_on_rows_not_seen() -> None:
    fitted, fresh = (world(4000, 3, seed, spread=1.0, skew=1.5) for seed in (7, 8))
    offsets = _fitted(fitted)
    assert _score(fresh, offsets) > _score(fresh, np.zeros(3)) + 0.02


def _cost(costs: list[list[float]]) -> MeanCost:
    return MeanCost(tuple(tuple(row) for row in costs))


@pytest.mark.parametrize("dear", [0.2, 1.0, 5.0, 20.0])
def test_offsets_for_costs_of_two_classes_are_those_of_bayes(dear: float) -> None:
    case, fresh = world(20_000, 2, 1), world(20_000, 2, 2)
    aim = _cost([[0, 1], [dear, 0]])
    offsets = fit_offsets(case.truth, case.labels, aim)
    # p1 * dear > p0
    assert offsets[1] - offsets[0] == pytest.approx(np.log(dear), abs=0.3)
    bayes = (fresh.truth @ np.array(aim.costs)).argmin(1)
    ours = decide(fresh.truth, offsets)
    least, paid = (value(aim, fresh.labels, d, fresh.truth) for d in (bayes, ours))
    assert paid >= least * 1.02


def test_offsets_for_costs_of_the_true_class_are_their_logarithms() -> None:
    case, fresh = world(20_000, 3, 3), world(20_000, 3, 4)
    aim = _cost([[0, 1, 1], [3, 0, 3], [8, 8, 0]])
    offsets = fit_offsets(case.truth, case.labels, aim)
    assert offsets - offsets[0] == pytest.approx(np.log([1, 3, 8]), abs=0.4)
    bayes = (fresh.truth @ np.array(aim.costs)).argmin(1)
    least, paid = (
        value(aim, fresh.labels, d, fresh.truth) for d in (bayes, decide(fresh.truth, offsets))
    )
    assert paid >= least * 1.02


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_of_costs_changes_no_offset(unit: float) -> None:
    case = world(500, 3, 5)
    costs = np.array([[0, 1, 4], [2, 0, 1], [9, 3, 0.5]])
    plain = fit_offsets(case.truth, case.labels, _cost(costs.tolist()))
    assert plain.any()
    assert np.array_equal(
        fit_offsets(case.truth, case.labels, _cost((costs * unit).tolist())), plain
    )


def test_costs_of_nothing_move_nothing() -> None:
    case = world(100, 2, 5)
    assert not fit_offsets(case.truth, case.labels, _cost([[0, 0], [0, 0]])).any()


def test_offsets_for_balanced_accuracy_undo_the_prior() -> None:
    case, fresh = world(20_000, 3, 6), world(20_000, 3, 7)
    offsets = fit_offsets(case.truth, case.labels, MeanRecall())
    prior = case.truth.mean(0)
    assert offsets - offsets[0] == pytest.approx(np.log(prior[0] / prior), abs=0.3)
    bayes = (fresh.truth / prior).argmax(1)
    most, ours = (
        value(MeanRecall(), fresh.labels, d, fresh.truth)
        for d in (bayes, decide(fresh.truth, offsets))
    )
    assert ours > most - 0.005


def test_a_larger_beta_finds_a_lower_threshold() -> None:
    case = world(5000, 2, 8)
    found = [
        fit_offsets(case.truth, case.labels, MeanF((1,), beta)) for beta in (0.5, 1.0, 2.0, 4.0)
    ]
    assert all(offsets[0] == 0 for offsets in found)
    assert list(np.diff([offsets[1] for offsets in found]) > 0.2) == [True] * 3


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(30, 400), st.floats(-1, 3), st.sampled_from([0.5, 1.0, 2.0]))
def test_one_label_of_many_gets_the_best_blurred_threshold(
    seed: int, rows: int, skew: float, beta: float
) -> None:
    case, aim = world(rows, 2, seed, skew=skew), MeanF((1,), beta)
    offsets = fit_offsets(case.truth, case.labels, aim)
    assert offsets[0] == 0
    if offsets.any():
        grid = np.arange(-100, 101) * 0.05
        best = max(_blurred(case, offset, aim) for offset in grid)
        assert _blurred(case, offsets[1], aim) >= best - 1e-4


def test_the_threshold_of_many_rows_is_nearly_the_exact_best() -> None:
    case, aim = world(20_000, 2, 9, skew=2.0), MeanF((1,))
    offsets = fit_offsets(case.truth, case.labels, aim)
    best = max(_score(case, np.array([0.0, move]), aim) for move in np.arange(-120, 121) * 0.05)
    assert _score(case, offsets, aim) >= best - 0.005


def test_a_ranking_climbs_macro_f1() -> None:
    case = world(3000, 3, 11, skew=2.0)
    ranking, parts = MeanRanking((0, 1, 2), of=1), np.arange(3000) % 3
    found = fit_offsets(case.truth, case.labels, ranking)
    assert np.array_equal(found, _fitted(case))
    accepted = accepted_offsets(case.truth, case.labels, parts, ranking, seed=0)
    assert np.array_equal(accepted, found)
    assert accepted.any()


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 5))
def test_renaming_classes_renames_the_offsets_of_every_aim(seed: int, classes: int) -> None:
    case = world(150, classes, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(classes)
    renamed, labels = case.truth[:, order], np.argsort(order)[case.labels]
    costs = rng.integers(1, 9, (classes, classes)).astype(float)
    pairs: list[tuple[Aim, Aim]] = [
        (MeanRecall(), MeanRecall()),
        (MeanF((1,), 2.0), MeanF((int(np.argsort(order)[1]),), 2.0)),
        (_cost(costs.tolist()), _cost(costs[order][:, order].tolist())),
    ]
    for plain, moved in pairs:
        before = fit_offsets(case.truth, case.labels, plain)
        assert np.array_equal(fit_offsets(renamed, labels, moved), before[order])


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 5), st.integers(1, 100))
def test_offsets_of_no_aim_lose_on_their_own_rows(seed: int, classes: int, rows: int) -> None:
    case = world(rows, classes, seed)
    costs = np.random.default_rng(seed).integers(0, 9, (classes, classes)).astype(float)
    for aim in (MeanRecall(), MeanF((0,), 3.0), _cost(costs.tolist())):
        offsets = fit_offsets(case.truth, case.labels, aim)
        assert _score(case, offsets, aim) >= _score(case, np.zeros(classes), aim)


def test_a_fold_is_decided_without_its_own_labels() -> None:
    case = world(300, 3, 9)
    folds = np.arange(300, dtype=np.int8) % 3
    before = cross_fitted(case.truth, case.labels, folds, _macro(3))
    others = case.labels.copy()
    others[folds == 1] = 0
    after = cross_fitted(case.truth, others, folds, _macro(3))
    assert np.array_equal(before[folds == 1], after[folds == 1])


def test_one_fold_alone_is_decided_by_its_other_half() -> None:
    case = world(300, 3, 10)
    decisions = cross_fitted(case.truth, case.labels, np.zeros(300, dtype=np.int8), _macro(3))
    odd = np.arange(300) % 2 == 1
    offsets = fit_offsets(case.truth[~odd], case.labels[~odd], _macro(3))
    assert np.array_equal(decisions[odd], decide(case.truth[odd], offsets))


def test_offsets_that_pay_are_accepted() -> None:
    case = world(3000, 3, 11, skew=2.0)
    folds = (np.arange(3000) % 3).astype(np.int8)
    offsets = accepted_offsets(case.truth, case.labels, folds, _macro(3), seed=0)
    assert np.array_equal(offsets, _fitted(case))
    assert offsets.any()


def test_offsets_fitted_to_noise_are_not_accepted() -> None:
    accepted = 0
    for seed in range(40):
        case = world(60, 3, seed, spread=6.0, skew=0.0)
        folds = (np.arange(60) % 3).astype(np.int8)
        found = accepted_offsets(case.truth, case.labels, folds, _macro(3), seed, resamples=200)
        accepted += bool(found.any())
    assert accepted <= 8


@pytest.mark.parametrize(
    ("rows", "classes", "most_s"),
    [
        pytest.param(25_000, 3, 0.6, id="tweets"),
        pytest.param(50_000, 150, 3.0, id="intents"),
        pytest.param(10_000, 1000, 6.0, id="products"),
    ],
)
def test_fitting_is_quick_enough_for_every_trial(rows: int, classes: int, most_s: float) -> None:
    case = world(rows, classes, 12, skew=2.0 / classes)
    began = time.process_time()
    _fitted(case)
    assert time.process_time() - began < most_s
