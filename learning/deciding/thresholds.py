"""Offsets of all targets of a model; of many labels the rare ones borrow from each other.

One threshold fitted to a dozen positive rows is mostly luck. Each label's own offset is drawn to
one that serves all labels, the rare ones most: it weighs as much as `BORROWED` positive rows. And
the labels' offsets are accepted together: what each gains is within chance, what all gain is not.

On rows not seen, in eight worlds of 14 sets each, labels with fewer than 20 positive rows gained
0.002 to 0.029 of F1 by borrowing, those with fewer than 60 -0.001 to 0.004, the others nothing. One
offset for all labels, or for those below 20, did worse in some of the worlds. Accepting them
together gained 0.025 to 0.073, 0.02 to 0.05 and up to 0.014 over accepting each.
"""

from collections.abc import Sequence

import numpy as np

from learning.arrays import LabelTable, Offsets, Probabilities
from learning.deciding.bootstrap import decision_gain
from learning.deciding.objectives import Aim, MeanF, decisive
from learning.deciding.offsets import (
    Parts,
    accepted_offsets,
    blurred,
    cross_fitted,
    decide,
    fit_offsets,
    halves,
    top,
)

BORROWED = 20
"""Positive rows that the common offset counts for; 10 and 40 did alike."""


def fit_each(
    probabilities: Sequence[Probabilities], labels: LabelTable, aims: Sequence[Aim]
) -> tuple[Offsets, ...]:
    """Offsets (classes,) of each target: together where they are labels of many, else apart."""
    if many := _labels_of_many(aims):
        return _shared(probabilities, labels, many)
    each = zip(probabilities, labels.T, aims, strict=True)
    return tuple(fit_offsets(*one) for one in each)


def cross_fitted_each(
    probabilities: Sequence[Probabilities],
    labels: LabelTable,
    parts: Parts,
    aims: Sequence[Aim],
) -> LabelTable:
    """(n, targets) decisions, each part's by offsets fitted on the other parts."""
    decisions = np.zeros(labels.shape, dtype=np.int64)
    many = _labels_of_many(aims)
    if not many:
        for t, (own, aim) in enumerate(zip(probabilities, aims, strict=True)):
            decisions[:, t] = cross_fitted(own, labels[:, t], parts, aim)
        return decisions
    parts = halves(parts)
    for part in np.unique(parts):
        inside = parts == part
        found = _shared([own[~inside] for own in probabilities], labels[~inside], many)
        for t, (own, offsets) in enumerate(zip(probabilities, found, strict=True)):
            decisions[inside, t] = decide(own[inside], offsets)
    return decisions


def accepted_each(
    probabilities: Sequence[Probabilities],
    labels: LabelTable,
    parts: Parts,
    aims: Sequence[Aim],
    seed: int,
    resamples: int = 1000,
    confidence: float = 0.8,
) -> tuple[Offsets, ...]:
    """Offsets of all rows where cross-fitted ones beat the arg max beyond chance, else zeros."""
    chance = (seed, resamples, confidence)
    many = _labels_of_many(aims)
    if not many:
        return tuple(
            accepted_offsets(own, labels[:, t], parts, aim, *chance)
            for t, (own, aim) in enumerate(zip(probabilities, aims, strict=True))
        )
    honest = cross_fitted_each(probabilities, labels, parts, aims)
    plain = np.stack([own.argmax(1) for own in probabilities], axis=1)
    classes = [own.shape[1] for own in probabilities]
    gain = decision_gain(labels, plain, honest, classes, many, resamples, confidence, seed)
    if gain.low > 0:
        return _shared(probabilities, labels, many)
    return tuple(np.zeros(width) for width in classes)


def _labels_of_many(aims: Sequence[Aim]) -> list[MeanF]:
    """What each climbs, where that is the F1 of one class: labels of many; none otherwise."""
    climbed = [
        found
        for aim in aims
        if isinstance(found := decisive(aim), MeanF) and len(found.counted) == 1
    ]
    return climbed if len(climbed) == len(aims) > 1 else []


def _shared(
    probabilities: Sequence[Probabilities], labels: LabelTable, aims: Sequence[MeanF]
) -> tuple[Offsets, ...]:
    classes = [aim.counted[0] for aim in aims]
    curves = [
        blurred(own, labels[:, t], c, aim)
        for t, (own, c, aim) in enumerate(zip(probabilities, classes, aims, strict=True))
    ]
    positive = np.count_nonzero(labels == np.array(classes), axis=0)
    borrowed = BORROWED / (positive + BORROWED)
    common = top(np.average(curves, axis=0, weights=borrowed))
    found = []
    for own, curve, c, share in zip(probabilities, curves, classes, borrowed, strict=True):
        offsets = np.zeros(own.shape[1])
        offsets[c] = (1 - share) * top(curve) + share * common
        found.append(offsets)
    return tuple(found)
