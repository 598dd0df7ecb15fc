"""How good labels, decisions and probabilities agree; every figure is blind to class order.

A class without rows and without decisions has no F1 and is left out of the mean. A class without
rows that was decided anyway has an F1 of 0 and counts: deciding it was a real error.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from learning.arrays import SMALLEST_PROBABILITY, Decisions, Labels, Probabilities

Confusion: TypeAlias = NDArray[np.int64]
Figures: TypeAlias = NDArray[np.float64]
Tally: TypeAlias = NDArray[np.integer] | NDArray[np.float64]
"""Whole numbers."""

ROWS_A_BIN = 50


@dataclass(frozen=True)
class ClassFigures:
    """One entry a class; None where rows or decisions are too few to define the figure."""

    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]


@dataclass(frozen=True)
class ClassAreas:
    """One entry a class; None without rows of it, for the ROC also without rows of others."""

    roc_auc: tuple[float | None, ...]
    average_precision: tuple[float | None, ...]


def confusion(labels: Labels, decisions: Decisions, classes: int) -> Confusion:
    """Counts (classes, classes): rows of class i decided as j."""
    cells = labels.astype(np.int64) * classes + decisions
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def class_fs(
    hits: Tally,  # (..., classes) rows of the class decided so
    decided: Tally,  # (..., classes) rows decided so
    support: Tally,  # (..., classes) rows of the class
    beta: float = 1.0,
) -> Figures:
    """F-beta per class, NaN for a class without rows and decisions (van Rijsbergen 1979)."""
    return _shares(np.multiply(1 + beta**2, hits), np.multiply(beta**2, support) + decided)


def class_recalls(
    hits: Tally,  # (..., classes), as the other
    support: Tally,
) -> Figures:
    """Recall per class, NaN for a class without rows."""
    return _shares(hits, np.broadcast_to(support, hits.shape))


def _shares(part: NDArray[np.number], whole: NDArray[np.number]) -> Figures:
    shares = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def mean_of_seen(figures: Figures) -> Figures:
    """Mean over the last axis without NaN; 0 where nothing is left."""
    seen = ~np.isnan(figures)
    return np.asarray(np.where(seen, figures, 0.0).sum(-1) / np.maximum(seen.sum(-1), 1))


def class_figures(confusion: Confusion) -> ClassFigures:
    """Precision needs decisions, recall needs rows, F1 needs either."""
    hits, decided, support = np.diagonal(confusion), confusion.sum(0), confusion.sum(1)

    def shares(part: Confusion, whole: Confusion) -> tuple[float | None, ...]:
        return tuple(float(p / w) if w else None for p, w in zip(part, whole, strict=True))

    return ClassFigures(
        precision=shares(hits, decided),
        recall=shares(hits, support),
        f1=shares(2 * hits, decided + support),
    )


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean -log of the true class's probability, in nats; probabilities are floored at 1e-12."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, SMALLEST_PROBABILITY)).mean())


def brier(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance to the one-hot truth, summed over classes: 0 to 2 (Brier 1950)."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(((probabilities**2).sum(1) - 2 * own + 1).mean())


def expected_calibration_error(
    probabilities: Probabilities, labels: Labels, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy of the arg max, over bins of equal mass.

    Too much of one class and too little of another can cancel in it, as both are confidence:
    `class_calibration_errors` look at each class alone.
    """
    return _gap(probabilities.max(1), probabilities.argmax(1) == labels, bins)


def chance_calibration_error(probabilities: Probabilities, bins: int = 15) -> float:
    """The calibration error to expect of these probabilities if they were exactly true."""
    return _chance_gap(probabilities.max(1), bins)


def class_calibration_errors(
    probabilities: Probabilities, labels: Labels, bins: int = 15
) -> Figures:
    """Per class the mean gap between its probability and its share, over bins of equal mass.

    Class-wise calibration (Kull et al. 2019) on the adaptive bins of Nixon et al. (2019). They take
    the mean over classes; we leave the classes apart, as a mean of many hides one.
    """
    classes = range(probabilities.shape[1])
    return np.array([_gap(probabilities[:, c], labels == c, bins) for c in classes])


def chance_class_calibration_errors(
    probabilities: Probabilities,
    level: float = 0.5,  # in (0, 1): how often true probabilities stay below; half: expected
    bins: int = 15,
) -> Figures:
    """Per class what its error would hardly exceed if these probabilities were exactly true.

    The sum over bins is taken as normal; of a few rows of a rare class its tail is longer.
    """
    return np.array([_chance_gap(own, bins, level) for own in probabilities.T])


def worst_class_calibration_error(
    probabilities: Probabilities, labels: Labels, counted: tuple[int, ...]
) -> float:
    """The greatest of `class_calibration_errors` among the classes that count."""
    return float(class_calibration_errors(probabilities, labels)[list(counted)].max())


def _gap(scores: Figures, hits: NDArray[np.bool_], bins: int) -> float:
    starts, order = _equal_mass(scores, bins)
    gaps = np.add.reduceat((scores - hits)[order], starts)
    return float(np.abs(gaps).sum() / len(scores))


def _chance_gap(scores: Figures, bins: int, level: float = 0.5) -> float:
    """Each bin's gap is nearly normal, so its absolute value is half-normal.

    That has a mean of sqrt(2 / pi) and a variance of 1 - 2 / pi, in those of the gap.
    """
    starts, order = _equal_mass(scores, bins)
    variances = np.maximum(np.add.reduceat((scores * (1 - scores))[order], starts), 0.0)
    expected = np.sqrt(2 / np.pi * variances).sum()
    deviation = np.sqrt((1 - 2 / np.pi) * variances.sum())
    return float((expected + ndtri(level) * deviation) / len(scores))


def _equal_mass(scores: Figures, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First positions of the bins in the rows' order of scores; equal ones stay together.

    Bins get fewer before they get below 50 rows: emptier ones measure chance (Nixon et al. 2019).
    """
    order = np.argsort(scores, kind="stable")
    bins = max(1, min(bins, len(scores) // ROWS_A_BIN))
    cuts = scores[order][np.arange(bins) * len(scores) // bins]
    starts = np.unique(np.searchsorted(scores[order], cuts, side="left"))
    return starts.astype(np.int64), order.astype(np.int64)


def class_areas(probabilities: Probabilities, labels: Labels) -> ClassAreas:
    """Each class against the rest: one sort each, 0.3 s for 10,000 rows of 1,000 classes."""
    areas = [_areas(c, probabilities, labels) for c in range(probabilities.shape[1])]
    return ClassAreas(
        roc_auc=tuple(roc_auc for roc_auc, _ in areas),
        average_precision=tuple(precision for _, precision in areas),
    )


def average_precision_of(c: int, probabilities: Probabilities, labels: Labels) -> float | None:
    """Average precision of one class against the rest; None if it has no row."""
    return _areas(c, probabilities, labels)[1]


def _areas(
    c: int, probabilities: Probabilities, labels: Labels
) -> tuple[float | None, float | None]:
    """Area under the ROC curve and average precision; equal probabilities are one step.

    Both follow from where the class's own rows stand among all rows, so nothing but these is
    looked up.
    """
    scores = np.sort(probabilities[:, c])
    own = np.sort(probabilities[labels == c, c])
    if np.isnan(scores[-1:]).any():
        raise ValueError(f"Expected probabilities of class {c}, got NaN in some rows.")
    if not len(own):
        return None, None
    below, among = np.searchsorted(scores, own), np.searchsorted(own, own)
    precision = float(np.mean((len(own) - among) / (len(scores) - below)))
    if len(own) == len(scores):
        return None, precision
    # Of equals half are below.
    up_to = np.searchsorted(scores, own, "right") - np.searchsorted(own, own, "right")
    others = (below - among + up_to).mean() / 2
    return float(others / (len(scores) - len(own))), precision


def ranked_classes(
    labels: Labels,
    classes: int,
    counted: tuple[int, ...],
) -> tuple[int, ...]:
    """Whose average precision is a target's: the counted one, the rarer of two, or all with rows.

    The common class of two is nearly always found: its figure would hide the rare one's. Of two
    with equally many rows it is both.
    """
    if len(counted) == 1:
        return counted
    support = np.bincount(labels, minlength=classes)
    least = support[support > 0].min(initial=len(labels)) if classes == 2 else len(labels)
    return tuple(int(c) for c in np.flatnonzero((support > 0) & (support <= least)))


def average_precision(
    probabilities: Probabilities, labels: Labels, counted: tuple[int, ...]
) -> float | None:
    """Mean of the `ranked_classes`; None where none of them has rows."""
    ranked = ranked_classes(labels, probabilities.shape[1], counted)
    return mean_of_known(average_precision_of(c, probabilities, labels) for c in ranked)


def mean_of_known(figures: Iterable[float | None]) -> float | None:
    """Mean without None; None where nothing is left."""
    known = [figure for figure in figures if figure is not None]
    return float(np.mean(known)) if known else None
