"""Groups are dealt like cards: each stratum to within one, or by hash where it has very many.

A group whose hash decides needs no sorting, and of half a million groups that chance throws at five
folds each gets its share to about one part in four hundred.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from learning.arrays import Keys, Mask
from learning.reading.mixing import BLOCK
from learning.rows.floors import sizes
from learning.rows.grouping import grouped

_Kind = TypeVar("_Kind", bound=np.generic)

Strata: TypeAlias = NDArray[np.integer]
"""(rows,) codes from 0; rows of one code are spread evenly over the splits."""

_FEW_KINDS = 8
"""Strata up to which one look at all groups for each is quicker than to sort them."""

_MANY = 1 << 20
"""Rows of a stratum from which its hashes may decide."""

_LOOKED_AT = 60
"""The groups are counted among hashes below two to this: one in sixteen, in whatever order."""

_BUCKETS = 22
"""Upper bits of a hash, that name its bucket."""


def fold_of_each(
    hashes: Keys,  # of the groups
    strata: Strata,
    folds: int,
) -> NDArray[np.integer]:
    """(rows,) from 0. Groups that share a bucket of hashes with one of a small stratum are dealt
    among each other, all others by their hash.
    """

    def in_turn(groups: int) -> NDArray[np.unsignedinteger]:
        order = np.arange(folds, dtype=np.uint8)
        return np.broadcast_to(order, (-(-groups // folds), folds)).reshape(-1)[:groups]

    rarity, many = rarities(strata), _many(hashes, strata)
    if not many.any():
        return dealt(hashes, rarity[strata], in_turn)
    marked = np.zeros(1 << _BUCKETS, dtype=bool)
    for kind in np.flatnonzero(~many).tolist():
        marked[_buckets(hashes[np.flatnonzero(strata == kind)])] = True
    found, few = _by_hash(hashes, marked, folds)
    found[few] = dealt(hashes[few], rarity[strata[few]], in_turn)
    return found


def _many(hashes: Keys, strata: Strata) -> Mask:
    """(strata,) which of them have about half a million groups or more."""
    counts = sizes(strata, int(strata.max(initial=-1)) + 1)
    many = counts >= _MANY
    for kind in np.flatnonzero(many).tolist():
        rows = np.flatnonzero((strata == kind) & (hashes < np.uint64(1 << _LOOKED_AT)))
        seen = np.zeros(_MANY, dtype=bool)  # so wide that few groups share a place
        seen[hashes[rows] & np.uint64(_MANY - 1)] = True
        many[kind] = np.count_nonzero(seen) >= _MANY // 32
    return many


def _by_hash(
    hashes: Keys,
    marked: Mask,  # of the buckets
    folds: int,
) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """(rows,) folds of equal ranges of sixteen lower bits; and which rows' buckets are marked.

    The upper bits name the bucket, and must not tell anything of the fold.
    """
    found, few = np.empty(len(hashes), dtype=np.uint8), np.empty(len(hashes), dtype=bool)
    for start in range(0, len(hashes), BLOCK):  # so that steps between stay in a core's cache
        block = hashes[start : start + BLOCK]
        few[start : start + BLOCK] = marked[_buckets(block)]
        lower = block.astype(np.uint32)  # which keeps as many lower bits
        lower >>= np.uint32(16)
        lower *= np.uint32(folds)
        lower >>= np.uint32(16)
        found[start : start + BLOCK] = lower
    return found, np.flatnonzero(few)


def _buckets(hashes: Keys) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _BUCKETS)).view(np.int64)  # as they are looked up without copy


def dealt(
    hashes: Keys,  # of the groups
    rarity: NDArray[np.unsignedinteger],  # of each row's stratum: the rarest has the least
    deal: Callable[[int], NDArray[_Kind]],  # of so many groups: what each gets, in their order
) -> NDArray[_Kind]:
    """(rows,) what each row's group gets: the rarest come first, those of a stratum by a hash."""
    groups = grouped(hashes)
    rarest = rarity[groups.order]  # in this order: the smaller type is moved
    if not groups.alone:
        rarest = np.minimum.reduceat(rarest, groups.starts)
    return groups.spread(_in_order(rarest, deal(len(rarest))))


def _in_order(rarest: NDArray[np.unsignedinteger], gets: NDArray[_Kind]) -> NDArray[_Kind]:
    """(groups,) the first of what there is to get to the rarest, and to all else in their order."""
    given, first = np.empty_like(gets), 0
    kinds = int(rarest.max(initial=0)) + 1
    if kinds > _FEW_KINDS:
        given[np.argsort(rarest, kind="stable")] = gets
        return given
    for kind in range(kinds):
        own = np.flatnonzero(rarest == kind)
        given[own] = gets[first : first + len(own)]
        first += len(own)
    return given


def rarities(strata: Strata) -> NDArray[np.unsignedinteger]:
    """(strata,) rank by rows, the rarest first; as small as it can be, which sorts much faster."""
    counts = sizes(strata, int(strata.max(initial=-1)) + 1)
    ranks = np.empty(len(counts), dtype=np.min_scalar_type(len(counts)))
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return ranks
