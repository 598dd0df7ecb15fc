"""Which rows train and which judge: decided by group, never by a shuffle.

A group is what `__key` says is one case. Its side of the holdout is a pure function of its key, so
a row that once judged never trains; or of when it first appeared, with a cutoff that only moves
on, so a row that once trained never judges. Either way no champion meets a row that it knows.
"""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.arrays import Folds, Keys, Labels, Mask
from schemas.plan import HashSplit


def on_holdout(keys: Keys, split: HashSplit) -> Mask:
    """(rows,) true for about `holdout_share` of the groups; blind to the other rows."""
    sides: Mask = _uniform(keys, split.salt) < split.holdout_share
    return sides


def time_cutoff(
    keys: Keys,
    times: "pd.Series[pd.Timestamp]",  # (rows,) tz-aware
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


def on_holdout_by_time(keys: Keys, times: "pd.Series[pd.Timestamp]", cutoff: datetime) -> Mask:
    """(rows,) true where the group of the row first appeared at the cutoff or later."""
    instant = np.datetime64(cutoff.astimezone(UTC).replace(tzinfo=None), "us")
    sides: Mask = _first_appearances(keys, times) >= instant
    return sides


def assign_folds(keys: Keys, labels: Labels, folds: int, seed: int) -> Folds:
    """(rows,) stratified by class, whole by group, blind to the order of rows.

    Groups are sorted by class, then by a hash, and dealt like cards: each class, and all groups,
    are spread to within one. A group with several labels counts as its rarest class.
    """
    groups, place = np.unique(keys, return_inverse=True)
    rarity = _rarity(labels)
    rarest = np.full(len(groups), np.iinfo(np.int64).max)
    np.minimum.at(rarest, place, rarity[labels])
    order = np.lexsort((_mixed(groups, f"folds {seed}"), rarest))
    dealt = np.empty(len(groups), dtype=np.int8)
    dealt[order] = np.arange(len(groups)) % folds
    return dealt[place]


def _rarity(labels: Labels) -> NDArray[np.int64]:
    """(classes,) rank by rows, the rarest first."""
    counts = np.bincount(labels)
    ranks = np.empty(len(counts), dtype=np.int64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return ranks


def _first_appearances(keys: Keys, times: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    """(rows,) when the group of each row first appeared, in UTC to the microsecond."""
    instants = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    groups, place = np.unique(keys, return_inverse=True)
    first = np.full(len(groups), np.iinfo(np.int64).max)
    np.minimum.at(first, place, instants.astype(np.int64))
    return first[place].astype("datetime64[us]")


def _uniform(keys: Keys, salt: str) -> NDArray[np.float64]:
    """(rows,) in [0, 1), 53 bits each."""
    bits: NDArray[np.float64] = (_mixed(keys, salt) >> np.uint64(11)).astype(np.float64)
    return bits / 2.0**53


def _mixed(keys: Keys, salt: str) -> Keys:
    """splitmix64 (Steele et al. 2014) of the salted keys: other salts give independent orders."""
    digest = hashlib.blake2b(salt.encode(), digest_size=8).digest()
    state = keys ^ np.frombuffer(digest, dtype="<u8").astype(np.uint64)
    # Unsigned arithmetic wraps, as the algorithm wants.
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
