from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.arrays import Instants, Keys
from learning.rows.splits import (
    Strata,
    assign_folds,
    assign_shuffles,
    on_holdout,
    on_holdout_by_time,
    parts,
    scored_in,
    strata,
    time_cutoff,
)
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, targets
from schemas.plan import HashSplit
from tests.learning.rows import reference

groups = st.lists(st.integers(0, 30), min_size=1, max_size=60)


def _keys(ids: list[int]) -> Keys:
    return np.array(ids, dtype=np.uint64)


def _times(days: list[int]) -> Instants:
    return np.datetime64("2026-01-01", "us") + np.array(days) * np.timedelta64(1, "D")


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


@st.composite
def dealt(draw: st.DrawFn) -> tuple[Keys, Strata]:
    """Rows with groups and strata, which need not be the same for all rows of a group."""
    ids = draw(groups)
    codes = draw(st.lists(st.integers(0, 3), min_size=len(ids), max_size=len(ids)))
    return _keys(ids), np.array(codes)


def _sizes(keys: Keys, mask: np.ndarray, strata: Strata) -> dict[int, tuple[int, int]]:
    """Groups of each stratum, where all rows of a group have one: all, and inside the mask."""
    frame = pd.DataFrame({"key": keys, "inside": mask, "stratum": strata}).drop_duplicates()
    found = frame.groupby("stratum")["inside"].agg(["size", "sum"])
    return {int(code): (int(row["size"]), int(row["sum"])) for code, row in found.iterrows()}


@given(rows=dealt(), folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_folds_keep_groups_whole_and_equal_in_number(
    rows: tuple[Keys, Strata], folds: int, seed: int
) -> None:
    keys, codes = rows
    assigned = assign_folds(keys, codes, folds, seed)
    assert assigned.dtype == np.int32
    assert _whole(keys, assigned)
    of_group = pd.Series(parts(assigned)).groupby(keys).first()
    sizes = np.bincount(of_group, minlength=folds)
    assert sizes.max() - sizes.min() <= 1


@given(rows=dealt(), folds=st.integers(2, 20), seed=st.integers(0, 9))
def test_one_fold_and_no_other_scores_a_row(
    rows: tuple[Keys, Strata], folds: int, seed: int
) -> None:
    assigned = assign_folds(*rows, folds, seed)
    times = sum(scored_in(assigned, fold).astype(int) for fold in range(folds))
    assert (times == 1).all()
    assert np.array_equal(1 << parts(assigned), assigned)


@given(ids=groups, folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_each_stratum_is_spread_over_the_folds_to_within_one(
    ids: list[int], folds: int, seed: int
) -> None:
    keys = _keys(ids)
    codes = (keys % 3).astype(np.int64)
    assigned = assign_folds(keys, codes, folds, seed)
    spread = [_sizes(keys, scored_in(assigned, fold), codes) for fold in range(folds)]
    for code in set(codes.tolist()):
        sizes = [inside[code][1] for inside in spread]
        assert max(sizes) - min(sizes) <= 1


@given(rows=dealt(), splits=st.integers(1, 20), share=st.floats(0.01, 0.89))
def test_a_shuffle_keeps_groups_whole_and_scores_its_share_of_them(
    rows: tuple[Keys, Strata], splits: int, share: float
) -> None:
    keys, codes = rows
    drawn = assign_shuffles(keys, codes, splits, share, seed=0)
    assert drawn.dtype == np.int32
    number = len(set(keys.tolist()))
    for split in range(splits):
        scored = scored_in(drawn, split)
        assert _whole(keys, scored)
        inside = len(set(keys[scored].tolist()))
        assert abs(inside - share * number) <= 1
        assert 1 <= inside < number or number == 1


@given(ids=groups, splits=st.integers(1, 5), share=st.floats(0.05, 0.89), seed=st.integers(0, 9))
def test_each_stratum_gives_a_shuffle_its_share_to_within_one(
    ids: list[int], splits: int, share: float, seed: int
) -> None:
    keys = _keys(ids)
    codes = (keys % 3).astype(np.int64)
    drawn = assign_shuffles(keys, codes, splits, share, seed)
    for split in range(splits):
        sizes = _sizes(keys, scored_in(drawn, split), codes)
        reached = sum(inside for _, inside in sizes.values()) / len(set(ids))
        for whole, inside in sizes.values():
            assert abs(inside - whole * reached) < 1


@given(rows=dealt(), seed=st.integers(0, 9))
def test_splits_are_blind_to_the_order_of_rows(rows: tuple[Keys, Strata], seed: int) -> None:
    keys, codes = rows
    order = np.random.default_rng(seed).permutation(len(keys))
    straight, shuffled = (
        assign_folds(k, c, 3, 0) for k, c in ((keys, codes), (keys[order], codes[order]))
    )
    assert np.array_equal(straight[order], shuffled)
    straight = assign_shuffles(keys, codes, 3, 0.3, 0)
    assert np.array_equal(straight[order], assign_shuffles(keys[order], codes[order], 3, 0.3, 0))


@given(new=st.permutations(range(3)), seed=st.integers(0, 9))
def test_splits_are_blind_to_the_names_of_strata(new: list[int], seed: int) -> None:
    keys = np.arange(60, dtype=np.uint64)
    codes = np.repeat([0, 1, 2], [5, 20, 35])  # of different sizes: else the code decides
    renamed = np.array(new)[codes]
    assert np.array_equal(assign_folds(keys, codes, 3, seed), assign_folds(keys, renamed, 3, seed))
    assert np.array_equal(
        assign_shuffles(keys, codes, 3, 0.3, seed), assign_shuffles(keys, renamed, 3, 0.3, seed)
    )


def test_another_seed_deals_other_folds() -> None:
    keys = np.arange(100, dtype=np.uint64)
    codes = np.zeros(100, dtype=np.int64)
    first, other = (assign_folds(keys, codes, 3, seed) for seed in (0, 1))
    assert 0.1 < (first == other).mean() < 0.6


def test_each_split_draws_for_itself_and_another_seed_draws_others() -> None:
    keys = np.arange(5000, dtype=np.uint64)
    codes = np.zeros(5000, dtype=np.int64)
    drawn = assign_shuffles(keys, codes, 4, 0.3, seed=0)
    other = assign_shuffles(keys, codes, 4, 0.3, seed=1)
    sides = [scored_in(folds, split) for folds in (drawn, other) for split in range(4)]
    for i, first in enumerate(sides):
        assert first.mean() == pytest.approx(0.3)
        for second in sides[i + 1 :]:
            assert (first & second).mean() == pytest.approx(0.09, abs=0.02)


def test_every_group_is_drawn_as_often_as_its_share_says() -> None:
    keys = np.arange(20, dtype=np.uint64)
    codes = np.repeat([0, 1], [3, 17])
    times = np.zeros(20)
    for seed in range(400):
        drawn = assign_shuffles(keys, codes, 5, 0.25, seed)
        times += sum(scored_in(drawn, split) for split in range(5))
    # 2000 draws: a standard deviation of 1 point; 20 groups reach 3 of them now and then
    assert times / 2000 == pytest.approx(0.25, abs=0.04)


def test_a_small_stratum_is_scored_by_some_splits_and_never_lost() -> None:
    keys = np.arange(100, dtype=np.uint64)
    codes = (keys < 4).astype(np.int64)
    drawn = assign_shuffles(keys, codes, 20, 0.25, seed=0)
    assert {int(scored_in(drawn, split)[:4].sum()) for split in range(20)} == {1}


def test_the_first_split_that_scores_a_row_is_its_part() -> None:
    folds = np.array([0b1, 0b110, 0, 0b1000, 1 << 19], dtype=np.int32)
    assert parts(folds).tolist() == [0, 1, -1, 3, 19]
    assert scored_in(folds, 2).tolist() == [False, True, False, False, False]


def test_of_one_label_the_strata_are_its_classes() -> None:
    labels = np.array([[0], [2], [1], [2]], dtype=np.int16)
    assert strata(labels, targets(MOOD), least=3).tolist() == [0, 2, 1, 2]


MOOD = SingleLabel(column="mood", classes=("bad", "plain", "good"))
TWO = targets(MultiTaskLabel(columns={"mood": ("bad", "good"), "pace": ("slow", "fast", "wild")}))
MANY = targets(MultiLabel(columns=("sad", "calm", "odd")))


def _cells(*rows: tuple[tuple[int, ...], int]) -> np.ndarray:
    """So many rows of each cell."""
    return np.array([cell for cell, count in rows for _ in range(count)], dtype=np.int16)


def _together(codes: Strata) -> set[frozenset[int]]:
    """Which rows share a stratum, whatever it is called."""
    return {frozenset(np.flatnonzero(codes == code).tolist()) for code in np.unique(codes)}


def test_cells_of_several_labels_with_enough_rows_are_strata() -> None:
    labels = _cells(((0, 0), 3), ((0, 1), 4), ((1, 0), 3))
    assert _together(strata(labels, TWO, least=3)) == {
        frozenset({0, 1, 2}),
        frozenset({3, 4, 5, 6}),
        frozenset({7, 8, 9}),
    }


def test_rows_of_rare_cells_are_spread_by_their_rarest_class() -> None:
    # `wild` has 4 rows in two cells of 2, each fewer than 3.
    labels = _cells(((0, 0), 9), ((1, 0), 9), ((0, 2), 2), ((1, 2), 2))
    codes = strata(labels, TWO, least=3)
    assert len(set(codes[18:].tolist())) == 1
    assert not set(codes[:18].tolist()) & set(codes[18:].tolist())


def test_classes_that_are_still_too_rare_are_spread_together() -> None:
    labels = _cells(((0, 0, 0), 9), ((1, 1, 0), 9), ((0, 0, 1), 2), ((1, 0, 0), 1), ((0, 1, 0), 1))
    assert _together(strata(labels, MANY, least=4)) == {
        frozenset(range(9)),
        frozenset(range(9, 18)),
        frozenset(range(18, 22)),
    }


def test_of_many_labels_only_those_that_a_row_has_make_it_rare() -> None:
    # The rows without any label are rare, and so is `odd`: 0 of `sad` is no reason to join them.
    labels = _cells(
        ((1, 0, 0), 30), ((1, 1, 0), 30), ((0, 0, 0), 3), ((1, 0, 1), 2), ((0, 1, 1), 2)
    )
    codes = strata(labels, MANY, least=4)
    assert len(set(codes[60:63].tolist())) == len(set(codes[63:].tolist())) == 1
    assert codes[60] != codes[63]


@st.composite
def label_tables(draw: st.DrawFn) -> np.ndarray:
    rows = st.tuples(st.integers(0, 1), st.integers(0, 2))
    return np.array(draw(st.lists(rows, min_size=1, max_size=60)), dtype=np.int16)


@given(labels=label_tables(), least=st.integers(1, 9))
def test_all_strata_but_one_have_enough_rows(labels: np.ndarray, least: int) -> None:
    sizes = np.unique(strata(labels, TWO, least), return_counts=True)[1]
    assert sizes.sum() == len(labels)
    assert (sizes < least).sum() <= 1


@given(labels=label_tables(), least=st.integers(1, 9), seed=st.integers(0, 9))
def test_strata_are_blind_to_the_order_of_rows(labels: np.ndarray, least: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(labels))
    assert np.array_equal(strata(labels, TWO, least)[order], strata(labels[order], TWO, least))


@given(labels=label_tables(), new=st.permutations(range(3)))
def test_cells_with_enough_rows_are_strata_by_any_name(labels: np.ndarray, new: list[int]) -> None:
    renamed = np.column_stack([1 - labels[:, 0], np.array(new)[labels[:, 1]]])
    assert _together(strata(labels, TWO, 1)) == _together(strata(renamed, TWO, 1))


def test_every_label_of_many_is_spread_as_evenly_as_one_could_be() -> None:
    random = np.random.default_rng(0)
    labels = (random.random((2000, 3)) < [0.3, 0.05, 0.02]).astype(np.int16)
    keys = random.integers(0, 2**63, 2000).astype(np.uint64)
    assigned = assign_folds(keys, strata(labels, MANY, least=5), 5, seed=0)
    for column in labels.T:
        sizes = np.bincount(parts(assigned), weights=column, minlength=5)
        assert sizes.max() - sizes.min() <= 4  # a cell each, of the eight that there are


@given(dealt(), st.integers(2, 6), st.integers(0, 3))
def test_groups_are_dealt_as_one_table_of_them_was(
    rows: tuple[Keys, Strata], splits: int, seed: int
) -> None:
    keys, codes = rows
    expected = reference.assign_folds(keys, codes, splits, seed)
    assert assign_folds(keys, codes, splits, seed).tolist() == expected.tolist()
    drawn = reference.assign_shuffles(keys, codes, splits, 0.3, seed)
    assert assign_shuffles(keys, codes, splits, 0.3, seed).tolist() == drawn.tolist()
