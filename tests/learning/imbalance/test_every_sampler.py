"""What every answer to imbalance must do, whatever its kind."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse

from learning.features.layout import Layout
from learning.imbalance.samplers import Chain, Resampled, class_weights, resample, resamplers
from schemas.samplers import Adasyn, ClassWeights, Cleaning, Dropping, Imbalance, Synthesising
from schemas.strict import Strict
from tests.learning.kinds import SAMPLERS

Shape = Callable[[Any], Any]

every_sampler = pytest.mark.parametrize("spec", SAMPLERS.values(), ids=SAMPLERS)
each_shape = pytest.mark.parametrize("shape", [np.asarray, csr_matrix], ids=["dense", "sparse"])
each_float = pytest.mark.parametrize("float_type", [np.float32, np.float64])


def _some(*without: type[Strict]) -> pytest.MarkDecorator:
    kept = {name: spec for name, spec in SAMPLERS.items() if not isinstance(spec, without)}
    return pytest.mark.parametrize("spec", kept.values(), ids=kept)


def _blobs(counts: Sequence[int], apart: float = 3.0, seed: int = 0) -> tuple[Any, Any]:
    """Classes apart from each other, each in a dimension of its own; then a category, one-hot."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    matrix = rng.normal(size=(len(labels), 4))
    matrix[np.arange(len(labels)), labels] += apart
    return np.hstack([matrix, np.eye(3)[rng.integers(0, 3, len(labels))]]), labels


LAYOUT = Layout(columns=7, levels=((4, 7),))


def _all(spec: Imbalance, X: Any, labels: Any, weights: Any = None, seed: int = 0) -> Any:
    counts = np.bincount(labels).tolist()
    chains = resamplers(spec, counts, seed, LAYOUT)
    return [resample(chain, X, labels, weights) for chain in chains]


def _first(spec: Imbalance, X: Any, labels: Any, weights: Any = None, seed: int = 0) -> Resampled:
    first: Resampled = _all(spec, X, labels, weights, seed)[0]
    return first


def _dense(X: Any) -> Any:
    return X.toarray() if issparse(X) else X


def _rows(X: Any) -> set[tuple[float, ...]]:
    return {tuple(row) for row in _dense(X).tolist()}


@every_sampler
@each_shape
@pytest.mark.parametrize("apart", [0.0, 3.0, 1000.0], ids=["mingled", "near", "far"])
@pytest.mark.parametrize("rare", range(1, 7))
def test_a_class_of_few_rows_survives(
    spec: Imbalance, shape: Shape, apart: float, rare: int
) -> None:
    X, labels = _blobs((30, rare, 0, 12), apart)
    for after in _all(spec, shape(X), labels):
        assert set(after.labels) == {0, 1, 3}


@every_sampler
@each_shape
def test_rows_that_are_all_the_same_survive(spec: Imbalance, shape: Shape) -> None:
    X, labels = _blobs((30, 4, 12))
    X[:] = X[0]
    for after in _all(spec, shape(X), labels):
        assert set(after.labels) == {0, 1, 2}
        assert np.allclose(_dense(after.X), X[0])


@every_sampler
@pytest.mark.parametrize("counts", [(1, 1), (2, 1), (0, 3), (1, 0, 2)], ids=str)
def test_a_handful_of_rows_survives(spec: Imbalance, counts: tuple[int, ...]) -> None:
    X, labels = _blobs(counts)
    for after in _all(spec, X, labels):
        assert set(after.labels) == set(labels)


@every_sampler
@each_shape
@each_float
def test_rows_stay_of_their_kind(spec: Imbalance, shape: Shape, float_type: type) -> None:
    X, labels = _blobs((20, 5, 9))
    given = shape(X.astype(float_type))
    for after in _all(spec, given, labels):
        assert type(after.X) is type(given)
        assert after.X.dtype == float_type
        assert after.labels.dtype == labels.dtype
        assert after.X.shape == (len(after.labels), 7)


@every_sampler
def test_sparse_and_dense_rows_become_the_same(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 9))
    dense, sparse = _first(spec, X, labels), _first(spec, csr_matrix(X), labels)
    assert np.array_equal(dense.labels, sparse.labels)
    assert np.allclose(dense.X, _dense(sparse.X))


@every_sampler
@each_shape
def test_the_same_seed_gives_the_same_rows(spec: Imbalance, shape: Shape) -> None:
    X, labels = _blobs((20, 5, 8))
    for first, again in zip(*(_all(spec, shape(X), labels) for _ in range(2)), strict=True):
        assert np.array_equal(_dense(first.X), _dense(again.X))
        assert np.array_equal(first.labels, again.labels)


@every_sampler
def test_a_chain_may_be_used_twice(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8))
    chain: Chain = resamplers(spec, (20, 5, 8), 0, LAYOUT)[0]
    before = X.copy()
    first, again = (resample(chain, X, labels, None) for _ in range(2))
    assert np.array_equal(first.X, again.X)
    assert np.array_equal(X, before)


@_some(Cleaning)  # which rows are near a border depends on the rows drawn
def test_another_seed_gives_as_many_rows(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    one, other = (_first(spec, X, labels, seed=seed) for seed in (0, 1))
    assert np.array_equal(np.bincount(one.labels), np.bincount(other.labels))


@_some(Cleaning)
def test_the_order_of_rows_does_not_change_how_many_a_class_gets(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    order = np.random.default_rng(1).permutation(len(labels))
    straight = _first(spec, X, labels)
    shuffled = _first(spec, X[order], labels[order])
    assert np.array_equal(np.bincount(straight.labels), np.bincount(shuffled.labels))


@every_sampler
def test_renamed_classes_get_as_many_rows(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    renamed = np.array([2, 0, 1])
    straight = _first(spec, X, labels)
    other = _first(spec, X, renamed[labels])
    assert np.array_equal(np.bincount(straight.labels), np.bincount(other.labels)[renamed])
    if isinstance(spec, ClassWeights):
        weights, moved = class_weights(spec, (20, 5, 8)), class_weights(spec, (5, 8, 20))
        assert weights is not None
        assert moved == pytest.approx({int(renamed[c]): w for c, w in weights.items()})


@_some(Dropping, Cleaning)
@each_shape
def test_what_grows_a_class_keeps_every_row_first(spec: Imbalance, shape: Shape) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    after = _first(spec, shape(X), labels)
    assert np.array_equal(_dense(after.X)[: len(X)], X)
    assert np.array_equal(after.labels[: len(X)], labels)


@_some(Synthesising)
def test_what_does_not_synthesise_gives_rows_that_it_was_given(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    for after in _all(spec, X, labels):
        assert _rows(after.X) <= _rows(X)


@_some(Adasyn, Cleaning)
@pytest.mark.parametrize("counts", [(40, 3, 11), (13, 0, 40, 1), (7, 7)], ids=str)
@pytest.mark.parametrize("apart", [0.0, 3.0, 1000.0])
def test_classes_get_the_rows_that_the_ratio_promises(
    spec: Imbalance, counts: tuple[int, ...], apart: float
) -> None:
    X, labels = _blobs(counts, apart)
    before, ratio = np.bincount(labels), getattr(spec, "ratio", None)
    for after in _all(spec, X, labels):
        found = np.bincount(after.labels)
        if ratio is None:
            promised = before
        elif isinstance(spec, Dropping):
            promised = np.minimum(before, int(before[before > 0].min() / ratio))
        else:
            promised = np.where(before, np.maximum(before, int(before.max() * ratio)), 0)
        assert found.tolist() == promised.tolist()


@every_sampler
@each_shape
def test_weights_follow_their_rows(spec: Imbalance, shape: Shape) -> None:
    X, labels = _blobs((20, 5, 8), 1.0)
    weights = np.random.default_rng(2).uniform(0.5, 2.0, len(labels))
    own = dict(zip(map(tuple, X.tolist()), weights, strict=True))
    means = [weights[labels == c].mean() for c in range(3)]
    for after in _all(spec, shape(X), labels, weights):
        assert after.weights is not None
        expected = [
            own.get(tuple(row), means[c])
            for row, c in zip(_dense(after.X).tolist(), after.labels, strict=True)
        ]
        assert after.weights == pytest.approx(expected)


@every_sampler
def test_rows_without_weights_stay_so(spec: Imbalance) -> None:
    X, labels = _blobs((20, 5, 8))
    assert all(after.weights is None for after in _all(spec, X, labels))


@every_sampler
def test_one_class_alone_is_left_as_it_is(spec: Imbalance) -> None:
    assert resamplers(spec, (0, 9, 0), 0, LAYOUT) == ((),)
