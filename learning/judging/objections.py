"""What speaks against a challenger, in words, and how many rows could settle what is open."""

import math

import numpy as np

from learning.deciding import metrics
from learning.deciding.objectives import MeanF, MeanRanking
from learning.judging.losses import class_losses, task_losses
from learning.judging.questions import (
    Counted,
    Objection,
    Question,
    Trial,
    rows_to_settle,
    sentence,
    widest_class,
)
from learning.reading.wording import amount

TOO_MANY = 10
"""A difference that needs more than this many times the rows of a class is none in practice."""
ROUNDING = 1e-12
"""Sums of equal figures in another order of classes differ by less than this."""


def objections(trial: Trial, harm: bool) -> list[Objection]:
    """Against promotion; where the objective alone says no, nothing else is asked."""
    first = unmeasurable(trial.question) or _no_gain(trial) or _gain_within_chance(trial)
    if first or not harm:
        return first or _slowness(trial)
    return [
        *_unjudged_classes(trial),
        *task_losses(trial),
        *class_losses(trial),
        *_worse_calibration(trial),
        *_slowness(trial),
    ]


def unmeasurable(question: Question) -> list[Objection]:
    """The classes that the objective looks at, where the holdout has rows of none of them."""
    weighed = _weighed(question)
    if any(map(question.support, weighed)):
        return []
    return [_asks_for_rows(question, at) for at in weighed]


def _unjudged_classes(trial: Trial) -> list[Objection]:
    """Classes that the holdout lacks and that the challenger decides on rows where the reference
    does not: nothing shows what its decisions for them are worth. Others stay as they were.
    """
    question = trial.question
    before, after = trial.reference.decisions, trial.challenger.decisions
    return [
        _asks_for_rows(question, at)
        for at in question.counted
        if not question.support(at) and ((after[:, at.t] == at.c) & (before[:, at.t] != at.c)).any()
    ]


def _asks_for_rows(question: Question, at: Counted) -> Objection:
    """Of a class without any; enough is where one row weighs at most `max_class_drop`."""
    enough = math.ceil(1 / max(question.gate.max_class_drop, 0.01))
    told = f"The holdout has no row of {question.called(at)} {question.about(enough, at)}."
    return Objection(told, at, enough)


def _no_gain(trial: Trial) -> list[Objection]:
    question, gain = trial.question, trial.paired.score
    name, rows = question.reference_name, len(question.labels)
    if any(isinstance(aim, MeanRanking) for aim in question.aims):
        # Decisions do not matter to a ranking; one that no resample tells apart is the same.
        if gain.low == gain.value == gain.high == 0:
            return [
                Objection(f"All of {rows} rows are ranked as {name} does; a tie changes nothing.")
            ]
    elif np.array_equal(trial.reference.decisions, trial.challenger.decisions):
        return [
            Objection(
                f"Every one of {rows} rows is decided as {name} decides it; a tie changes nothing."
            )
        ]
    if gain.value <= ROUNDING:
        change = gain.text(signed=True)
        told = f"{sentence(question.metric)} is not higher: {change} against {name}."
        return [Objection(told)]
    return []


def _gain_within_chance(trial: Trial) -> list[Objection]:
    """Too few rows for this gain; a bound narrows with the root of their number."""
    question, gain = trial.question, trial.paired.score
    if gain.low > ROUNDING:
        return []
    widest = widest_class(trial, _weighed(question))
    rows = rows_to_settle(gain, 0.0, question.support(widest))
    told = (
        f"{sentence(question.metric)} is {gain.text(signed=True)} against "
        f"{question.reference_name}: it may be chance on {amount(len(question.labels), 'row')}"
    )
    if rows > TOO_MANY * question.support(widest):
        return [Objection(f"{told}, and the difference is too small to tell apart.")]
    return [Objection(f"{told} {question.about(rows, widest)}.", widest, rows)]


def _weighed(question: Question) -> list[Counted]:
    """The classes that the objective looks at, of those that count."""

    def weighs(at: Counted) -> bool:
        match question.aims[at.t]:
            case MeanF(counted=counted):
                return at.c in counted
            case MeanRanking(of=of):
                return of is None or at.c == of
            case _:
                return True

    return [at for at in question.counted if weighs(at)]


def _worse_calibration(trial: Trial) -> list[Objection]:
    """Of each target by its arg max and, where that finds nothing, by its classes alone.

    Neither does without the other. Class weights make the rare class too likely and the common one
    too unlikely, which cancels among arg maxes of equal confidence: of 5 % positives, 60 models of
    full weights had errors of at most 0.03 by the arg max and of 0.11 to 0.37 by class. Confidence
    that is too high in many classes alike is little in each.
    """
    each = range(len(trial.question.targets))
    found = (_worse_arg_max(trial, t) or _worse_class(trial, t) for t in each)
    return [objection for objection in found if objection]


def _worse_arg_max(trial: Trial, t: int) -> Objection | None:
    """Against the reference's error, or what chance alone gives on these rows if that is more."""
    question, allowed = trial.question, trial.question.gate.max_ece_increase
    before, after = (
        metrics.expected_calibration_error(answers.probabilities[t], question.labels[:, t])
        for answers in (trial.reference, trial.challenger)
    )
    chance = metrics.chance_calibration_error(trial.challenger.probabilities[t])
    if after - max(before, chance) <= allowed:
        return None
    of = f" of '{question.targets[t].name}'" if len(question.targets) > 1 else ""
    return Objection(
        f"The expected calibration error{of} is {after:.4f}, {question.reference_name} has "
        f"{before:.4f}, chance gives {chance:.4f}: it may grow by {allowed:.4f} at most."
    )


def _worse_class(trial: Trial, t: int) -> Objection | None:
    """The class that counts whose error grew most, against its own before or chance.

    The worst, as a mean over classes would let many calibrated ones pay for it; and what chance
    would hardly exceed, not what it gives on average, as the worst of many looks is asked.
    """
    question, allowed = trial.question, trial.question.gate.max_ece_increase
    labels, told = question.labels[:, t], trial.challenger.probabilities[t]
    counted = [at for at in question.counted if at.t == t]
    level = 1 - (1 - question.gate.confidence) / len(counted)
    before = metrics.class_calibration_errors(trial.reference.probabilities[t], labels)
    after = metrics.class_calibration_errors(told, labels)
    chance = metrics.chance_class_calibration_errors(told, level)
    grown = np.round(after - np.maximum(before, chance), 9)
    worst = max(counted, key=lambda at: (grown[at.c], *question.rarity(at)))
    c = worst.c
    if grown[c] <= allowed:
        return None
    return Objection(
        f"The calibration error of {question.called(worst)} is {after[c]:.4f} (its probability is "
        f"{told[:, c].mean():.4f} on average, its share {(labels == c).mean():.4f}), "
        f"{question.reference_name} has {before[c]:.4f}, chance gives up to {chance[c]:.4f}: "
        f"it may grow by {allowed:.4f} at most."
    )


def _slowness(trial: Trial) -> list[Objection]:
    took, allowed = trial.challenger.latency_ms, trial.question.gate.max_latency_ms
    if took is None or took <= allowed:
        return []
    return [Objection(f"A row takes {took:.4f} ms; expected at most {allowed:.4f} ms.")]
