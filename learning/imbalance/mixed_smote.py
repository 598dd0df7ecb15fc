"""SMOTE-NC on a feature matrix whose categories are one-hot (Chawla et al. 2002, section 6.1).

Not imbalanced-learn's SMOTENC: that makes a dense array of synthetic rows x neighbours x columns,
several terabytes beside a text column, and refuses categories alone.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.sparsefuncs import mean_variance_axis

Rows: TypeAlias = NDArray[np.floating] | sparse.csr_array
"""(rows, columns) of a feature matrix."""

Indices: TypeAlias = NDArray[np.intp]
Levels: TypeAlias = tuple[tuple[int, int], ...]
"""Of each category its one-hot columns, from the first up to the last but one."""


def mixed_rows(
    rows: Rows,  # of one class, at least two
    levels: Levels,
    neighbours: int,  # below the number of rows
    new: int,
    seed: int,
) -> Rows:
    """(new, columns): numbers between a row and a neighbour, categories as most neighbours have.

    Without categories the very rows of imbalanced-learn's SMOTE with this seed.
    """
    random = check_random_state(seed)
    nearest = _nearest(rows, levels, neighbours)
    drawn = random.randint(0, nearest.size, new)
    steps = random.uniform(size=new)
    start, partner = drawn // neighbours, nearest.ravel()[drawn]
    pieces, done = [], 0
    for first, end in sorted(levels):
        pieces.append(between(rows[start, done:first], rows[partner, done:first], steps))
        group = rows[:, first:end]
        pieces.append(group[_like_most(_codes(group), nearest[start], random)])
        done = end
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


def _nearest(rows: Rows, levels: Levels, neighbours: int) -> Indices:
    """(rows, neighbours): two levels of a category are one median deviation of numbers apart.

    Columns that this class leaves constant have no say in the median: beside a text nearly all
    would, and then no category counted.
    """
    is_level = np.zeros(rows.shape[1], dtype=bool)
    for first, end in levels:
        is_level[first:end] = True
    variances = mean_variance_axis(rows, 0)[1] if sparse.issparse(rows) else rows.var(axis=0)
    deviations = np.sqrt(variances[~is_level])
    deviations = deviations[~np.isclose(deviations, 0)]
    apart = float(np.median(deviations)) if deviations.size else 1.0
    # Two levels differ in two columns of the one-hot group.
    scales = np.where(is_level, apart / np.sqrt(2), 1.0).astype(rows.dtype)
    scaled = rows @ sparse.diags_array(scales, format="csr")
    searched = NearestNeighbors(n_neighbors=neighbours + 1).fit(scaled)
    found: Indices = searched.kneighbors(scaled, return_distance=False)[:, 1:]
    return found


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
