"""What every classifier must do, whatever its family."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from learning.arrays import Probabilities
from learning.families.classifier_files import restored, stored
from learning.families.classifiers import classifier
from schemas.classifiers import Classifier
from tests.learning.kinds import CLASSIFIERS

every_classifier = pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=CLASSIFIERS)
each_shape = pytest.mark.parametrize("shape", [np.asarray, csr_matrix], ids=["dense", "sparse"])

Shape = Callable[[Any], Any]

DRAWN = {"random-forest", "balanced-random-forest"}
"""Rows are drawn by their place: another order is another forest of the same kind."""

COUNTED = {"lightgbm", *DRAWN}
"""Families that count rows beside weighing them: a row of weight 2 is not quite two rows."""


@pytest.fixture(autouse=True)
def no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _blobs(counts: tuple[int, ...], seed: int = 0, apart: float = 3.0) -> tuple[Any, Any]:
    """Classes apart from each other by three deviations, each in a dimension of its own."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    matrix = rng.normal(size=(len(labels), 4))
    matrix[np.arange(len(labels)), labels] += apart
    return matrix, labels


def _fitted(
    spec: Classifier,
    matrix: Any,
    labels: Any,
    seed: int = 0,
    weights: Any = None,
    classes: Mapping[int, float] | None = None,
    threads: int = 1,
) -> Any:
    return classifier(spec, classes, seed, threads).fit(matrix, labels, sample_weight=weights)


def _answers(fitted: Any, matrix: Any) -> Probabilities:
    answers: Probabilities = np.asarray(fitted.predict_proba(matrix), dtype=np.float64)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert ((answers >= 0) & (answers <= 1)).all()
    return answers


def _alike(spec: Classifier, first: Probabilities, second: Probabilities) -> None:
    if spec.kind in DRAWN:
        assert (first.argmax(axis=1) == second.argmax(axis=1)).mean() > 0.95
        assert np.abs(first - second).mean() < 0.05
    else:
        np.testing.assert_allclose(first, second, atol=0.02)


@every_classifier
@each_shape
def test_a_classifier_overfits_ten_rows(spec: Classifier, shape: Shape) -> None:
    matrix, labels = _blobs((5, 5))
    fitted = _fitted(spec, shape(matrix), labels)
    assert _answers(fitted, shape(matrix)).argmax(axis=1).tolist() == labels.tolist()


@every_classifier
@each_shape
@pytest.mark.parametrize("rare", range(1, 7))
def test_a_classifier_survives_a_class_of_few_rows(
    spec: Classifier, shape: Shape, rare: int
) -> None:
    matrix, labels = _blobs((30, rare, 12))
    fitted = _fitted(spec, shape(matrix), labels)
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert _answers(fitted, shape(matrix)).shape == (42 + rare, 3)


@every_classifier
@pytest.mark.parametrize("seen", [(1, 4), (0, 2, 3)], ids=str)
def test_classes_that_a_fold_lacks_are_no_columns(spec: Classifier, seen: tuple[int, ...]) -> None:
    matrix, labels = _blobs((20,) * len(seen))
    names = np.array(seen)[labels]
    everyone = {c: 1.0 + c for c in range(5)}
    for classes in (None, everyone, {c: everyone[c] for c in seen}):
        fitted = _fitted(spec, matrix, names, classes=classes)
        assert fitted.classes_.tolist() == list(seen)
        likeliest = _answers(fitted, matrix).argmax(axis=1)
        assert (np.array(seen)[likeliest] == names).mean() > 0.85


@every_classifier
def test_sparse_and_dense_rows_give_the_same_probabilities(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 8, 6))
    sparse = csr_matrix(matrix)
    dense = _answers(_fitted(spec, matrix, labels), matrix)
    np.testing.assert_allclose(_answers(_fitted(spec, sparse, labels), sparse), dense, atol=0.01)


@every_classifier
def test_single_precision_is_taken_as_it_comes_from_texts(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 8, 6))
    double = _answers(_fitted(spec, csr_matrix(matrix), labels), csr_matrix(matrix))
    single = csr_matrix(matrix.astype(np.float32))
    _alike(spec, _answers(_fitted(spec, single, labels), single), double)


@every_classifier
def test_the_same_seed_gives_the_same_probabilities(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 8, 6))
    first, again = (_answers(_fitted(spec, matrix, labels, 3), matrix) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@every_classifier
def test_two_threads_give_the_probabilities_of_one(spec: Classifier) -> None:
    matrix, labels = _blobs((60, 40, 20))
    one, two = (_answers(_fitted(spec, matrix, labels, threads=n), matrix) for n in (1, 2))
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


@every_classifier
def test_the_order_of_rows_changes_no_decision(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 8, 6))
    order = np.random.default_rng(1).permutation(len(labels))
    straight = _answers(_fitted(spec, matrix, labels), matrix)
    _alike(spec, straight, _answers(_fitted(spec, matrix[order], labels[order]), matrix))


@every_classifier
def test_renamed_classes_get_the_same_probabilities(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 8, 6))
    renamed = np.array([2, 0, 1])
    straight = _answers(_fitted(spec, matrix, labels), matrix)
    other = _answers(_fitted(spec, matrix, renamed[labels]), matrix)
    _alike(spec, straight, other[:, renamed])


@every_classifier
def test_a_row_further_into_a_class_is_no_less_likely_of_it(spec: Classifier) -> None:
    matrix, labels = _blobs((20, 20))
    fitted = _fitted(spec, matrix, labels)
    nearer, further = np.zeros((1, 4)), np.array([[0.0, 6.0, 0.0, 0.0]])
    likely = [_answers(fitted, row)[0, 1] for row in (nearer, further)]
    assert likely[1] >= likely[0]


@every_classifier
def test_weight_on_a_class_makes_it_more_likely(spec: Classifier) -> None:
    matrix, labels = _blobs((90, 30), apart=0.3)
    unseen = np.random.default_rng(1).normal(size=(200, 4))
    plain, weighed = (
        _answers(_fitted(spec, matrix, labels, classes=weights), unseen)[:, 1].mean()
        for weights in (None, {0: 0.5, 1: 4.0})
    )
    assert weighed > plain + 0.03


@every_classifier
@each_shape
def test_row_weights_multiply_class_weights(spec: Classifier, shape: Shape) -> None:
    matrix, labels = _blobs((30, 20, 10), apart=1.0)
    each = {0: 0.5, 1: 1.0, 2: 3.0}
    weights = np.array([each[c] for c in labels])
    by_class = _answers(_fitted(spec, shape(matrix), labels, classes=each), shape(matrix))
    by_row = _answers(_fitted(spec, shape(matrix), labels, weights=weights), shape(matrix))
    np.testing.assert_allclose(by_class, by_row, atol=1e-5)
    twice = _answers(
        _fitted(spec, shape(matrix), labels, weights=weights, classes=each), shape(matrix)
    )
    squared = _answers(_fitted(spec, shape(matrix), labels, weights=weights**2), shape(matrix))
    np.testing.assert_allclose(twice, squared, atol=1e-5)


@every_classifier
def test_a_row_of_weight_two_is_a_row_that_stands_twice(spec: Classifier) -> None:
    matrix, labels = _blobs((30, 20, 10), apart=1.0)
    heavy = np.random.default_rng(2).integers(1, 4, len(labels))
    weighed = _answers(_fitted(spec, matrix, labels, weights=heavy.astype(float)), matrix)
    again = np.repeat(np.arange(len(labels)), heavy)
    repeated = _answers(_fitted(spec, matrix[again], labels[again]), matrix)
    if spec.kind in COUNTED:
        plain = _answers(_fitted(spec, matrix, labels), matrix)
        assert np.abs(weighed - plain).max() > 1e-4
    else:
        np.testing.assert_allclose(weighed, repeated, atol=0.01)


@every_classifier
def test_heavy_rows_of_a_class_make_it_more_likely(spec: Classifier) -> None:
    matrix, labels = _blobs((60, 60), apart=0.3)
    unseen = np.random.default_rng(1).normal(size=(200, 4))
    means = [
        _answers(_fitted(spec, matrix, labels, weights=np.where(labels == 1, w, 1.0)), unseen)[
            :, 1
        ].mean()
        for w in (0.2, 1.0, 5.0)
    ]
    assert means == sorted(means)
    assert means[2] > means[0] + 0.05


@every_classifier
@each_shape
@pytest.mark.parametrize("seen", [(1, 4), (0, 2, 3)], ids=str)
def test_a_classifier_comes_back_with_equal_answers(
    spec: Classifier, shape: Shape, seen: tuple[int, ...]
) -> None:
    matrix, labels = _blobs((20, 8, 6)[: len(seen)], apart=1.0)
    fitted = _fitted(spec, shape(matrix), np.array(seen)[labels])
    unseen = shape(np.random.default_rng(1).normal(size=(50, 4)))
    file = stored(fitted)
    back = restored(file.format, file.body, file.seen)
    assert file.seen == seen
    assert back.classes_.tolist() == list(seen)
    np.testing.assert_allclose(_answers(back, unseen), _answers(fitted, unseen), rtol=0, atol=1e-12)
    assert stored(back) == file


@every_classifier
def test_a_restored_classifier_is_not_fitted_again(spec: Classifier) -> None:
    matrix, labels = _blobs((8, 8))
    file = stored(_fitted(spec, matrix, labels))
    with pytest.raises(TypeError, match="expected an unfitted classifier"):
        restored(file.format, file.body, file.seen).fit(matrix, labels)
