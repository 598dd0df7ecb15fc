"""The figures of a night under one flat name each, as MLflow's search and metrics.json want them.

Of one target the names are plain (`accuracy`, `f1_class_yes`); of several, each target's stand
behind its name (`mood_accuracy`). Those of other models than the challenger begin with their role.
"""

from collections.abc import Iterator

from learning.reports.names import metric_names, slug
from learning.reports.recipes import contender_fit
from schemas.night import Night
from schemas.results import Interval, Scorecard, TargetScore

Figure = tuple[str, float | None]

_TAKEN = ("challenger", "champion", "finalist", "baseline", "difference")
"""A target of such a name would give the names of another figure."""


def metrics(night: Night) -> dict[str, float | None]:
    """Every figure of the scorecards, the studies, the final fits and the verdict."""
    flat: dict[str, float | None] = {}
    for role, card in night.judgement.cards.items():
        prefix = "" if role == "challenger" else f"{role}_"
        flat |= {f"{prefix}{name}": figure for name, figure in _card(card)}
    objective = slug(night.objective)
    for study in night.studies:
        flat[f"best_val_{objective}_{study.family}"] = study.best.score if study.best else None
    for name, fit in zip(metric_names(night.fits), night.fits.values(), strict=True):
        flat[f"train_{objective}_{name}"] = fit.train_score
    return flat | dict(_changes(night)) | dict(_calibrations(night))


def positive_class(target: TargetScore) -> int | None:
    """Whose hits are the true positives: the one that counts, or the rarer of two, or the second.

    None for more classes: there, each is measured against all others.
    """
    if len(target.classes) > 2:
        return None
    if target.is_flag:
        return 1
    first, second = (score.support for score in target.classes)
    return 0 if first < second else 1


def target_prefixes(names: tuple[str, ...]) -> dict[str, str]:
    """What stands before a target's figures: nothing where it is the only one."""
    if len(names) == 1:
        return {names[0]: ""}
    return {name: f"{flat}_" for name, flat in zip(names, metric_names(names, _TAKEN), strict=True)}


def _card(card: Scorecard) -> Iterator[Figure]:
    yield from _bounded("score", card.score)
    yield from _bounded("macro_f1", card.macro_f1)
    yield "exact_match", card.exact_match
    yield "latency_ms", card.latency_ms
    prefixes = target_prefixes(tuple(target.name for target in card.targets))
    for target in card.targets:
        prefix = prefixes[target.name]
        if prefix:
            yield from _bounded(f"{prefix}score", target.score)
            yield f"{prefix}macro_f1", target.macro_f1
        for name, figure in _target(target):
            yield f"{prefix}{name}", figure


def _target(target: TargetScore) -> Iterator[Figure]:
    yield "precision_macro", target.macro_precision
    yield "recall_macro", target.macro_recall
    yield "class_ece", target.class_ece
    for name in ("accuracy", "balanced_accuracy", "log_loss", "brier", "ece", "roc_auc"):
        yield name, getattr(target, name)
    yield "average_precision", target.average_precision
    positive, names = positive_class(target), _class_names(target)
    if positive is not None:
        yield from _outcomes(target, positive, "")
    for c in target.counted:
        if positive is None:
            yield from _outcomes(target, c, f"_class_{names[c]}")
        for name in ("precision", "recall", "f1", "average_precision", "roc_auc"):
            yield f"{name}_class_{names[c]}", getattr(target.classes[c], name)


def _outcomes(target: TargetScore, c: int, suffix: str) -> Iterator[Figure]:
    """The four cells of this class against all others."""
    score = target.classes[c]
    yield f"true_positives{suffix}", score.hits
    yield f"false_positives{suffix}", score.predicted - score.hits
    yield f"false_negatives{suffix}", score.support - score.hits
    yield (
        f"true_negatives{suffix}",
        target.rows - score.support - score.predicted + score.hits,
    )


def _changes(night: Night) -> Iterator[Figure]:
    """Challenger minus reference: of the objective, of each target, of each class."""
    verdict, card = night.judgement.verdict, night.judgement.cards["challenger"]
    if verdict.difference is not None:
        for name in dict.fromkeys(("score", slug(night.objective))):
            yield from _bounded(f"difference_{name}", verdict.difference)
    prefixes = target_prefixes(tuple(target.name for target in card.targets))
    for target_change in verdict.target_changes:
        name = f"{prefixes[target_change.name]}difference_score"
        yield from _bounded(name, target_change.score)
    classes = {
        (target.name, score.name): flat
        for target in card.targets
        for score, flat in zip(target.classes, _class_names(target), strict=True)
    }
    for change in verdict.class_changes:
        flat = classes[change.target, change.name]
        yield from _bounded(f"{prefixes[change.target]}f1_change_class_{flat}", change.f1)


def _calibrations(night: Night) -> Iterator[Figure]:
    """The contender's calibration errors out of fold, before and after."""
    choices = contender_fit(night).calibrations
    prefixes = target_prefixes(tuple(choice.target for choice in choices))
    for choice in choices:
        yield f"{prefixes[choice.target]}oof_ece_before", choice.ece_before
        yield f"{prefixes[choice.target]}oof_ece_after", choice.ece_after


def _class_names(target: TargetScore) -> tuple[str, ...]:
    return metric_names(score.name for score in target.classes)


def _bounded(name: str, figure: Interval) -> Iterator[Figure]:
    yield name, figure.value
    yield f"{name}_low", figure.low
    yield f"{name}_high", figure.high
