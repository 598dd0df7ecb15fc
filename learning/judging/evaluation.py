"""One model's scorecard on labelled rows that it has never seen."""

from collections.abc import Sequence

import numpy as np

from learning.answers import Answers
from learning.arrays import Decisions, Labels, LabelTable, Probabilities
from learning.deciding import metrics
from learning.deciding.bootstrap import macro_f1_interval, own
from learning.deciding.objectives import aims
from schemas.label import Target
from schemas.objectives import MacroF1, Objective
from schemas.plan import Gate
from schemas.results import ClassScore, Interval, Scorecard, TargetScore


def scorecard(
    labels: LabelTable,  # (n, targets), n >= 1
    answers: Answers,  # calibrated, offsets applied
    targets: Sequence[Target],
    objective: Objective,
    gate: Gate,
    seed: int,
) -> Scorecard:
    """Every figure from the same rows; the card refuses figures that contradict each other."""
    chance = (gate.resamples, gate.confidence, seed)
    scored = own(labels, answers, aims(objective, targets), *chance)
    macro_f1 = scored.score
    if not isinstance(objective, MacroF1):
        macro_f1 = macro_f1_interval(labels, answers.decisions, targets, *chance)
    each = zip(
        targets,
        labels.T,
        answers.decisions.T,
        answers.probabilities,
        scored.targets,
        strict=True,
    )
    right = (labels == answers.decisions).all(axis=1)
    return Scorecard(
        rows=len(labels),
        score=scored.score,
        macro_f1=macro_f1,
        exact_match=float(right.mean()) if len(targets) > 1 else None,
        targets=tuple(_target_score(*one) for one in each),
        latency_ms=answers.latency_ms,
    )


def _target_score(
    target: Target,
    labels: Labels,
    decisions: Decisions,
    probabilities: Probabilities,
    score: Interval,
) -> TargetScore:
    counts = metrics.confusion(labels, decisions, target.classes)
    figures = metrics.class_figures(counts)
    areas = metrics.class_areas(probabilities, labels)
    ranked = metrics.ranked_classes(labels, target.classes, target.counted)
    return TargetScore(
        name=target.name,
        rows=len(labels),
        counted=target.counted,
        score=score,
        macro_f1=_mean_of_counted(target, figures, figures.f1),
        macro_precision=_mean_of_counted(target, figures, figures.precision),
        macro_recall=_mean_of_counted(target, figures, figures.recall),
        accuracy=float(np.trace(counts) / len(labels)),
        balanced_accuracy=float(np.mean([r for r in figures.recall if r is not None])),
        log_loss=metrics.log_loss(probabilities, labels),
        brier=metrics.brier(probabilities, labels),
        ece=metrics.expected_calibration_error(probabilities, labels),
        class_ece=metrics.worst_class_calibration_error(probabilities, labels, target.counted),
        roc_auc=metrics.mean_of_known(areas.roc_auc),
        average_precision=metrics.mean_of_known(areas.average_precision[c] for c in ranked),
        classes=_class_scores(counts, figures, areas, target.class_texts),
        confusion=tuple(tuple(int(cell) for cell in row) for row in counts),
    )


def _mean_of_counted(
    target: Target, figures: metrics.ClassFigures, each: tuple[float | None, ...]
) -> float:
    """Over counted classes with rows or decisions; one that lacks the other adds 0, as to F1."""
    seen = [each[c] or 0.0 for c in target.counted if figures.f1[c] is not None]
    return float(np.mean(seen)) if seen else 0.0


def _class_scores(
    counts: metrics.Confusion,
    figures: metrics.ClassFigures,
    areas: metrics.ClassAreas,
    class_texts: Sequence[str],
) -> tuple[ClassScore, ...]:
    return tuple(
        ClassScore(
            name=name,
            support=int(counts[c].sum()),
            predicted=int(counts[:, c].sum()),
            hits=int(counts[c, c]),
            precision=figures.precision[c],
            recall=figures.recall[c],
            f1=figures.f1[c],
            average_precision=areas.average_precision[c],
            roc_auc=areas.roc_auc[c],
        )
        for c, name in enumerate(class_texts)
    )
