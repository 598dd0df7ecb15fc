"""NB-SVM against figures computed by hand, and against its own limits."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse

from learning.families import nbsvm
from learning.families.linear import PatientLogisticRegression
from learning.families.nbsvm import NaiveBayesLogistic, log_count_ratio

COUNTS = np.array([[2.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 3.0]])
LABELS = np.array([1, 1, 0, 0])
# Class 1 has 3, 1, 0 of the words, class 0 has 0, 1, 4; with 1 added to each: 4, 2, 1 of 7 and
# 1, 2, 5 of 8.
RATIO = np.log(np.array([4 / 7, 2 / 7, 1 / 7]) / np.array([1 / 8, 2 / 8, 5 / 8]))


@pytest.mark.parametrize("shape", [np.asarray, csr_matrix], ids=["dense", "sparse"])
def test_the_ratio_is_the_one_computed_by_hand(shape: Any) -> None:
    ratio = log_count_ratio(shape(COUNTS), LABELS == 1, np.ones(4), alpha=1.0)
    np.testing.assert_allclose(ratio, RATIO, rtol=1e-12)
    np.testing.assert_allclose(ratio, [1.519826, 0.133531, -1.475907], atol=1e-6)


def test_more_smoothing_pulls_the_ratio_to_zero() -> None:
    sizes = [
        np.abs(log_count_ratio(COUNTS, LABELS == 1, np.ones(4), alpha)).max()
        for alpha in (0.1, 1.0, 10.0, 1e6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-5


def test_a_row_of_weight_three_counts_three_times() -> None:
    weighed = log_count_ratio(COUNTS, LABELS == 1, np.array([3.0, 1.0, 1.0, 1.0]), 1.0)
    repeated = log_count_ratio(COUNTS[[0, 0, 0, 1, 2, 3]], LABELS[[0, 0, 0, 1, 2, 3]] == 1,
                               np.ones(6), 1.0)  # fmt: skip
    np.testing.assert_allclose(weighed, repeated, rtol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
def test_coefficients_are_the_ratio_times_the_interpolated_weights(beta: float) -> None:
    linear = PatientLogisticRegression(C=2.0, max_iter=300, tol=1e-3).fit(COUNTS * RATIO, LABELS)
    learned = linear.coef_[0]
    wanted = RATIO * ((1 - beta) * np.abs(learned).mean() + beta * learned)
    fitted = NaiveBayesLogistic(C=2.0, alpha=1.0, beta=beta).fit(COUNTS, LABELS)
    np.testing.assert_allclose(fitted.coef_[0], wanted, rtol=1e-9)
    np.testing.assert_allclose(fitted.intercept_, linear.intercept_, rtol=1e-9)
    scores = COUNTS @ wanted + linear.intercept_[0]
    np.testing.assert_allclose(
        fitted.predict_proba(COUNTS)[:, 1], 1 / (1 + np.exp(-scores)), rtol=1e-9
    )


def test_without_learned_weights_the_direction_is_that_of_naive_bayes() -> None:
    fitted = NaiveBayesLogistic(beta=0.0).fit(COUNTS, LABELS)
    np.testing.assert_allclose(fitted.coef_[0] / fitted.coef_[0, 0], RATIO / RATIO[0], rtol=1e-9)


def _signed() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    return rng.normal(size=(90, 4)) + np.eye(3, 4)[labels], labels


def test_columns_below_zero_enter_the_linear_model_as_they_are() -> None:
    matrix, labels = _signed()
    fitted = NaiveBayesLogistic(C=1.0, beta=0.0).fit(matrix, labels)
    for place, one in enumerate((0, 1, 2)):
        linear = PatientLogisticRegression(C=1.0, max_iter=300, tol=1e-3).fit(matrix, labels == one)
        np.testing.assert_allclose(fitted.coef_[place], linear.coef_[0], rtol=1e-9)


def test_beta_leaves_the_weights_of_columns_below_zero_alone() -> None:
    matrix, labels = _signed()
    both = np.hstack([matrix, np.tile(COUNTS, (23, 1))[:90]])
    alone, mixed = (NaiveBayesLogistic(beta=b).fit(both, labels).coef_ for b in (1.0, 0.0))
    np.testing.assert_allclose(alone[:, :4], mixed[:, :4], rtol=1e-9)
    assert np.abs(alone[:, 4:] - mixed[:, 4:]).max() > 0.01


def test_two_classes_are_each_other_s_mirror() -> None:
    straight = NaiveBayesLogistic().fit(COUNTS, LABELS).predict_proba(COUNTS)
    mirrored = NaiveBayesLogistic().fit(COUNTS, 1 - LABELS).predict_proba(COUNTS)
    np.testing.assert_allclose(straight, mirrored[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_sparse_stays_sparse_and_keeps_its_precision(
    precision: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[Any] = []

    class Watching(PatientLogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            met.append(X)
            return super().fit(X, y, sample_weight)

    monkeypatch.setattr(nbsvm, "PatientLogisticRegression", Watching)
    sparse = csr_matrix(COUNTS.astype(precision))
    NaiveBayesLogistic().fit(sparse, LABELS)
    assert issparse(met[0])
    assert met[0].format == "csr"
    assert met[0].dtype == precision
    assert met[0].nnz == sparse.nnz


def test_a_word_that_one_class_alone_has_speaks_for_it() -> None:
    fitted = NaiveBayesLogistic().fit(COUNTS, LABELS)
    first, last = fitted.predict_proba(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))[:, 1]
    assert first > 0.5 > last


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected rows of at least two classes"):
        NaiveBayesLogistic().fit(COUNTS, np.ones(4, dtype=int))


def test_another_width_is_refused() -> None:
    fitted = NaiveBayesLogistic().fit(COUNTS, LABELS)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 3"):
        fitted.predict_proba(COUNTS[:, :2])


def test_scores_far_out_are_still_probabilities() -> None:
    matrix, labels = _signed()
    fitted = NaiveBayesLogistic().fit(matrix, labels)
    answers = fitted.predict_proba(np.array([[-1e6, -1e6, -1e6, 0.0], [1e6, 1e6, 1e6, 1e6]]))
    assert np.isfinite(answers).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1)
