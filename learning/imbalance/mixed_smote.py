"""SMOTE-NC on a feature matrix whose categories are one-hot (Chawla et al. 2002, section 6.1).

A flag, a column of two values such as a boolean, is a category of two levels.

Not imbalanced-learn's SMOTENC: that makes a dense array of synthetic rows x neighbours x columns,
several terabytes beside a text column, and refuses categories alone.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from learning.features.layout import Layout

Rows: TypeAlias = NDArray[np.floating] | sparse.csr_array
"""(rows, columns) of a feature matrix."""

Indices: TypeAlias = NDArray[np.intp]


def mixed_rows(
    rows: Rows,  # of one class, at least two
    layout: Layout,
    neighbours: int,  # below the number of rows
    new: int,
    seed: int,
) -> Rows:
    """(new, columns): numbers between a row and a neighbour, the others as most neighbours have.

    Without categories and flags the very rows of imbalanced-learn's SMOTE with this seed.
    """
    random = check_random_state(seed)
    nearest = _nearest(rows, layout, neighbours)
    drawn = random.randint(0, nearest.size, new)
    steps = random.uniform(size=new)
    start, partner = drawn // neighbours, nearest.ravel()[drawn]
    pieces, done = [], 0
    for first, end in sorted([*layout.levels, *((flag, flag + 1) for flag in layout.flags)]):
        if first > done:
            pieces.append(between(rows[start, done:first], rows[partner, done:first], steps))
        group = rows[:, first:end]
        codes = _sides(group) if end - first == 1 else _codes(group)
        pieces.append(group[_like_most(codes, nearest[start], random)])
        done = end
    if done < rows.shape[1]:
        pieces.append(between(rows[start, done:], rows[partner, done:], steps))
    if sparse.issparse(rows):
        return sparse.hstack(pieces, format="csr", dtype=rows.dtype)
    return np.hstack(pieces)


def between(
    start: Rows,
    end: Rows,
    steps: NDArray[np.floating],  # (rows,) in [0, 1]
) -> Rows:
    """Points on the lines from each row of `start` to the same of `end`, of their float type."""
    steps = steps.astype(start.dtype)
    ways = end - start
    if sparse.issparse(start):
        return start + sparse.diags_array(steps, format="csr") @ ways
    return start + steps[:, np.newaxis] * ways


def _nearest(rows: Rows, layout: Layout, neighbours: int) -> Indices:
    """(rows, neighbours): two levels of a category are one median deviation of numbers apart.

    Columns that this class leaves constant have no say in the median: beside a text nearly all
    would, and then no category counted.
    """
    is_level, is_flag = np.zeros((2, rows.shape[1]), dtype=bool)
    for first, end in layout.levels:
        is_level[first:end] = True
    is_flag[list(layout.flags)] = True
    variances = mean_variance_axis(rows, 0)[1] if sparse.issparse(rows) else rows.var(axis=0)
    deviations = np.sqrt(variances[~is_level & ~is_flag])
    deviations = deviations[~np.isclose(deviations, 0)]
    apart = float(np.median(deviations)) if deviations.size else 1.0
    # Two levels differ in two columns of the one-hot group, two values of a flag in one, by as
    # much as its scale made of them.
    scales = np.where(is_level, apart / np.sqrt(2), 1.0)
    scales[is_flag] = apart / _spans(rows[:, is_flag])
    scaled = rows @ sparse.diags_array(scales.astype(rows.dtype), format="csr")
    searched = NearestNeighbors(n_neighbors=neighbours + 1).fit(scaled)
    found: Indices = searched.kneighbors(scaled, return_distance=False)[:, 1:]
    return found


def _spans(flags: Rows) -> NDArray[np.floating]:
    """(columns,) how far apart the two values are; 1 where the class has but one."""
    if not flags.shape[1]:
        return np.ones(0)
    if sparse.issparse(flags):
        least, most = min_max_axis(sparse.csr_array(flags), axis=0)
    else:
        least, most = flags.min(axis=0), flags.max(axis=0)
    return np.where(most > least, most - least, 1.0)


def _sides(flag: Rows) -> Indices:
    """(rows,) 1 where a flag has the larger of its two values, else 0."""
    values = np.asarray(flag.todense() if isinstance(flag, sparse.csr_array) else flag).ravel()
    larger: Indices = (values > (values.min() + values.max()) / 2).astype(np.intp)
    return larger


def _codes(group: Rows) -> Indices:
    """(rows,) the level of each row; -1 where it has none of these."""
    codes = np.full(group.shape[0], -1, dtype=np.intp)
    rows, columns = group.nonzero()
    codes[rows] = columns
    return codes


def _like_most(
    codes: Indices,  # (rows,)
    voters: Indices,  # (new, neighbours) rows
    random: np.random.RandomState,
) -> Indices:
    """(new,) a voter that has the most frequent level, ties at random."""
    ballots = codes[voters]
    votes = (ballots[:, :, np.newaxis] == ballots[:, np.newaxis, :]).sum(axis=2)
    winners = (votes + random.uniform(0, 0.5, size=votes.shape)).argmax(axis=1)
    elected: Indices = voters[np.arange(len(voters)), winners]
    return elected
