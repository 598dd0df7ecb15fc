"""What a class or a task may have lost: a better mean must not be paid for by one of them."""

from dataclasses import replace
from statistics import NormalDist

from learning.answers import Answers
from learning.deciding.bootstrap import paired
from learning.deciding.objectives import MeanF
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
from schemas.results import Interval

MANY = 10
"""More classes than this that are too rare to be judged alone are judged together: of 150 classes
with 20 rows each, some always seem to lose, and no challenger would ever pass (LOG.md).
"""


def class_losses(trial: Trial) -> list[Objection]:
    """Classes that may have lost more than allowed; those that did lose are final."""
    question = trial.question
    found = []
    for t in range(len(question.targets)):
        counted = [at for at in question.counted if at.t == t]
        rare = {at for at in counted if question.support(at) and _is_too_rare(question, at)}
        losing = [at for at in counted if _may_lose(trial, at)]
        if len(rare) > MANY:
            found += _losses_together(trial, sorted(rare, key=lambda at: at.c))
            losing = [at for at in losing if at not in rare or _lost_surely(trial, at, len(rare))]
        found += [_class_loss(trial, at) for at in losing]
    return found


def task_losses(trial: Trial) -> list[Objection]:
    """Of several tasks those that may have lost more of the objective than allowed."""
    question, allowed = trial.question, trial.question.gate.max_task_drop
    found = []
    for t, (target, change) in enumerate(zip(question.targets, trial.paired.targets, strict=True)):
        alone = len(question.targets) == 1 or target.is_flag
        if alone or change.low >= -allowed:
            continue
        told = (
            f"'{target.name}' may lose more than {allowed:.4f} of {question.metric}: "
            f"{change.text(signed=True)} on {amount(len(question.labels), 'row')}"
        )
        widest = widest_class(trial, [at for at in question.counted if at.t == t])
        found.append(_loss(question, told, change, allowed, widest))
    return found


def _change(trial: Trial, at: Counted) -> Interval:
    return trial.paired.classes[at.t][at.c]


def _may_lose(trial: Trial, at: Counted) -> bool:
    return _change(trial, at).low < -trial.question.gate.max_class_drop


def _is_too_rare(question: Question, at: Counted) -> bool:
    """Whether the standard error of a share of its rows may alone be the loss that is allowed."""
    return question.support(at) < 0.25 / max(question.gate.max_class_drop, 0.01) ** 2


def _lost_surely(trial: Trial, at: Counted, looks: int) -> bool:
    """Whether it lost beyond chance, also as one of so many that were looked at (Bonferroni).

    The bound is stretched as a normal one would be.
    """
    change, confidence = _change(trial, at), trial.question.gate.confidence
    normal = NormalDist()
    one, all_ = (normal.inv_cdf(1 - (1 - confidence) / 2 / n) for n in (1, looks))
    return change.value + (change.high - change.value) * all_ / one < 0


def _class_loss(trial: Trial, at: Counted) -> Objection:
    question, change = trial.question, _change(trial, at)
    allowed = question.gate.max_class_drop
    told = (
        f"{sentence(question.called(at))} may lose more than {allowed:.4f} of F1: "
        f"{change.text(signed=True)} on {amount(question.support(at), 'row')}"
    )
    return _loss(question, told, change, allowed, at)


def _losses_together(trial: Trial, rare: list[Counted]) -> list[Objection]:
    """The mean F1 of all of them, by the same rule as that of one class."""
    question, t = trial.question, rare[0].t
    allowed = question.gate.max_class_drop
    change = paired(
        question.labels[:, [t]],
        _of_target(trial.reference, t),
        _of_target(trial.challenger, t),
        [MeanF(tuple(at.c for at in rare))],
        [question.targets[t]],
        question.gate.resamples,
        question.gate.confidence,
        question.seed,
    ).score
    if change.low >= -allowed:
        return []
    rows = sum(map(question.support, rare))
    of = f" of '{question.targets[t].name}'" if len(question.targets) > 1 else ""
    told = (
        f"The {len(rare)} classes{of} that are too rare to be judged alone may together lose more "
        f"than {allowed:.4f} of F1: {change.text(signed=True)} on {amount(rows, 'row')}"
    )
    return [_loss(question, told, change, allowed, max(rare, key=question.rarity))]


def _of_target(answers: Answers, t: int) -> Answers:
    return replace(
        answers, probabilities=(answers.probabilities[t],), decisions=answers.decisions[:, [t]]
    )


def _loss(
    question: Question, told: str, change: Interval, allowed: float, at: Counted
) -> Objection:
    if change.value < 0 or change.value + allowed <= 0:
        return Objection(f"{told}.")
    rows = rows_to_settle(change, allowed, question.support(at))
    return Objection(f"{told} {question.about(rows, at)}.", at, rows)
