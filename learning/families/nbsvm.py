"""NB-SVM: a linear model over naive Bayes log-count ratios.

S. Wang and C. Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification",
ACL 2012. With the logistic loss instead of the squared hinge, because probabilities are needed.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from learning.arrays import Probabilities, Weights
from learning.families.linear import PatientLogisticRegression, against_rest, row_weights


class NaiveBayesLogistic(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Each class against the rest (two classes: one model), as one matrix of coefficients.

    A column that is nowhere negative is a count: it is multiplied by its log-count ratio. Other
    columns enter the linear model as they are, and `beta` leaves their weights alone.
    """

    def __init__(
        self,
        C: float = 1.0,
        alpha: float = 1.0,  # added to every count
        beta: float = 0.25,  # share of the learned weights; the rest is their mean size
        max_iter: int = 300,
        class_weight: dict[int, float] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.C = C
        self.alpha = alpha
        self.beta = beta
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """A row of weight 2 counts as two rows, in the ratios as in the linear model."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=(np.float64, np.float32))
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError("expected rows of at least two classes, got one class alone")
        weights = row_weights(self.class_weight, y, sample_weight)
        counts = _nowhere_negative(X)
        ones = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        fitted = [self._fit_one(X, y == one, weights, counts) for one in ones]
        self.coef_ = np.vstack([coefficients for coefficients, _ in fitted])
        self.intercept_ = np.array([intercept for _, intercept in fitted])
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """(rows,) of the second of two classes, (rows, classes) of more."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False)
        scores: NDArray[np.float64] = safe_sparse_dot(X, self.coef_.T, dense_output=True)
        scores = scores + self.intercept_
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        return against_rest(self.decision_function(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """(rows,) the likeliest class."""
        likeliest: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return likeliest

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit_one(
        self, X: Any, inside: NDArray[np.bool_], weights: Weights, counts: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], float]:
        """Coefficients of X itself, and the intercept, for the rows inside of one class."""
        factors = np.ones(X.shape[1])
        factors[counts] = log_count_ratio(X[:, counts], inside, weights, self.alpha)
        linear = PatientLogisticRegression(
            C=self.C, max_iter=self.max_iter, tol=1e-3, random_state=self.random_state
        ).fit(_scaled(X, factors), inside, weights)
        learned = linear.coef_[0].astype(np.float64)
        if counts.any():
            mean_size = np.abs(learned[counts]).mean()
            learned[counts] = (1 - self.beta) * mean_size + self.beta * learned[counts]
        return factors * learned, float(linear.intercept_[0])


def log_count_ratio(
    counts: Any,  # (rows, columns) >= 0, dense or sparse
    inside: NDArray[np.bool_],  # (rows,)
    weights: Weights,
    alpha: float,
) -> NDArray[np.float64]:
    """(columns,) log of a column's share of the counts inside of a class over that outside.

    >>> rows = np.array([[3.0, 1.0], [0.0, 1.0]])
    >>> log_count_ratio(rows, np.array([True, False]), np.ones(2), alpha=1.0).round(3).tolist()
    [0.693, -0.693]
    """
    p, q = (
        alpha + np.asarray(counts.T @ np.where(mask, weights, 0.0), dtype=np.float64)
        for mask in (inside, ~inside)
    )
    ratio: NDArray[np.float64] = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratio


def _nowhere_negative(X: Any) -> NDArray[np.bool_]:
    least = X.min(axis=0)
    plain = least.toarray() if issparse(least) else np.asarray(least)
    nowhere: NDArray[np.bool_] = plain.ravel() >= 0
    return nowhere


def _scaled(X: Any, factors: NDArray[np.float64]) -> Any:
    """Each column times its factor, in the matrix's own format and precision."""
    factors = factors.astype(X.dtype)
    return csr_matrix(X @ diags_array(factors)) if issparse(X) else X * factors
