"""What speaks against a challenger, in words, and how many rows could settle what is open."""

import math
from dataclasses import dataclass

import numpy as np

from learning.answers import Answers
from learning.arrays import LabelTable
from learning.deciding import metrics
from learning.deciding.bootstrap import Bootstrap, own
from learning.deciding.objectives import Aim, MeanF, MeanRanking
from schemas.label import Target
from schemas.plan import Gate
from schemas.results import Interval

TOO_MANY = 10
"""A difference that needs more than this many times the rows of a class is none in practice."""
ROUNDING = 1e-12
"""Sums of equal figures in another order of classes differ by less than this."""


@dataclass(frozen=True)
class Counted:
    """A class that counts, by its place: target `t`, class `c`."""

    t: int
    c: int


@dataclass(frozen=True)
class Objection:
    """A reason against promotion. `rows` more of `of_class` would settle it, if it's set."""

    reason: str
    of_class: Counted | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Question:
    """What is judged, and by which rules."""

    labels: LabelTable
    targets: tuple[Target, ...]
    aims: tuple[Aim, ...]
    metric: str
    gate: Gate
    seed: int
    reference_name: str

    @property
    def counted(self) -> list[Counted]:
        """All classes that count, target by target."""
        return [Counted(t, c) for t, target in enumerate(self.targets) for c in target.counted]

    def support(self, at: Counted) -> int:
        """Holdout rows of the class."""
        return int(np.count_nonzero(self.labels[:, at.t] == at.c))

    def rarity(self, at: Counted) -> tuple[int, int]:
        """What ends a tie: fewest rows, then their order, but never a class's number."""
        return -self.support(at), -int(np.argmax(self.labels[:, at.t] == at.c))

    def called(self, at: Counted) -> str:
        """The class as reasons call it: of many labels the label, of many targets with its own."""
        target = self.targets[at.t]
        if target.is_flag:
            return f"label '{target.name}'"
        of = f" of '{target.name}'" if len(self.targets) > 1 else ""
        return f"class '{target.class_texts[at.c]}'{of}"

    def about(self, rows: int, at: Counted) -> str:
        """What a reason that asks for rows ends with."""
        return f"(about {rows} more rows of {self.called(at)})"


@dataclass(frozen=True)
class Trial:
    """Both models' answers to the question, and what their difference came to."""

    question: Question
    reference: Answers
    challenger: Answers
    paired: Bootstrap


def objections(trial: Trial, harm: bool) -> list[Objection]:
    """Against promotion; where the objective alone says no, nothing else is asked."""
    first = unmeasurable(trial.question) or _no_gain(trial) or _gain_within_chance(trial)
    if first or not harm:
        return first or _slowness(trial)
    return [
        *_unjudged_classes(trial),
        *_task_losses(trial),
        *_class_losses(trial),
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
        told = f"{sentence(question.metric)} is not higher: {signed(gain)} against {name}."
        return [Objection(told)]
    return []


def _gain_within_chance(trial: Trial) -> list[Objection]:
    """Too few rows for this gain; a bound narrows with the root of their number."""
    question, gain = trial.question, trial.paired.score
    if gain.low > ROUNDING:
        return []
    widest = _widest_class(trial, _weighed(question))
    rows = _rows_to_settle(gain, 0.0, question.support(widest))
    told = (
        f"{sentence(question.metric)} is {signed(gain)} against {question.reference_name}: "
        f"it may be chance on {len(question.labels)} rows"
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


def _widest_class(trial: Trial, among: list[Counted]) -> Counted:
    """The class of which the challenger's F1 is least certain; of equals the one of fewest rows.

    Those without any are no answer where others are: more rows of them settle nothing here.
    """
    question = trial.question
    f1s = own(
        question.labels,
        trial.challenger,
        # Only the intervals of the classes are wanted, and these cost least.
        [MeanF(target.counted) for target in question.targets],
        question.gate.resamples,
        question.gate.confidence,
        question.seed,
    ).classes

    def doubt(at: Counted) -> tuple[float, int, int]:
        interval = f1s[at.t][at.c]
        return round(interval.high - interval.low, 9), *question.rarity(at)

    return max([at for at in among if question.support(at)] or among, key=doubt)


def _rows_to_settle(change: Interval, loss: float, support: int) -> int:
    """More rows of a class after which the lower bound would stay above minus the loss allowed."""
    times = ((change.value - change.low) / (change.value + loss)) ** 2 - 1
    return max(1, math.ceil(times * support))


def _class_losses(trial: Trial) -> list[Objection]:
    """Classes that may have lost more than allowed; those that did lose are final."""
    question, allowed = trial.question, trial.question.gate.max_class_drop
    found = []
    for at in question.counted:
        change = trial.paired.classes[at.t][at.c]
        if change.low >= -allowed:
            continue
        told = (
            f"{sentence(question.called(at))} may lose more than {allowed:.4f} of F1: "
            f"{signed(change)} on {question.support(at)} rows"
        )
        found.append(_loss(question, told, change, allowed, at))
    return found


def _task_losses(trial: Trial) -> list[Objection]:
    """Of several tasks those that may have lost more of the objective than allowed."""
    question, allowed = trial.question, trial.question.gate.max_task_drop
    found = []
    for t, (target, change) in enumerate(zip(question.targets, trial.paired.targets, strict=True)):
        alone = len(question.targets) == 1 or target.is_flag
        if alone or change.low >= -allowed:
            continue
        told = (
            f"'{target.name}' may lose more than {allowed:.4f} of {question.metric}: "
            f"{signed(change)} on {len(question.labels)} rows"
        )
        widest = _widest_class(trial, [at for at in question.counted if at.t == t])
        found.append(_loss(question, told, change, allowed, widest))
    return found


def _loss(
    question: Question, told: str, change: Interval, allowed: float, at: Counted
) -> Objection:
    if change.value < 0 or change.value + allowed <= 0:
        return Objection(f"{told}.")
    rows = _rows_to_settle(change, allowed, question.support(at))
    return Objection(f"{told} {question.about(rows, at)}.", at, rows)


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


def sentence(text: str) -> str:
    """With a capital.

    >>> sentence("macro-F1"), sentence("F2 of 'yes'")
    ('Macro-F1', "F2 of 'yes'")
    """
    return text[0].upper() + text[1:]


def signed(figure: Interval) -> str:
    """A difference with its bounds."""
    return f"{figure.value:+.4f} ({figure.low:+.4f} to {figure.high:+.4f})"
