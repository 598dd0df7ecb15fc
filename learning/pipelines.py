"""One candidate, one unfitted pipeline: features, then sampler, then classifier.

The sampler is a step, so it meets the rows of the training fold only; predicting skips it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from imblearn.pipeline import Pipeline as SamplingPipeline
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from learning.arrays import Inputs, Probabilities
from learning.classifiers import classifier
from learning.features import transformer
from learning.samplers import class_weights, sampler
from schemas.dataset import Column
from schemas.trials import Candidate


def pipeline(
    candidate: Candidate,
    columns: Mapping[str, Column],
    counts: Sequence[int],  # rows a class in what it will be fitted on
    seed: int,
    threads: int,
) -> SamplingPipeline:
    """Steps "features", "sampler" (only if it has work to do) and "classifier".

    `pipeline(...)[1:]` is the same without features, for a matrix that is already made.
    """
    resampling = sampler(candidate.imbalance, counts, seed)
    return SamplingPipeline(
        [
            ("features", transformer(candidate.features, columns)),
            *([("sampler", resampling)] if resampling is not None else []),
            ("classifier", _classifier(candidate, counts, seed, threads)),
        ]
    )


def predict_probabilities(
    fitted: ClassifierMixin,  # a pipeline, or the classifier alone
    X: Inputs,
    classes: int,
) -> Probabilities:
    """(rows, classes): a class that the fit never saw has probability 0."""
    if X.shape[0] == 0:  # scikit-learn refuses an empty batch
        return np.zeros((0, classes))
    seen = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    probabilities: Probabilities = np.zeros((len(seen), classes))
    probabilities[:, np.asarray(fitted.classes_, dtype=np.intp)] = seen
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


def serving(fitted: SamplingPipeline) -> Pipeline:
    """The fitted steps that answer: "features" and "classifier", without the sampler."""
    return Pipeline([(name, step) for name, step in fitted.steps if name != "sampler"])


def _classifier(
    candidate: Candidate, counts: Sequence[int], seed: int, threads: int
) -> ClassifierMixin:
    if sum(n > 0 for n in counts) < 2:
        # A fold may hold every row of a rare class; the others then train on one class alone,
        # which neither family accepts.
        return DummyClassifier(strategy="prior")
    weights = class_weights(candidate.imbalance, counts)
    return classifier(candidate.classifier, weights, seed, threads)
