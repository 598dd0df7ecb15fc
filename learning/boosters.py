"""LightGBM's own model text, kept behind the face of a scikit-learn classifier."""

from typing import Any, Self

import numpy as np
from lightgbm import Booster
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from learning.arrays import Probabilities


class BoosterClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A fitted booster that only answers; `seen` are the classes of its fit, ascending."""

    def __init__(self, booster: Booster, seen: tuple[int, ...]) -> None:
        self.booster = booster
        self.seen = seen

    @property
    def classes_(self) -> NDArray[np.int64]:
        return np.asarray(self.seen, dtype=np.int64)

    @property
    def booster_(self) -> Booster:
        return self.booster

    def fit(self, X: Any, y: Any) -> Self:
        """Refused: a stored booster was fitted long ago."""
        raise TypeError("expected an unfitted classifier, got a stored booster; it only answers")

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        scores: NDArray[np.float64] = np.asarray(self.booster.predict(X), dtype=np.float64)
        return np.column_stack((1.0 - scores, scores)) if scores.ndim == 1 else scores

    def __sklearn_is_fitted__(self) -> bool:
        return True


def read_booster(text: bytes, seen: tuple[int, ...]) -> BoosterClassifier:
    """The classifier that `model_to_string` wrote."""
    return BoosterClassifier(Booster(model_str=text.decode()), seen)
