"""Where rows, resampling and classifiers meet: once for each target, on one matrix of features.

Called with the training side of a split only, so what a sampler makes never reaches a scored row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier

from learning.arrays import Labels, LabelTable, Matrix, Weights
from learning.families.classifiers import classifier
from learning.features.layout import Layout
from learning.imbalance.samplers import Resampled, class_weights, resample, resamplers
from schemas.label import Target
from schemas.trials import Candidate


@dataclass(frozen=True)
class FittedTarget:
    """What answers for one target: one classifier, or members whose probabilities are averaged.

    `trained` is what each class weighed in the fit, rows times weights, after resampling; a
    classifier that balances sees as many rows of each class.
    """

    classifiers: tuple[ClassifierMixin, ...]
    trained: tuple[float, ...]


def fit_targets(
    candidate: Candidate,  # settled
    targets: Sequence[Target],
    X: Matrix,
    layout: Layout,
    labels: LabelTable,
    weights: Weights | None,
    seed: int,
    threads: int,
) -> tuple[FittedTarget, ...]:
    """Each target's own classifiers, in order.

    Row weights are brought to a mean of 1: only their ratios say something, and a penalty that is
    fixed in a recipe would be another one under weights of 0.001.
    """
    if weights is not None:
        weights = weights / weights.mean()
    return tuple(
        _fit_target(candidate, target.classes, X, layout, labels[:, place], weights, seed, threads)
        for place, target in enumerate(targets)
    )


def _fit_target(
    candidate: Candidate,
    classes: int,
    X: Matrix,
    layout: Layout,
    labels: Labels,
    weights: Weights | None,
    seed: int,
    threads: int,
) -> FittedTarget:
    counts = np.bincount(labels, minlength=classes).tolist()
    by_class = class_weights(candidate.imbalance, counts)
    members, trained = [], np.zeros(classes)
    for place, chain in enumerate(resamplers(candidate.imbalance, counts, seed, layout)):
        rows = resample(chain, X, labels, weights)
        member = _unfitted(candidate, counts, by_class, seed + place, threads)
        members.append(member.fit(rows.X, rows.labels, sample_weight=rows.weights))
        trained += _weighed(rows, classes, balanced=candidate.classifier.balances)
    if by_class is not None:
        trained *= [by_class.get(c, 0.0) for c in range(classes)]
    return FittedTarget(tuple(members), tuple(trained.tolist()))


def _weighed(rows: Resampled, classes: int, *, balanced: bool) -> NDArray[np.float64]:
    """(classes,) the weight of all rows of each class, or of one where all have as many."""
    whole = np.bincount(rows.labels, rows.weights, minlength=classes).astype(np.float64)
    if not balanced:
        return whole
    mean: NDArray[np.float64] = whole / np.maximum(np.bincount(rows.labels, minlength=classes), 1)
    return mean


def _unfitted(
    candidate: Candidate,
    counts: Sequence[int],
    by_class: dict[int, float] | None,
    seed: int,
    threads: int,
) -> ClassifierMixin:
    if sum(n > 0 for n in counts) < 2:
        # A fold may hold every row of a rare class; the others then train on one class alone,
        # which no family accepts.
        return DummyClassifier(strategy="prior")
    return classifier(candidate.classifier, by_class, seed, threads)
