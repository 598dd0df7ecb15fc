"""What comes back from a file: a classifier that answers, and is never fitted again."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from learning.arrays import Probabilities


class OnlyAnswers(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]  # sklearn is untyped
    """`seen` are the classes of the fit, ascending; `body` is what it was restored from.

    `format` names what `body` is in; `suffix` is of its file, without the dot.
    """

    format: ClassVar[str]
    suffix: ClassVar[str]

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        self.body = body
        self.seen = seen

    @property
    def classes_(self) -> NDArray[np.int64]:
        return np.asarray(self.seen, dtype=np.int64)

    @abstractmethod
    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""

    def predict(self, X: Any) -> NDArray[np.int64]:
        """(rows,) the likeliest class."""
        likeliest: NDArray[np.int64] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return likeliest

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Refused: it was fitted long ago."""
        raise TypeError("expected an unfitted classifier, got a restored one; it only answers")

    def __sklearn_is_fitted__(self) -> bool:
        return True
