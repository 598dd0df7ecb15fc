"""Borderline-SMOTE (Han, Wang & Mao 2005), both variants, on dense and sparse rows.

Not imbalanced-learn's (0.14): its variant 2 fails on `csr_matrix`, and as `csr_array` needs 6 GiB
and 42 s for a class of 1,000 among 20,000 texts (here 0.4 GiB and 1.2 s). It says nothing where it
adds no row.
"""

from typing import Literal

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from learning.arrays import Labels
from learning.imbalance.mixed_smote import Rows, between


def borderline_rows(
    rows: Rows,
    labels: Labels,  # (rows,)
    rare: int,  # the class that grows, at least two rows
    new: int,
    k_neighbors: int,
    seed: int,
    *,
    m_neighbors: int,
    variant: Literal[1, 2],
) -> Rows:
    """(new, columns); (0, columns) where no row is in danger.

    In danger: at least half, not all, of the `m_neighbors` nearest are of other classes. Neighbours
    are clamped to what there is. Variant 1 gives the very rows of imbalanced-learn with this seed.
    """
    own = rows[labels == rare]
    m_neighbors = min(m_neighbors, len(labels) - 1)
    everyone = NearestNeighbors(n_neighbors=m_neighbors + 1).fit(rows)
    around = everyone.kneighbors(own, return_distance=False)[:, 1:]
    foreign = (labels[around] != rare).sum(axis=1)
    danger = own[(foreign >= m_neighbors / 2) & (foreign < m_neighbors)]
    if not danger.shape[0]:
        return danger
    partners = own if variant == 1 else rows
    k_neighbors = min(k_neighbors, partners.shape[0] - 1)
    searched = NearestNeighbors(n_neighbors=k_neighbors + 1).fit(partners)
    nearest = searched.kneighbors(danger, return_distance=False)[:, 1:]
    random = check_random_state(seed)
    drawn = random.randint(0, nearest.size, new)
    steps = random.uniform(size=new)
    partner = nearest.ravel()[drawn]
    if variant == 2:  # towards another class at most half the way
        steps = np.where(labels[partner] == rare, steps, steps / 2)
    return between(danger[drawn // k_neighbors], partners[partner], steps)
