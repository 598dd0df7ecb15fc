"""The two samplers that any training fold survives: one grows classes, one cleans borders.

Those of imbalanced-learn raise, or silently do nothing, on small or easy classes, and clean a class
away.
"""

from typing import TypeAlias, assert_never

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
from learning.imbalance.borderline_smote import borderline_rows
from learning.imbalance.mixed_smote import Rows, mixed_rows
from schemas.knobs import value
from schemas.samplers import Adasyn, BorderlineSmote, Smote, SmoteEnn, SmoteNC, SmoteTomek

Synthesis: TypeAlias = Smote | SmoteNC | BorderlineSmote | Adasyn | SmoteEnn | SmoteTomek


class Oversampler(BaseOverSampler):  # type: ignore[misc]  # imblearn is untyped
    """The fold's rows, then synthetic ones: class by class, each from the fold's rows alone.

    Neighbours are clamped to the class. A class without hard rows, where Borderline-SMOTE adds
    nothing and ADASYN raises, grows by SMOTE; a class of one row by copies.
    """

    def __init__(
        self,
        spec: Synthesis,  # settled
        layout: Layout,
        sampling_strategy: dict[int, int],  # rows that each growing class is to have
        seed: int,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.spec = spec
        self.layout = layout
        self.seed = seed

    def _fit_resample(self, X: Rows, y: Labels) -> tuple[Rows, Labels]:
        if X.shape[1] != self.layout.columns:
            raise ValueError(
                f"expected a matrix of {self.layout.columns} columns, as its layout has, "
                f"got {X.shape[1]}; take the layout of the features that made the matrix"
            )
        rows = sparse.csr_array(X) if sparse.issparse(X) else X
        made = {c: self._made(rows, y, c, new) for c, new in self.sampling_strategy_.items()}
        labels = np.repeat(list(made), [some.shape[0] for some in made.values()]).astype(y.dtype)
        return _stacked([X, *made.values()]), np.concatenate([y, labels])

    def _made(self, rows: Rows, labels: Labels, rare: int, new: int) -> Rows:
        """(new, columns) of class `rare`; about as many by ADASYN."""
        of_class = np.flatnonzero(labels == rare)
        if len(of_class) == 1:  # nothing to blend with
            return rows[np.repeat(of_class, new)]
        spec = self.spec
        k_neighbors = min(value(spec.k_neighbors), len(of_class) - 1)
        common = {"sampling_strategy": {rare: len(of_class) + new}, "random_state": self.seed}
        smote = SMOTE(k_neighbors=k_neighbors, **common)
        match spec:
            case SmoteNC() if self.layout.levels:
                levels = self.layout.levels
                return mixed_rows(rows[of_class], levels, k_neighbors, new, self.seed)
            case Smote() | SmoteNC() | SmoteEnn() | SmoteTomek():
                return _added(smote, rows, labels)
            case BorderlineSmote():
                added = borderline_rows(rows, labels, rare, spec, new, self.seed)
                return added if added.shape[0] else _added(smote, rows, labels)
            case Adasyn():
                try:
                    return _added(ADASYN(n_neighbors=k_neighbors, **common), rows, labels)
                except (RuntimeError, ValueError):
                    # No row has a neighbour of another class, or each would get less than half a
                    # row. Whatever else is wrong with the rows, SMOTE raises too.
                    return _added(smote, rows, labels)
            case _:
                assert_never(spec)


class Cleaner(BaseCleaningSampler):  # type: ignore[misc]  # imblearn is untyped
    """Rows that edited nearest neighbours, or Tomek's links, leave; in their order.

    A class that would vanish keeps all its rows: the classifier has to know that it exists.
    """

    def __init__(
        self,
        spec: SmoteEnn | SmoteTomek,  # settled
    ) -> None:
        super().__init__(sampling_strategy="all")
        self.spec = spec

    def _fit_resample(self, X: Rows, y: Labels) -> tuple[Rows, Labels]:
        match self.spec:
            case SmoteEnn():
                left = _unedited(X, y, min(value(self.spec.enn_neighbors), len(y) - 1))
            case SmoteTomek():
                links = TomekLinks(sampling_strategy="all")
                links.fit_resample(X, y)
                left = np.isin(np.arange(len(y)), links.sample_indices_)
            case _:
                assert_never(self.spec)
        left |= ~np.isin(y, y[left])
        self.sample_indices_ = np.flatnonzero(left)
        return X[left], y[left]


def _unedited(rows: Rows, labels: Labels, neighbours: int) -> Mask:
    """Rows that no other class outvotes among their neighbours.

    As Wilson and Batista edit. imbalanced-learn's default wants all neighbours of the row's class;
    its other rule settles ties by the order of the classes.
    """
    searched = NearestNeighbors(n_neighbors=neighbours + 1).fit(rows)
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
