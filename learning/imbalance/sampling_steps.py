"""The two samplers that any training fold survives: one grows classes, one cleans borders.

Those of imbalanced-learn raise, or silently do nothing, on small or easy classes, and clean a class
away.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import ADASYN, SMOTE
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.under_sampling import TomekLinks
from imblearn.under_sampling.base import BaseCleaningSampler
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from learning.arrays import Labels, Mask
from learning.features.layout import Layout
from learning.imbalance.mixed_smote import Rows, mixed_rows

Synthesis: TypeAlias = Callable[[Rows, Labels, int, int, int, int], Rows]
"""`(rows, labels, rare, new, k_neighbors, seed)` gives (new, columns) of a class of at least two.

About so many, or none at all where no row is hard enough for the method; `k_neighbors` may be more
than the class has.
"""

Cut: TypeAlias = Callable[[Rows, Labels], Mask]
"""(rows,) which rows to keep."""


class Oversampler(BaseOverSampler):  # type: ignore[misc]  # imblearn is untyped
    """The fold's rows, then synthetic ones: class by class, each from the fold's rows alone.

    A class where the method adds nothing grows by SMOTE, a class of one row by copies.
    """

    def __init__(
        self,
        synthesis: Synthesis,
        columns: int,  # of the matrix
        sampling_strategy: dict[int, int],  # rows that each growing class is to have
        k_neighbors: int,
        seed: int,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.synthesis = synthesis
        self.columns = columns
        self.k_neighbors = k_neighbors
        self.seed = seed

    def _fit_resample(self, X: Rows, y: Labels) -> tuple[Rows, Labels]:
        if X.shape[1] != self.columns:
            raise ValueError(
                f"expected a matrix of {self.columns} columns, as its layout has, "
                f"got {X.shape[1]}; take the layout of the features that made the matrix"
            )
        rows = sparse.csr_array(X) if sparse.issparse(X) else X
        made = {c: self._made(rows, y, c, new) for c, new in self.sampling_strategy_.items()}
        labels = np.repeat(list(made), [some.shape[0] for some in made.values()]).astype(y.dtype)
        return _stacked([X, *made.values()]), np.concatenate([y, labels])

    def _made(self, rows: Rows, labels: Labels, rare: int, new: int) -> Rows:
        of_class = np.flatnonzero(labels == rare)
        if len(of_class) == 1:  # nothing to blend with
            return rows[np.repeat(of_class, new)]
        asked = (rows, labels, rare, new, self.k_neighbors, self.seed)
        made = self.synthesis(*asked)
        return made if made.shape[0] else smote_rows(*asked)


class Cleaner(BaseCleaningSampler):  # type: ignore[misc]  # imblearn is untyped
    """Rows that a cut keeps, in their order.

    A class that would vanish keeps all its rows: the classifier has to know that it exists.
    """

    def __init__(self, cut: Cut) -> None:
        super().__init__(sampling_strategy="all")
        self.cut = cut

    def _fit_resample(self, X: Rows, y: Labels) -> tuple[Rows, Labels]:
        left = self.cut(X, y)
        left |= ~np.isin(y, y[left])
        self.sample_indices_ = np.flatnonzero(left)
        return X[left], y[left]


def smote_rows(
    rows: Rows, labels: Labels, rare: int, new: int, k_neighbors: int, seed: int
) -> Rows:
    """imbalanced-learn's."""
    own = int((labels == rare).sum())
    neighbours = min(k_neighbors, own - 1)
    return _added(
        SMOTE(sampling_strategy={rare: own + new}, random_state=seed, k_neighbors=neighbours),
        rows,
        labels,
    )


def nc_rows(
    rows: Rows,
    labels: Labels,
    rare: int,
    new: int,
    k_neighbors: int,
    seed: int,
    *,
    layout: Layout,
) -> Rows:
    """Categories and flags as most neighbours have them."""
    own = rows[labels == rare]
    return mixed_rows(own, layout, min(k_neighbors, own.shape[0] - 1), new, seed)


def adasyn_rows(
    rows: Rows, labels: Labels, rare: int, new: int, k_neighbors: int, seed: int
) -> Rows:
    """imbalanced-learn's, about so many; none where it raises."""
    own = int((labels == rare).sum())
    neighbours = min(k_neighbors, own - 1)
    sampler = ADASYN(sampling_strategy={rare: own + new}, random_state=seed, n_neighbors=neighbours)
    try:
        return _added(sampler, rows, labels)
    except (RuntimeError, ValueError):
        # No row has a neighbour of another class, or each would get less than half a row.
        # Whatever else is wrong with the rows, SMOTE raises too.
        return rows[:0]


def unlinked(rows: Rows, labels: Labels) -> Mask:
    """Rows that are no part of a Tomek link."""
    links = TomekLinks(sampling_strategy="all")
    links.fit_resample(rows, labels)
    return np.isin(np.arange(len(labels)), links.sample_indices_)


def unedited(rows: Rows, labels: Labels, *, neighbours: int) -> Mask:
    """Rows that no other class outvotes among their neighbours.

    As Wilson and Batista edit. imbalanced-learn's default wants all neighbours of the row's class;
    its other rule settles ties by the order of the classes.
    """
    searched = NearestNeighbors(n_neighbors=min(neighbours, len(labels) - 1) + 1).fit(rows)
    around = labels[searched.kneighbors(rows, return_distance=False)[:, 1:]]
    votes = np.stack([(around == c).sum(axis=1) for c in np.unique(labels)])
    kept: Mask = (around == labels[:, np.newaxis]).sum(axis=1) >= votes.max(axis=0)
    return kept


def _added(sampler: BaseSampler, rows: Rows, labels: Labels) -> Rows:
    """What an oversampler puts after the rows that it is given."""
    return sampler.fit_resample(rows, labels)[0][len(labels) :]


def _stacked(pieces: list[Rows]) -> Rows:
    """Of the first one's kind."""
    if sparse.issparse(pieces[0]):
        return type(pieces[0])(sparse.vstack(pieces, format="csr"))
    return np.vstack(pieces)
