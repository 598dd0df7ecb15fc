"""Logistic regression that every solver fits, whatever the number of classes."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from learning.arrays import Probabilities, Weights


class PatientLogisticRegression(LogisticRegression):  # type: ignore[misc]  # sklearn is untyped
    """Logistic regression that takes the end of its iterations as the answer.

    Out-of-fold scores judge whether that answer is good; a warning a trial would tell nobody.
    liblinear separates two classes only, so here it fits each class against the rest.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """As the parent's, without `ConvergenceWarning`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            if self.solver == "liblinear" and len(np.unique(y)) > 2:
                return self._fit_against_rest(X, np.asarray(y), sample_weight)
            super().fit(X, y, sample_weight)
        return self

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        if self.solver == "liblinear":
            return against_rest(self.decision_function(X))
        answers: Probabilities = super().predict_proba(X)
        return answers

    def _fit_against_rest(self, X: Any, y: NDArray[Any], sample_weight: Any) -> Self:
        weights = row_weights(self.class_weight, y, sample_weight)
        alone = LogisticRegression(**{**self.get_params(), "class_weight": None})
        classes = np.unique(y)
        coefficients, intercepts, iterations = [], [], []
        for one in classes:
            alone.fit(X, y == one, weights)
            coefficients.append(alone.coef_[0])
            intercepts.append(alone.intercept_[0])
            iterations.append(alone.n_iter_[0])
        self.classes_ = classes
        self.coef_, self.intercept_ = np.vstack(coefficients), np.asarray(intercepts)
        self.n_iter_ = np.asarray(iterations, dtype=np.int32)
        self.n_features_in_ = X.shape[1]
        return self


def against_rest(
    scores: NDArray[np.float64],  # (rows,) of the second of two classes, or (rows, classes)
) -> Probabilities:
    """(rows, classes): each class's own logistic, made to sum to 1.

    >>> against_rest(np.array([0.0])).tolist(), against_rest(np.array([[0.0, 0.0]])).tolist()
    ([[0.5, 0.5]], [[0.5, 0.5]])
    """
    if scores.ndim == 1:
        likely: Probabilities = expit(scores.astype(np.float64))
        return np.column_stack((1.0 - likely, likely))
    each: Probabilities = expit(np.maximum(scores.astype(np.float64), -600.0))  # no row of zeros
    shares: Probabilities = each / each.sum(axis=1, keepdims=True)
    return shares


def row_weights(
    class_weight: dict[int, float] | None,
    labels: Any,  # (rows,)
    sample_weight: Any,  # (rows,) or None
) -> Weights:
    """(rows,) the weight of a row's class times its own."""
    weights: Weights = compute_sample_weight(class_weight, labels)
    return weights if sample_weight is None else weights * np.asarray(sample_weight)
