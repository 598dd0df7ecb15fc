from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.arrays import Keys, Labels
from learning.splits import assign_folds, on_holdout, on_holdout_by_time, time_cutoff
from schemas.plan import HashSplit

groups = st.lists(st.integers(0, 30), min_size=1, max_size=60)


def _keys(ids: list[int]) -> Keys:
    return np.array(ids, dtype=np.uint64)


def _times(days: list[int]) -> "pd.Series[pd.Timestamp]":
    start = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.Series([start + pd.Timedelta(days=day) for day in days]).dt.as_unit("us")


def _whole(keys: Keys, sides: np.ndarray) -> bool:
    """No group stands on two sides."""
    pairs = set(zip(keys.tolist(), sides.tolist(), strict=True))
    return len(pairs) == len(set(keys.tolist()))


@given(ids=groups, share=st.floats(0.05, 0.8), salt=st.sampled_from(["", "a", "other"]))
def test_no_group_is_on_both_sides_of_the_holdout(ids: list[int], share: float, salt: str) -> None:
    keys = _keys(ids)
    assert _whole(keys, on_holdout(keys, HashSplit(holdout_share=share, salt=salt)))


@given(ids=groups, more=groups, seed=st.integers(0, 9))
def test_a_side_is_blind_to_order_and_to_later_rows(
    ids: list[int], more: list[int], seed: int
) -> None:
    keys, split = _keys(ids), HashSplit()
    sides = on_holdout(keys, split)
    order = np.random.default_rng(seed).permutation(len(keys))
    assert np.array_equal(on_holdout(keys[order], split), sides[order])
    assert np.array_equal(on_holdout(_keys(ids + more), split)[: len(ids)], sides)


@given(ids=groups, low=st.floats(0.01, 0.4), more=st.floats(0.01, 0.4))
def test_a_larger_holdout_holds_the_smaller(ids: list[int], low: float, more: float) -> None:
    keys = _keys(ids)
    small = on_holdout(keys, HashSplit(holdout_share=low))
    large = on_holdout(keys, HashSplit(holdout_share=low + more))
    assert not (small & ~large).any()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_holdout_has_its_share_even_of_keys_in_a_row(share: float) -> None:
    keys = np.arange(50_000, dtype=np.uint64)
    assert on_holdout(keys, HashSplit(holdout_share=share)).mean() == pytest.approx(share, abs=0.01)


def test_another_salt_draws_another_holdout() -> None:
    keys = np.arange(50_000, dtype=np.uint64)
    first, other = (on_holdout(keys, HashSplit(salt=salt)) for salt in ("", "other"))
    assert (first & other).mean() == pytest.approx(0.04, abs=0.01)


def test_sides_never_change_between_versions() -> None:
    sides = on_holdout(np.arange(12, dtype=np.uint64), HashSplit(holdout_share=0.5))
    assert np.flatnonzero(sides).tolist() == [0, 1, 3, 4, 8, 9, 11]


@given(data=st.data(), ids=groups, share=st.floats(0.05, 0.8))
def test_no_group_is_on_both_sides_of_the_cutoff(
    data: st.DataObject, ids: list[int], share: float
) -> None:
    days = data.draw(st.lists(st.integers(0, 9), min_size=len(ids), max_size=len(ids)))
    keys, times = _keys(ids), _times(days)
    cutoff = time_cutoff(keys, times, share, None)
    sides = on_holdout_by_time(keys, times, cutoff)
    assert _whole(keys, sides)
    assert not sides.all()
    if not sides.any():
        first = pd.Series(days).groupby(ids).min()
        assert first.min() == first.max()


@given(data=st.data(), ids=groups, more=groups)
def test_a_group_that_trained_once_never_judges_later(
    data: st.DataObject, ids: list[int], more: list[int]
) -> None:
    days = data.draw(st.lists(st.integers(0, 9), min_size=len(ids), max_size=len(ids)))
    late = data.draw(st.lists(st.integers(0, 20), min_size=len(more), max_size=len(more)))
    cutoff = time_cutoff(_keys(ids), _times(days), 0.3, None)
    trained = set(_keys(ids)[~on_holdout_by_time(_keys(ids), _times(days), cutoff)].tolist())
    keys, times = _keys(ids + more), _times(days + late)
    later = time_cutoff(keys, times, 0.1, cutoff)
    assert later >= cutoff
    assert not trained & set(keys[on_holdout_by_time(keys, times, later)].tolist())


def test_the_cutoff_leaves_the_latest_share() -> None:
    keys = np.arange(100, dtype=np.uint64)
    times = _times(list(range(100)))
    cutoff = time_cutoff(keys, times, 0.2, None)
    assert cutoff == datetime(2026, 3, 22, tzinfo=UTC)
    assert on_holdout_by_time(keys, times, cutoff).sum() == 20


def test_a_cutoff_never_moves_back() -> None:
    last = datetime(2026, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    keys, times = _keys([1, 2, 3]), _times([0, 1, 2])
    assert time_cutoff(keys, times, 0.3, last) == last
    assert not on_holdout_by_time(keys, times, last).any()


def test_rows_in_other_zones_are_the_same_instants() -> None:
    keys, times = _keys([1, 2, 3, 4]), _times([0, 1, 2, 3])
    local = times.dt.tz_convert("Asia/Tokyo")
    assert time_cutoff(keys, local, 0.3, None) == time_cutoff(keys, times, 0.3, None)


@given(data=st.data(), ids=groups, folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_folds_keep_groups_whole_and_equal_in_number(
    data: st.DataObject, ids: list[int], folds: int, seed: int
) -> None:
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(ids), max_size=len(ids)))
    keys, labels = _keys(ids), np.array(drawn)
    assigned = assign_folds(keys, labels, folds, seed)
    assert _whole(keys, assigned)
    of_group = pd.Series(assigned).groupby(ids).first()
    sizes = np.bincount(of_group, minlength=folds)
    assert sizes.max() - sizes.min() <= 1


@given(ids=groups, folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_a_class_with_enough_groups_is_in_every_fold(ids: list[int], folds: int, seed: int) -> None:
    keys = _keys(ids)
    labels: Labels = (keys % 3).astype(np.int64)  # a group has one label
    assigned = assign_folds(keys, labels, folds, seed)
    for label in range(3):
        mine = labels == label
        if len(np.unique(keys[mine])) >= folds:
            assert set(assigned[mine]) == set(range(folds))


@given(data=st.data(), ids=groups, seed=st.integers(0, 9))
def test_folds_are_blind_to_the_order_of_rows(
    data: st.DataObject, ids: list[int], seed: int
) -> None:
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(ids), max_size=len(ids)))
    keys, labels = _keys(ids), np.array(drawn)
    order = np.random.default_rng(seed).permutation(len(keys))
    straight, shuffled = (
        assign_folds(keys, labels, 3, 0),
        assign_folds(keys[order], labels[order], 3, 0),
    )
    assert np.array_equal(straight[order], shuffled)


def test_another_seed_deals_other_folds() -> None:
    keys = np.arange(100, dtype=np.uint64)
    labels = np.zeros(100, dtype=np.int64)
    first, other = (assign_folds(keys, labels, 3, seed) for seed in (0, 1))
    assert 0.1 < (first == other).mean() < 0.6
