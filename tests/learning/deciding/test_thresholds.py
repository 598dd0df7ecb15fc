import time

import numpy as np
import pytest

from learning.deciding.objectives import Aim, MeanF, MeanRanking, MeanRecall, value
from learning.deciding.offsets import accepted_offsets, cross_fitted, decide, fit_offsets
from learning.deciding.thresholds import accepted_each, cross_fitted_each, fit_each
from tests.learning.worlds import World, world

LABEL = MeanF((1,))


def _labels(cases: list[World]) -> tuple[list[np.ndarray], np.ndarray]:
    return [case.truth for case in cases], np.stack([case.labels for case in cases], axis=1)


def _rare(rows: int, seed: int, skew: float) -> World:
    """Two classes of which the second is rare; probabilities are true."""
    return world(rows, 2, seed, spread=1.5, skew=skew)


def _f1(case: World, offsets: np.ndarray) -> float:
    return value(LABEL, case.labels, decide(case.truth, offsets), case.truth)


@pytest.mark.parametrize(
    "aims",
    [
        pytest.param((MeanF((0, 1)), MeanF((0, 1, 2))), id="two tasks"),
        pytest.param((MeanRecall(), MeanRecall()), id="balanced accuracy"),
        pytest.param((LABEL,), id="one label alone"),
    ],
)
def test_targets_that_are_not_labels_of_many_are_fitted_apart(aims: tuple[Aim, ...]) -> None:
    cases = [world(400, 2, 0, skew=2.0), world(400, 3, 1, skew=2.0)][: len(aims)]
    probabilities, labels = _labels(cases)
    parts = np.arange(400) % 4
    fitted = fit_each(probabilities, labels, aims)
    decisions = cross_fitted_each(probabilities, labels, parts, aims)
    accepted = accepted_each(probabilities, labels, parts, aims, seed=3)
    for t, (own, aim) in enumerate(zip(probabilities, aims, strict=True)):
        column = labels[:, t]
        assert np.array_equal(fitted[t], fit_offsets(own, column, aim))
        assert np.array_equal(decisions[:, t], cross_fitted(own, column, parts, aim))
        assert np.array_equal(accepted[t], accepted_offsets(own, column, parts, aim, 3))


def test_a_label_of_many_rows_keeps_nearly_its_own_offset() -> None:
    probabilities, labels = _labels([_rare(20_000, 0, 1.0), _rare(20_000, 1, 5.0)])
    found = fit_each(probabilities, labels, (LABEL, LABEL))
    for t, offsets in enumerate(found):
        assert offsets[0] == 0
        own = fit_offsets(probabilities[t], labels[:, t], LABEL)
        assert offsets[1] == pytest.approx(own[1], abs=0.1)


def test_a_label_without_positive_rows_takes_the_common_offset() -> None:
    probabilities, labels = _labels([_rare(5000, 0, 2.0), _rare(5000, 1, 2.0)])
    labels[:, 1] = 0
    found = fit_each(probabilities, labels, (LABEL, LABEL))
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-9)
    assert found[1][1] > 0.2


def test_equal_labels_have_their_own_offset() -> None:
    case = _rare(3000, 2, 2.0)
    probabilities, labels = _labels([case, case, case])
    own = fit_offsets(case.truth, case.labels, LABEL)
    for offsets in fit_each(probabilities, labels, (LABEL,) * 3):
        assert offsets == pytest.approx(own)


def test_labels_in_any_order_have_the_same_offsets() -> None:
    cases = [_rare(300, seed, 1.0 + seed) for seed in range(4)]
    order = [2, 0, 3, 1]
    plain = fit_each(*_labels(cases), (LABEL,) * 4)
    moved = fit_each(*_labels([cases[i] for i in order]), (LABEL,) * 4)
    for place, i in enumerate(order):
        assert moved[place] == pytest.approx(plain[i])


def test_rare_labels_gain_by_borrowing_on_rows_not_seen() -> None:
    gains = []
    for seed in range(12):
        few = [_rare(300, 100 * seed + i, 3.5) for i in range(6)]
        fresh = [_rare(20_000, 100 * seed + 50 + i, 3.5) for i in range(6)]
        together = fit_each(*_labels(few), (LABEL,) * 6)
        for case, new, offsets in zip(few, fresh, together, strict=True):
            own = fit_offsets(case.truth, case.labels, LABEL)
            gains.append(_f1(new, offsets) - _f1(new, own))
    assert np.mean(gains) > 0.01


def test_a_part_is_decided_without_its_own_labels() -> None:
    probabilities, labels = _labels([_rare(300, seed, 2.0) for seed in range(3)])
    parts = np.arange(300) % 3
    before = cross_fitted_each(probabilities, labels, parts, (LABEL,) * 3)
    others = labels.copy()
    others[parts == 1] = 1 - others[parts == 1]
    after = cross_fitted_each(probabilities, others, parts, (LABEL,) * 3)
    assert np.array_equal(before[parts == 1], after[parts == 1])
    assert not np.array_equal(before, after)


def test_one_part_alone_is_decided_by_its_other_half() -> None:
    probabilities, labels = _labels([_rare(300, seed, 2.0) for seed in range(2)])
    halves = cross_fitted_each(probabilities, labels, np.arange(300) % 2, (LABEL,) * 2)
    one = cross_fitted_each(probabilities, labels, np.full(300, 7), (LABEL,) * 2)
    assert np.array_equal(one, halves)


def test_what_no_label_can_show_alone_they_show_together() -> None:
    cases = [_rare(600, seed, 3.0) for seed in range(8)]
    probabilities, labels = _labels(cases)
    parts = np.arange(600) % 5
    alone = [
        accepted_offsets(case.truth, case.labels, parts, LABEL, seed=0).any() for case in cases
    ]
    together = accepted_each(probabilities, labels, parts, (LABEL,) * 8, seed=0)
    assert np.count_nonzero(alone) < 8
    assert all(offsets.any() for offsets in together)


def test_labels_fitted_to_noise_are_not_accepted() -> None:
    accepted = 0
    for seed in range(20):
        # Probabilities are sure and right, so no offset can help.
        cases = [world(80, 2, 10 * seed + i, spread=8.0, skew=0.0) for i in range(3)]
        probabilities, labels = _labels(cases)
        found = accepted_each(
            probabilities, labels, np.arange(80) % 4, (LABEL,) * 3, seed, resamples=300
        )
        accepted += any(offsets.any() for offsets in found)
    assert accepted <= 5


def test_labels_that_are_ranked_share_as_those_of_macro_f1() -> None:
    probabilities, labels = _labels([_rare(400, seed, 2.0) for seed in range(3)])
    ranked = fit_each(probabilities, labels, (MeanRanking((1,)),) * 3)
    plain = fit_each(probabilities, labels, (LABEL,) * 3)
    for one, other in zip(ranked, plain, strict=True):
        assert np.array_equal(one, other)


def test_many_labels_of_many_rows_take_seconds() -> None:
    probabilities, labels = _labels([_rare(30_000, seed, 2.0) for seed in range(12)])
    began = time.process_time()
    cross_fitted_each(probabilities, labels, np.arange(30_000) % 5, (LABEL,) * 12)
    assert time.process_time() - began < 6
