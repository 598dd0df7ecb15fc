"""Where a stratum has very many groups their hashes decide, and nothing else changes."""

import numpy as np
import pytest

from learning.arrays import Folds, Keys
from learning.rows.dealing import Strata
from learning.rows.splits import assign_folds

ROWS, FOLDS = 1_400_000, 5


@pytest.fixture(scope="module")
def rows() -> tuple[Keys, Strata]:
    """A tenth of the rows are of stratum 1, and a few more of stratum 2; some groups are of two."""
    random = np.random.default_rng(0)
    keys = random.integers(0, 2**64, ROWS, dtype=np.uint64)
    strata = (random.random(ROWS) < 0.1).astype(np.int16)
    strata[:103] = 2
    keys[-1_000:] = keys[:1_000]
    strata[-1_000:] = 0
    return keys, strata


def _counts(folds: Folds, strata: Strata, kind: int) -> list[int]:
    return [int(np.count_nonzero(folds[strata == kind] == 1 << fold)) for fold in range(FOLDS)]


def test_a_very_large_stratum_is_spread_to_less_than_one_part_in_a_hundred(
    rows: tuple[Keys, Strata],
) -> None:
    keys, strata = rows
    counts = _counts(assign_folds(keys, strata, FOLDS, seed=0), strata, 0)
    assert sum(counts) == np.count_nonzero(strata == 0)
    assert max(counts) < 1.01 * min(counts)


def test_small_strata_beside_it_are_spread_to_within_one(rows: tuple[Keys, Strata]) -> None:
    keys, strata = rows
    _, first = np.unique(keys, return_index=True)
    folds = assign_folds(keys, strata, FOLDS, seed=0)[first]
    for kind in (1, 2):
        counts = _counts(folds, strata[first], kind)
        assert max(counts) - min(counts) <= 1


def test_a_group_is_whole_where_its_rows_are_of_a_large_and_of_a_small_stratum(
    rows: tuple[Keys, Strata],
) -> None:
    folds = assign_folds(*rows, FOLDS, seed=0)
    assert np.array_equal(folds[:1_000], folds[-1_000:])
    assert len(np.unique(folds[:1_000])) == FOLDS


def test_the_order_of_many_rows_means_nothing(rows: tuple[Keys, Strata]) -> None:
    keys, strata = rows
    order = np.random.default_rng(1).permutation(ROWS)
    folds = assign_folds(keys, strata, FOLDS, seed=0)
    assert np.array_equal(assign_folds(keys[order], strata[order], FOLDS, seed=0), folds[order])


def test_another_seed_deals_many_groups_otherwise(rows: tuple[Keys, Strata]) -> None:
    keys, strata = rows
    first, other = (assign_folds(keys, strata, FOLDS, seed=seed) for seed in (0, 1))
    large = strata == 0
    assert np.mean(first[large] == other[large]) == pytest.approx(1 / FOLDS, abs=0.005)


def test_many_rows_of_few_groups_are_dealt_like_cards() -> None:
    groups = np.random.default_rng(0).integers(0, 2**64, 1_003, dtype=np.uint64)
    keys = np.tile(groups, 1_100)
    folds = assign_folds(keys, np.zeros(len(keys), dtype=np.int16), FOLDS, seed=0)
    counts = np.bincount(folds[: len(groups)])[[1 << fold for fold in range(FOLDS)]]
    assert counts.max() - counts.min() == 1
    assert np.array_equal(folds, np.tile(folds[: len(groups)], 1_100))
