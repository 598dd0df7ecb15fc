"""The plan's objective as arithmetic on one target: what ranks trials and what offsets climb.

Each variant is an aim, the higher the better. All but the ranking are a function of which rows are
decided as which class, so offsets can climb them; a ranking's decisions climb macro-F1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np

from learning.answers import Answers
from learning.arrays import Decisions, Labels, LabelTable, Probabilities
from learning.deciding import metrics
from learning.deciding.metrics import Confusion, Figures
from schemas.label import Target, class_text
from schemas.objectives import (
    AveragePrecision,
    BalancedAccuracy,
    Cost,
    FBeta,
    MacroF1,
    Objective,
)


@dataclass(frozen=True)
class MeanF:
    """Mean F-beta of the counted classes that have rows or decisions; 0 where none has."""

    counted: tuple[int, ...]
    beta: float = 1.0


@dataclass(frozen=True)
class MeanRecall:
    """Mean recall of all classes that have rows."""


@dataclass(frozen=True)
class MeanCost:
    """Minus the mean cost a row: `costs[true][decided]`."""

    costs: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class MeanRanking:
    """Average precision of class `of`, or of `metrics.ranked_classes` where it is None."""

    counted: tuple[int, ...]
    of: int | None = None


Decisive: TypeAlias = MeanF | MeanRecall | MeanCost
Aim: TypeAlias = Decisive | MeanRanking


def aims(objective: Objective, targets: Sequence[Target]) -> tuple[Aim, ...]:
    """One aim a target, in their order."""
    return tuple(aim(objective, target) for target in targets)


def aim(objective: Objective, target: Target) -> Aim:
    """The objective on this target; of multi-label targets F1 and ranking see class 1 alone."""
    match objective:
        case MacroF1():
            return MeanF(target.counted)
        case FBeta(of=of, beta=beta):
            return MeanF((target.class_texts.index(class_text(of)),), beta)
        case AveragePrecision(of=of):
            index = None if of is None else target.class_texts.index(class_text(of))
            return MeanRanking(target.counted, index)
        case BalancedAccuracy():
            return MeanRecall()
        case Cost(costs=costs):
            return MeanCost(_table(costs, target.class_texts))
        case _:
            assert_never(objective)


def _table(
    costs: dict[str, dict[str, float]], texts: tuple[str, ...]
) -> tuple[tuple[float, ...], ...]:
    def cost(true: str, decided: str) -> float:
        return float(costs.get(true, {}).get(decided, true != decided))

    return tuple(tuple(cost(true, decided) for decided in texts) for true in texts)


def decisive(aim: Aim) -> Decisive:
    """What offsets climb for this aim."""
    return MeanF(aim.counted) if isinstance(aim, MeanRanking) else aim


def overall(
    aims: Sequence[Aim],
    labels: LabelTable,  # (n, targets)
    answers: Answers,
) -> float:
    """Mean over the targets of their aim's value: the one figure of a model."""
    each = zip(aims, labels.T, answers.decisions.T, answers.probabilities, strict=True)
    return float(np.mean([value(*one) for one in each]))


def value(aim: Aim, labels: Labels, decisions: Decisions, probabilities: Probabilities) -> float:
    """One target's figure; a ranking does not look at the decisions, all others only at them."""
    if not isinstance(aim, MeanRanking):
        counts = metrics.confusion(labels, decisions, probabilities.shape[1])
        return float(of_confusion(aim, counts))
    area = (
        metrics.average_precision(probabilities, labels, aim.counted)
        if aim.of is None
        else metrics.average_precision_of(aim.of, probabilities, labels)
    )
    return 0.0 if area is None else area


def of_constants(aim: Decisive, support: metrics.Tally) -> Figures:
    """(classes,) the aim's value where all rows are decided as that class.

    >>> of_constants(MeanCost(((0.0, 1.0), (50.0, 0.0))), np.array([90, 10])).tolist()
    [-5.0, -0.9]
    """
    match aim:
        case MeanF() | MeanRecall():
            each = np.eye(len(support))
            return of_tallies(aim, each * support, each * support.sum(), support)
        case MeanCost(costs=costs):
            return np.asarray(-(support @ np.array(costs)) / max(support.sum(), 1))
        case _:
            assert_never(aim)


def ranked(aim: MeanRanking, labels: Labels, classes: int) -> tuple[int, ...]:
    """The classes whose average precision is meant."""
    if aim.of is not None:
        return (aim.of,)
    return metrics.ranked_classes(labels, classes, aim.counted)


def of_confusion(aim: Decisive, confusion: Confusion) -> Figures:
    """The aim's value for each matrix in (..., classes, classes): rows of class i decided as j."""
    match aim:
        case MeanF() | MeanRecall():
            hits = np.diagonal(confusion, axis1=-2, axis2=-1)
            return of_tallies(aim, hits, confusion.sum(-2), confusion.sum(-1))
        case MeanCost(costs=costs):
            total = (confusion * np.array(costs)).sum((-2, -1))
            return np.asarray(-total / np.maximum(confusion.sum((-2, -1)), 1))
        case _:
            assert_never(aim)


def of_tallies(
    aim: MeanF | MeanRecall,
    hits: metrics.Tally,  # (..., classes), as the other two
    decided: metrics.Tally,
    support: metrics.Tally,
) -> Figures:
    """(...) the aim's value, where rows of each class, decisions for it and hits are all it needs.

    >>> of_tallies(MeanF((1,), beta=2), np.array([5, 1]), np.array([8, 2]), np.array([6, 4])).item()
    0.2777777777777778
    """
    match aim:
        case MeanF(counted=counted, beta=beta):
            figures = metrics.class_fs(hits, decided, support, beta)
            return metrics.mean_of_seen(figures[..., list(counted)])
        case MeanRecall():
            return metrics.mean_of_seen(metrics.class_recalls(hits, support))
        case _:
            assert_never(aim)
