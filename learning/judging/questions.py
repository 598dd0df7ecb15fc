"""What is asked of a challenger, and what an answer against it is made of."""

import math
from dataclasses import dataclass

import numpy as np

from learning.answers import Answers
from learning.arrays import LabelTable
from learning.deciding.bootstrap import Bootstrap, own
from learning.deciding.objectives import Aim, MeanF
from learning.reading.wording import amount
from schemas.label import Target
from schemas.plan import Gate
from schemas.results import Interval


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
        return f"(about {amount(rows, 'more row')} of {self.called(at)})"


@dataclass(frozen=True)
class Trial:
    """Both models' answers to the question, and what their difference came to."""

    question: Question
    reference: Answers
    challenger: Answers
    paired: Bootstrap


def widest_class(trial: Trial, among: list[Counted]) -> Counted:
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


def rows_to_settle(change: Interval, loss: float, support: int) -> int:
    """More rows of a class after which the lower bound would stay above minus the loss allowed."""
    times = ((change.value - change.low) / (change.value + loss)) ** 2 - 1
    return max(1, math.ceil(times * support))


def sentence(text: str) -> str:
    """With a capital.

    >>> sentence("macro-F1"), sentence("F2 of 'yes'")
    ('Macro-F1', "F2 of 'yes'")
    """
    return text[0].upper() + text[1:]
