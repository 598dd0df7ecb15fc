"""One model's scorecard on labelled rows that it has never seen."""

from collections.abc import Sequence

import numpy as np

from learning import metrics
from learning.arrays import Decisions, Labels, Probabilities
from learning.bootstrap import macro_f1_interval
from schemas.plan import Gate
from schemas.results import ClassScore, Scorecard


def scorecard(
    labels: Labels,  # (n,), n >= 1
    probabilities: Probabilities,  # (n, classes), calibrated
    decisions: Decisions,  # (n,), offsets applied
    class_texts: Sequence[str],
    gate: Gate,
    seed: int,
    latency_ms: float | None = None,  # a row
) -> Scorecard:
    """Every figure from the same rows; the card refuses figures that contradict each other."""
    counts = metrics.confusion(labels, decisions, len(class_texts))
    recalls = [r for r in metrics.class_figures(counts).recall if r is not None]
    return Scorecard(
        rows=len(labels),
        macro_f1=macro_f1_interval(
            labels, decisions, len(class_texts), gate.resamples, gate.confidence, seed
        ),
        accuracy=float(np.trace(counts) / len(labels)),
        balanced_accuracy=float(np.mean(recalls)),
        log_loss=metrics.log_loss(probabilities, labels),
        brier=metrics.brier(probabilities, labels),
        ece=metrics.expected_calibration_error(probabilities, labels),
        roc_auc=metrics.roc_auc(probabilities, labels),
        average_precision=metrics.average_precision(probabilities, labels),
        classes=_class_scores(counts, probabilities, labels, class_texts),
        confusion=tuple(tuple(int(cell) for cell in row) for row in counts),
        latency_ms=latency_ms,
    )


def _class_scores(
    counts: metrics.Confusion,
    probabilities: Probabilities,
    labels: Labels,
    class_texts: Sequence[str],
) -> tuple[ClassScore, ...]:
    figures = metrics.class_figures(counts)
    areas = metrics.average_precisions(probabilities, labels)
    return tuple(
        ClassScore(
            name=name,
            support=int(counts[c].sum()),
            predicted=int(counts[:, c].sum()),
            precision=figures.precision[c],
            recall=figures.recall[c],
            f1=figures.f1[c],
            average_precision=areas[c],
        )
        for c, name in enumerate(class_texts)
    )
