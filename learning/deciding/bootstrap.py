"""Bootstrap intervals of objectives and F1, for one model or two on the same rows.

Rows are drawn whole, so targets stay together. Bounds are percentiles, or those of a normal
distribution where there are too few resamples for that, widened where needed to hold the figure
itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from learning.answers import Answers
from learning.arrays import LabelTable
from learning.deciding.metrics import Figures
from learning.deciding.objectives import Aim, Decisive, MeanF, MeanRanking
from learning.deciding.resampling import Worth, cells_of, question
from schemas.label import Target
from schemas.results import Interval

RANKED_AT_MOST = 2_000_000_000
"""Rows that all resamples may rank, over classes and models: two seconds. Beyond it resamples get
fewer, down to `FEWEST`: two models on 40,000 rows of 1,000 classes take nine seconds."""
FEWEST = 50
PERCENTILES_FROM = 200
"""Resamples: fewer have too few beyond a bound. Their spread is known earlier: of 50 to a tenth."""


@dataclass(frozen=True)
class Bootstrap:
    """Intervals of one model, or of the second minus the first of two.

    `score` is the mean over targets of their aims and `targets` are those; `classes` the F1 of each
    class of each target, 0 to 0 where it has neither rows nor decisions. `error` and
    `target_errors` are standard errors of the first two.
    """

    score: Interval
    targets: tuple[Interval, ...]
    classes: tuple[tuple[Interval, ...], ...]
    error: float
    target_errors: tuple[float, ...]


def own(
    labels: LabelTable,
    answers: Answers,
    aims: Sequence[Aim],
    resamples: int,
    confidence: float,  # share of resamples between the bounds
    seed: int,
) -> Bootstrap:
    """One model's figures."""
    classes = [part.shape[1] for part in answers.probabilities]
    return _bootstrap(labels, (answers,), aims, classes, resamples, confidence, seed)


def paired(
    labels: LabelTable,
    first: Answers,
    second: Answers,
    aims: Sequence[Aim],
    targets: Sequence[Target],
    resamples: int,
    confidence: float,
    seed: int,
) -> Bootstrap:
    """Both models on the same resampled rows; equal answers give exactly 0, 0, 0."""
    classes = [target.classes for target in targets]
    return _bootstrap(labels, (first, second), aims, classes, resamples, confidence, seed)


def score_interval(
    labels: LabelTable,
    answers: Answers,
    aims: Sequence[Aim],
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """The mean over targets of the model's aims."""
    return own(labels, answers, aims, resamples, confidence, seed).score


def macro_f1_interval(
    labels: LabelTable,
    decisions: LabelTable,  # (n, targets)
    targets: Sequence[Target],
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """Mean over targets of the macro-F1 of their counted classes."""
    aims = [MeanF(target.counted) for target in targets]
    classes = [target.classes for target in targets]
    answers = Answers((), decisions)
    return _bootstrap(labels, (answers,), aims, classes, resamples, confidence, seed).score


def decision_gain(
    labels: LabelTable,
    first: LabelTable,  # (n, targets) decisions
    second: LabelTable,
    classes: Sequence[int],  # how many each target has
    aims: Sequence[Decisive],
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """How much more the second decisions are worth than the first."""
    sides = (Answers((), first), Answers((), second))
    return _bootstrap(labels, sides, aims, classes, resamples, confidence, seed).score


def _bootstrap(
    labels: LabelTable,
    sides: tuple[Answers, ...],  # the model, or the first and the second
    aims: Sequence[Aim],
    classes: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> Bootstrap:
    cells = cells_of(labels, sides, classes, whole=any(isinstance(a, MeanRanking) for a in aims))
    questions = [question(cells, labels, sides, t, aim, classes[t]) for t, aim in enumerate(aims)]
    visits = len(labels) * sum(len(side.classes) for q in questions for side in q.rankings)
    if visits:
        resamples = min(resamples, max(FEWEST, RANKED_AT_MOST // visits))
    observed = [q.figures(cells.as_they_are()).apart() for q in questions]
    pieces = [
        [q.figures(drawn).apart() for q in questions] for drawn in cells.drawn(resamples, seed)
    ]
    sampled = [Worth.joined(each) for each in zip(*pieces, strict=True)]
    means = np.mean([many.scores for many in sampled], axis=0)
    return Bootstrap(
        score=bounded(float(np.mean([one.scores for one in observed])), means, confidence),
        targets=tuple(
            bounded(float(one.scores[0]), many.scores, confidence)
            for one, many in zip(observed, sampled, strict=True)
        ),
        classes=tuple(
            _class_intervals(one.f1s[0], many.f1s, confidence)
            for one, many in zip(observed, sampled, strict=True)
        ),
        error=float(np.std(means)),
        target_errors=tuple(float(np.std(many.scores)) for many in sampled),
    )


def _class_intervals(
    observed: Figures,  # (classes,)
    sampled: Figures,  # (resamples, classes), NaN where the class vanished
    confidence: float,
) -> tuple[Interval, ...]:
    return tuple(
        bounded(0.0 if np.isnan(value) else float(value), column[~np.isnan(column)], confidence)
        for value, column in zip(observed, sampled.T, strict=True)
    )


def bounded(
    value: float,
    sampled: Figures,  # (resamples,) without NaN
    confidence: float,
) -> Interval:
    """The figure between the bounds that its resamples have, which hold it itself."""
    if not len(sampled):
        return Interval(value=value, low=value, high=value)
    tail = (1 - confidence) / 2
    if len(sampled) < PERCENTILES_FROM:
        low, high = np.mean(sampled) + np.std(sampled) * norm.ppf((tail, 1 - tail))
    else:
        low, high = np.quantile(sampled, (tail, 1 - tail))
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))
