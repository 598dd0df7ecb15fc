"""Which rows an epoch draws, counted."""

from typing import Any

import numpy as np
import pytest

from learning.neural.sampling import LengthGrouped, draws, effective_rows
from schemas.label import Target
from schemas.transformers import Sampling
from tests.learning.neural.tiny import LENGTH, MOOD

TARGETS = (MOOD, LENGTH)


def labels(*cells: tuple[int, int, int]) -> np.ndarray:
    """(mood, length, how many rows of both)."""
    return np.concatenate([np.tile([[mood, length]], (count, 1)) for mood, length, count in cells])


TABLE = labels((0, 0, 40), (0, 1, 100), (1, 0, 400), (2, 1, 460))


def shares(table: np.ndarray, drawn: np.ndarray | None, epochs: int = 20) -> np.ndarray:
    sampler = LengthGrouped(np.full(len(table), 5), 16, drawn, seed=3)
    counts = np.zeros(3)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        counts += np.bincount(table[list(sampler), 0], minlength=3)
    return counts / counts.sum()


def test_without_an_exponent_or_boosts_every_row_is_drawn_once() -> None:
    assert draws(Sampling(), TARGETS, TABLE) is None
    sampler = LengthGrouped(np.arange(50), 16, None, seed=1)
    assert sorted(sampler) == list(range(50))


@pytest.mark.parametrize(
    "told",
    [
        {"exponent": 1.0, "most": 100.0},
        {"exponent": 0.7},
        {"exponent": 0.5, "boosts": {"mood": {"bad": 2.0}, "length": {"long": 1.5}}},
        {"boosts": {"mood": {"good": 3.0}}},
    ],
    ids=["equal", "exponent", "boosts", "boosts-alone"],
)
def test_the_effective_prior_is_what_epochs_draw(told: dict[str, Any]) -> None:
    drawn = draws(Sampling.model_validate(told), TARGETS, TABLE)
    assert drawn is not None
    assert drawn.mean() == pytest.approx(1.0)
    mood, length = effective_rows(TARGETS, TABLE, drawn, np.ones(len(TABLE)))
    assert mood.sum() == pytest.approx(len(TABLE))
    assert length.sum() == pytest.approx(len(TABLE))
    np.testing.assert_allclose(shares(TABLE, drawn), mood / mood.sum(), atol=2e-3)


def test_cells_of_both_labels_are_drawn_by_their_size_to_the_exponent() -> None:
    drawn = draws(Sampling(exponent=0.5), TARGETS, TABLE)
    assert drawn is not None
    once = drawn / drawn[-1]
    np.testing.assert_allclose(
        [once[0], once[40], once[140], once[540]],
        [(460 / 40) ** 0.5, (460 / 100) ** 0.5, (460 / 400) ** 0.5, 1.0],
    )


def test_no_row_is_drawn_more_often_than_the_cap_says() -> None:
    boosts = {"mood": {"bad": 50.0}}
    drawn = draws(Sampling(exponent=1.0, boosts=boosts, most=8.0), TARGETS, TABLE)
    assert drawn is not None
    assert drawn.max() / drawn.min() == pytest.approx(8.0)


def test_cells_of_a_few_rows_count_under_their_rarest_class() -> None:
    one = Target(name="x", class_values=("a", "b"), counted=(0, 1))
    table = labels((0, 0, 300), (1, 1, 300), (0, 1, 2))
    drawn = draws(Sampling(exponent=1.0, most=1000.0), (one, LENGTH), table)
    assert drawn is not None
    assert drawn.max() / drawn.min() < 160  # 2 rows of a cell would be drawn 150 times


def test_row_weights_count_in_the_effective_prior() -> None:
    weights = np.where(TABLE[:, 0] == 0, 2.0, 1.0)
    mood, _ = effective_rows(TARGETS, TABLE, None, weights)
    assert mood.tolist() == [280.0, 400.0, 460.0]


def test_batches_hold_rows_of_like_length_and_the_longest_comes_first() -> None:
    lengths = np.random.default_rng(0).integers(3, 100, 640)
    order = list(LengthGrouped(lengths, 16, None, seed=1))
    spread = [np.ptp(lengths[order[at : at + 16]]) for at in range(0, 640, 16)]
    assert np.mean(spread) < 6
    assert lengths[order[0]] == lengths.max()


def test_a_last_batch_that_is_short_comes_last() -> None:
    lengths = np.random.default_rng(0).integers(3, 100, 1_003)
    order = list(LengthGrouped(lengths, 16, None, seed=1))
    assert sorted(order) == list(range(1_003))
    spread = [np.ptp(lengths[order[at : at + 16]]) for at in range(0, 992, 16)]
    assert np.mean(spread) < 10


def test_epochs_differ_and_seeds_tell_them() -> None:
    sampler = LengthGrouped(np.arange(64) % 7, 8, None, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert list(LengthGrouped(np.arange(64) % 7, 8, None, seed=2)) != first
