"""Times and given embeddings as numbers, and dense blocks as sparse ones."""

from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

Precision: TypeAlias = Literal["single", "double"]

CLOCKS = ("hour", "weekday", "day of the year")
"""The circles that an instant has a place on, each as sine and cosine."""

DAY_S = 86_400.0
YEAR_DAYS = 365.25


class Clock(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Where each instant of a frame of times stands on the `CLOCKS`, in UTC.

    A missing one stands in their middle (0, 0). A column that misses some in training says so in
    a column of its own.
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn which columns miss an instant."""
        self.columns_ = [str(name) for name in X.columns]
        self.indicated_ = [bool(X[name].isna().any()) for name in X.columns]
        self.n_features_in_ = len(self.columns_)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """(rows, columns x 6 and one for each column that missed some)."""
        blocks: list[NDArray[np.float64]] = []
        for name, indicated in zip(X.columns, self.indicated_, strict=True):
            times = pd.DatetimeIndex(pd.to_datetime(X[name], utc=True))
            for share in _shares(times):
                angle = 2 * np.pi * share
                blocks += [np.nan_to_num(np.sin(angle)), np.nan_to_num(np.cos(angle))]
            if indicated:
                blocks.append(np.asarray(times.isna(), dtype=np.float64))
        return np.column_stack(blocks)

    def marks(self) -> list[int]:
        """Which of the columns that it makes tell that an instant was missing."""
        ends = np.cumsum([2 * len(CLOCKS) + indicated for indicated in self.indicated_])
        return [int(end) - 1 for end, told in zip(ends, self.indicated_, strict=True) if told]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """`column: clock, sine or cosine`."""
        names: list[str] = []
        for column, indicated in zip(self.columns_, self.indicated_, strict=True):
            names += [f"{column}: {clock}, {wave}" for clock in CLOCKS for wave in ("sin", "cos")]
            names += [f"{column}: missing"] * indicated
        return np.array(names, dtype=object)


class Vectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """One column of embeddings as a dense block; a missing one is zeros.

    ValueError where one has another length.
    """

    def __init__(self, dimension: int, precision: Precision = "double") -> None:
        self.dimension = dimension
        self.precision = precision

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Nothing to learn: the plan says the dimension."""
        self.n_features_in_ = 1
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32] | NDArray[np.float64]:
        """(rows, dimension)."""
        dtype = np.float32 if self.precision == "single" else np.float64
        made = np.zeros((len(X), self.dimension), dtype=dtype)
        for row, cell in enumerate(X.iloc[:, 0]):
            if np.ndim(cell) == 0:  # no list, so none at all: None or NaN
                continue
            if len(cell) != self.dimension:
                raise ValueError(
                    f"column {str(X.columns[0])!r}: expected embeddings of {self.dimension} "
                    f"numbers, got {len(cell)} in row {row + 1}. Correct the row, or the dimension "
                    "in dataset.columns."
                )
            made[row] = cell
        return made

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """`column[place]`."""
        name = "embedding" if input_features is None else str(input_features[0])
        return np.array([f"{name}[{place}]" for place in range(self.dimension)], dtype=object)


class Sparse(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A dense block as float32 CSR, to stand beside words without doubling their width."""

    def fit(self, X: NDArray[np.float64], y: object = None) -> Self:
        """Nothing to learn."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: NDArray[np.float64]) -> csr_matrix:
        """(rows, columns) as before."""
        return csr_matrix(np.asarray(X, dtype=np.float32))


def _shares(times: pd.DatetimeIndex) -> tuple[NDArray[np.float64], ...]:
    """How far the hand of each clock has gone round, in [0, 1)."""
    seconds = (times - times.normalize()).total_seconds().to_numpy(dtype=np.float64)
    weekdays = times.day_of_week.to_numpy(dtype=np.float64)
    days = times.day_of_year.to_numpy(dtype=np.float64)
    return seconds / DAY_S, weekdays / 7, (days - 1) / YEAR_DAYS
