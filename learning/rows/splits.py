"""Which rows train and which judge: decided by group, never by a shuffle.

A group is what `__key` says is one case. Its side of the holdout is a pure function of its key, so
a row that once judged never trains; or of when it first appeared, with a cutoff that only moves
on, so a row that once trained never judges. Either way no champion meets a row that it knows.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.arrays import Folds, Instants, Keys, LabelTable, Mask
from learning.reading.mixing import BLOCK, mixed
from learning.rows.dealing import Strata, dealt, fold_of_each, rarities
from learning.rows.grouping import grouped
from schemas.label import Target
from schemas.plan import HashSplit

_MOST_CELLS = 1 << 20
"""Combinations of classes that are counted one by one; of more, those that occur are sorted."""


def on_holdout(keys: Keys, split: HashSplit) -> Mask:
    """(rows,) true for about `holdout_share` of the groups; blind to the other rows."""
    # Of the 53 bits that a float holds exactly; a share of 2 ** 53 is exact too.
    most = np.ceil(split.holdout_share * 2.0**53).astype(np.uint64) << np.uint64(11)
    sides = np.empty(len(keys), dtype=bool)
    for start in range(0, len(keys), BLOCK):
        block = slice(start, start + BLOCK)
        sides[block] = mixed(keys[block], split.salt) < most
    return sides


def time_cutoff(
    keys: Keys,
    times: Instants,
    share: float,
    not_before: datetime | None,  # the last night's cutoff
) -> datetime:
    """The instant from which a group's first appearance puts it on the holdout.

    About `share` of the rows are on it, more where one instant holds many rows, but never all. It
    never moves back: the champion trained on what appeared before the last night's cutoff.
    """
    appeared = np.sort(_first_appearances(keys, times))
    cutoff = appeared[int(np.floor(len(appeared) * (1 - share)))]
    if cutoff == appeared[0]:
        later = appeared[appeared > cutoff]
        # All rows of one instant: none of them is on the holdout, and the floors will say so.
        cutoff = later[0] if len(later) else cutoff + np.timedelta64(1, "us")
    found = pd.Timestamp(cutoff, tz=UTC).to_pydatetime()
    return found if not_before is None else max(found, not_before.astimezone(UTC))


def on_holdout_by_time(keys: Keys, times: Instants, cutoff: datetime) -> Mask:
    """(rows,) true where the group of the row first appeared at the cutoff or later."""
    instant = np.datetime64(cutoff.astimezone(UTC).replace(tzinfo=None), "us")
    sides: Mask = _first_appearances(keys, times) >= instant
    return sides


def strata(
    labels: LabelTable,  # (rows, targets)
    targets: Sequence[Target],
    least: int,  # rows that a stratum should have
) -> Strata:
    """(rows,) codes of what is spread evenly: the cell of all labels of a row together.

    A row of a cell with fewer than `least` rows counts under the rarest counted class that it has,
    and with all others of its kind where that is still too few. Of one target it is the label.
    """
    if len(targets) == 1:
        return labels[:, 0]
    cell, joint = _cells(labels, targets)
    codes = _merged(cell, joint + _rarest_value(labels, targets), least)
    return _merged(codes, np.full(len(labels), codes.max() + 1), least)


def assign_folds(keys: Keys, strata: Strata, folds: int, seed: int) -> Folds:
    """(rows,) one bit each: stratified, whole by group, blind to the order of rows.

    Groups are sorted by stratum, then by a hash, and dealt like cards: each stratum, and all
    groups, are spread to within one. A group of several strata counts as its rarest. Of strata
    of more than half a million groups the hash alone decides: see `learning.rows.dealing`.
    """
    bits = np.left_shift(np.int32(1), np.arange(folds, dtype=np.int32))
    return np.take(bits, fold_of_each(mixed(keys, f"folds {seed}"), strata, folds))


def assign_shuffles(keys: Keys, strata: Strata, splits: int, share: float, seed: int) -> Folds:
    """(rows,) a bit a split: each draws its own `share` of the groups; a row may be in several.

    Groups lie as for `assign_folds`, under a hash of the split's own, and are drawn at equal
    distances from a random start: each stratum gives its share to within one, and all of them
    together the nearest whole number, of two or more groups at least one and never all.
    """
    drawn, rarity = np.zeros(len(keys), dtype=np.int32), rarities(strata)[strata]
    for split in range(splits):

        def at_distances(groups: int, split: int = split) -> Mask:
            wanted = min(max(1, round(share * groups)), groups - 1)
            start = int(mixed(np.array([split], dtype=np.uint64), f"start {seed}")[0] % groups)
            return np.diff((np.arange(groups + 1) * wanted + start) // groups) > 0

        scored = dealt(mixed(keys, f"shuffle {seed} {split}"), rarity, at_distances)
        drawn |= scored.astype(np.int32) << np.int32(split)
    return drawn


def scored_in(folds: Folds, split: int) -> Mask:
    """(rows,) true where this split scores the row; it trains on the others."""
    mask: Mask = (folds >> np.int32(split)) & np.int32(1) > 0
    return mask


def parts(folds: Folds) -> NDArray[np.int64]:
    """(rows,) the first split that scores each row, -1 where none does: whole by group.

    >>> parts(np.array([1, 2, 6, 0], dtype=np.int32)).tolist()
    [0, 1, 1, -1]
    """
    lowest = np.frexp((folds & -folds).astype(np.float64))[1].astype(np.int64)
    return lowest - 1


def _cells(labels: LabelTable, targets: Sequence[Target]) -> tuple[Strata, int]:
    """(rows,) code of all labels of a row together, in the order of the labels; and how many."""
    sizes = [target.classes for target in targets]
    if math.prod(sizes) > _MOST_CELLS:
        joint, cell = np.unique(labels, axis=0, return_inverse=True)
        return cell, len(joint)
    cell = np.ravel_multi_index(tuple(labels.T), sizes)
    found = np.bincount(cell, minlength=math.prod(sizes)) > 0
    return (np.cumsum(found) - 1)[cell], int(found.sum())


def _merged(codes: Strata, others: Strata, least: int) -> Strata:
    """Codes that fewer than `least` rows have are replaced by the other ones."""
    return np.where(np.bincount(codes)[codes] < least, others, codes)


def _rarest_value(labels: LabelTable, targets: Sequence[Target]) -> Strata:
    """(rows,) code of the counted class of the row that the fewest rows have; 0 for none."""
    rows = np.full(len(labels), np.iinfo(np.int64).max)
    rarest, first = np.zeros(len(labels), dtype=np.int64), 1
    for column, target in zip(labels.T, targets, strict=True):
        sizes = np.bincount(column, minlength=target.classes)[column]
        rarer = np.isin(column, target.counted) & (sizes < rows)
        rows[rarer], rarest[rarer] = sizes[rarer], first + column[rarer]
        first += target.classes
    return rarest


def _first_appearances(keys: Keys, times: Instants) -> Instants:
    """(rows,) when the group of each row first appeared."""
    groups = grouped(keys)
    if groups.alone:
        return times
    first = np.minimum.reduceat(times.view(np.int64)[groups.order], groups.starts)
    return groups.spread(first).view("datetime64[us]")
