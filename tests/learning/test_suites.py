"""What every sampler and every classifier must do, whatever its kind."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from learning.pipelines import pipeline, predict_probabilities
from learning.samplers import class_weights, sampler
from schemas.classifiers import Classifier
from schemas.dataset import Column, NumberColumn, TextColumn
from schemas.features import Features, TextFeatures
from schemas.samplers import ClassWeights, Imbalance
from schemas.trials import Candidate
from tests.learning.kinds import CLASSIFIERS, SAMPLERS

every_sampler = pytest.mark.parametrize("spec", SAMPLERS.values(), ids=SAMPLERS)
every_classifier = pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=CLASSIFIERS)
each_shape = pytest.mark.parametrize("shape", [np.asarray, csr_matrix], ids=["dense", "sparse"])

Shape = Callable[[Any], Any]


def _blobs(counts: tuple[int, ...], seed: int = 0) -> tuple[Any, Any]:
    """Classes apart from each other by three deviations, each in a dimension of its own."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    matrix = rng.normal(size=(len(labels), 4))
    matrix[np.arange(len(labels)), labels] += 3
    return matrix, labels


def _resampled(spec: Imbalance, matrix: Any, labels: Any, counts: tuple[int, ...]) -> Any:
    made = sampler(spec, counts, seed=0)
    return (matrix, labels) if made is None else made.fit_resample(matrix, labels)


@every_sampler
@each_shape
@pytest.mark.parametrize("rare", range(1, 7))
def test_a_sampler_survives_a_class_of_few_rows(spec: Imbalance, shape: Shape, rare: int) -> None:
    counts = (30, rare, 0, 12)
    matrix, labels = _blobs(counts)
    _, after = _resampled(spec, shape(matrix), labels, counts)
    assert set(after) == {0, 1, 3}


@every_sampler
@each_shape
def test_a_sampler_keeps_sparse_sparse(spec: Imbalance, shape: Shape) -> None:
    matrix, labels = _blobs((20, 5))
    after, _ = _resampled(spec, shape(matrix), labels, (20, 5))
    assert type(after) is type(shape(matrix))


@every_sampler
def test_a_sampler_with_the_same_seed_gives_the_same_rows(spec: Imbalance) -> None:
    matrix, labels = _blobs((20, 5, 8))
    first, again = (_resampled(spec, matrix, labels, (20, 5, 8)) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


@every_sampler
def test_the_order_of_rows_does_not_change_how_many_a_class_gets(spec: Imbalance) -> None:
    matrix, labels = _blobs((20, 5, 8))
    order = np.random.default_rng(1).permutation(len(labels))
    _, straight = _resampled(spec, matrix, labels, (20, 5, 8))
    _, shuffled = _resampled(spec, matrix[order], labels[order], (20, 5, 8))
    assert np.array_equal(np.bincount(straight), np.bincount(shuffled))


@every_sampler
def test_renamed_classes_get_the_same_rows(spec: Imbalance) -> None:
    matrix, labels = _blobs((20, 5, 8))
    renamed = np.array([2, 0, 1])
    _, straight = _resampled(spec, matrix, labels, (20, 5, 8))
    _, other = _resampled(spec, matrix, renamed[labels], (5, 8, 20))
    assert np.array_equal(np.bincount(straight), np.bincount(other)[renamed])
    if isinstance(spec, ClassWeights):
        weights, moved = class_weights(spec, (20, 5, 8)), class_weights(spec, (5, 8, 20))
        assert weights is not None
        assert moved == pytest.approx({int(renamed[c]): w for c, w in weights.items()})


@every_classifier
@pytest.mark.parametrize("way", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("rare", [1, 6])
def test_every_pair_trains_on_text_and_numbers_without_a_warning(
    spec: Classifier, way: Imbalance, rare: int
) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 3], [24, rare, 9])
    frame = pd.DataFrame(
        {
            "said": [f"word{c} " + " ".join(rng.choice(["so", "very"], 2)) for c in labels],
            "size": rng.normal(size=len(labels)),
        }
    )
    frame.loc[0, "said"], frame.loc[1, "size"] = None, np.nan
    text = TextFeatures(weighting="tfidf", ngram_max=2, min_df=2)
    candidate = Candidate(features=Features(text=text), imbalance=way, classifier=spec)
    columns: dict[str, Column] = {"said": TextColumn(), "size": NumberColumn()}
    counts = np.bincount(labels, minlength=5).tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = pipeline(candidate, columns, counts, 0, 1).fit(frame, labels)
        probabilities = predict_probabilities(fitted, frame, 5)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert not probabilities[:, [2, 4]].any()
    if rare > 1:  # one row a class is too little to learn from
        assert (probabilities.argmax(axis=1) == labels)[1:].mean() > 0.9
