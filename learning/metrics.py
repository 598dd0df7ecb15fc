"""How good labels, decisions and probabilities agree; every figure is blind to class order.

A class without rows and without decisions has no F1 and is left out of the mean. A class without
rows that was decided anyway has an F1 of 0 and counts: deciding it was a real error.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from learning.arrays import SMALLEST_PROBABILITY, Decisions, Labels, Probabilities

Confusion: TypeAlias = NDArray[np.int64]
Figures: TypeAlias = NDArray[np.float64]

ROWS_A_BIN = 50


@dataclass(frozen=True)
class ClassFigures:
    """One entry a class; None where rows or decisions are too few to define the figure."""

    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]


def confusion(labels: Labels, decisions: Decisions, classes: int) -> Confusion:
    """Counts (classes, classes): rows of class i decided as j."""
    cells = labels.astype(np.int64) * classes + decisions
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def class_f1s(
    hits: NDArray[np.int64],  # (..., classes) rows of the class decided so
    decided: NDArray[np.int64],  # (..., classes) rows decided so
    support: NDArray[np.int64],  # (..., classes) rows of the class
) -> Figures:
    """F1 per class, NaN for a class without rows and decisions."""
    total = decided + support
    f1s = np.full(np.shape(total), np.nan)
    np.divide(2.0 * hits, total, out=f1s, where=np.asarray(total) > 0)
    return f1s


def mean_of_seen(f1s: Figures) -> Figures:
    """Mean over the last axis without NaN; 0 where nothing is left."""
    seen = ~np.isnan(f1s)
    return np.asarray(np.where(seen, f1s, 0.0).sum(-1) / np.maximum(seen.sum(-1), 1))


def macro_f1s(confusions: Confusion) -> Figures:
    """Macro-F1 of each confusion matrix in (..., classes, classes)."""
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    return mean_of_seen(class_f1s(hits, confusions.sum(-2), confusions.sum(-1)))


def macro_f1(confusion: Confusion) -> float:
    """Mean F1 of the classes that have rows or decisions; 0 without any."""
    return float(macro_f1s(confusion))


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

    Bins get fewer before they get below 50 rows: emptier ones measure chance (Nixon et al. 2019).
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    starts, order = _equal_mass(confidence, bins)
    gaps = np.add.reduceat((confidence - right)[order], starts)
    return float(np.abs(gaps).sum() / len(labels))


def chance_calibration_error(probabilities: Probabilities, bins: int = 15) -> float:
    """The calibration error to expect of these probabilities if they were exactly true.

    Each bin's gap is nearly normal; its mean absolute value is sqrt(2 / pi) of its deviation.
    """
    confidence = probabilities.max(1)
    starts, order = _equal_mass(confidence, bins)
    variances = np.add.reduceat((confidence * (1 - confidence))[order], starts)
    return float(np.sqrt(2 / np.pi * np.maximum(variances, 0.0)).sum() / len(confidence))


def _equal_mass(confidence: Figures, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First positions of the bins in the rows' order of confidence; equal ones stay together."""
    order = np.argsort(confidence, kind="stable")
    bins = max(1, min(bins, len(confidence) // ROWS_A_BIN))
    cuts = confidence[order][np.arange(bins) * len(confidence) // bins]
    starts = np.unique(np.searchsorted(confidence[order], cuts, side="left"))
    return starts.astype(np.int64), order.astype(np.int64)


def roc_auc(probabilities: Probabilities, labels: Labels) -> float | None:
    """Area under the ROC curve: one against the rest, mean over the classes that have rows.

    For two classes it is the same for either. None if fewer than two classes have rows.
    """
    present = np.unique(labels)
    if len(present) < 2:
        return None
    areas = [roc_auc_score(labels == c, probabilities[:, c]) for c in present]
    return float(np.mean(areas))


def average_precisions(probabilities: Probabilities, labels: Labels) -> tuple[float | None, ...]:
    """Average precision of each class against the rest; None for a class without rows."""
    return tuple(
        float(average_precision_score(labels == c, probabilities[:, c]))
        if (labels == c).any()
        else None
        for c in range(probabilities.shape[1])
    )


def average_precision(probabilities: Probabilities, labels: Labels) -> float | None:
    """Of two classes the rarer one's (the second's, if equal); of more, the mean of those present.

    The common class of two is nearly always found: its figure would hide the rare one's.
    """
    each = average_precisions(probabilities, labels)
    if len(each) == 2 and None not in each:
        first, second = np.bincount(labels, minlength=2)
        return each[0] if first < second else each[1]
    known = [figure for figure in each if figure is not None]
    return float(np.mean(known)) if known else None
