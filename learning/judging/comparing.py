"""Two models on the same rows, figure by figure: each difference beside what chance does to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from learning.answers import Answers
from learning.arrays import SMALLEST_PROBABILITY, Labels, LabelTable, Probabilities
from learning.deciding.bootstrap import Bootstrap, bounded, own, paired
from learning.deciding.metrics import Figures, class_fs, class_recalls, mean_of_seen
from learning.deciding.objectives import aims
from learning.deciding.resampling import Counts, cells_of
from schemas.comparison import FigureChange, Mark
from schemas.label import Target
from schemas.objectives import Objective, objective_name
from schemas.plan import Gate
from schemas.results import Interval

DRAWN_AT_MOST = 400_000_000
"""Rows that all resamples draw: ten seconds. Of more rows there are fewer resamples."""
FEWEST = 200
_LESS_IS_BETTER = ("log loss", "Brier score")


@dataclass(frozen=True)
class Name:
    """Which figure; of all targets and classes where those are empty."""

    figure: str
    target: str = ""
    of_class: str = ""


Drawn: TypeAlias = dict[Name, Figures]
"""Each figure of each resample, NaN where a resample can't give it."""


@dataclass(frozen=True)
class Rules:
    """What is compared, and how sure one has to be."""

    targets: tuple[Target, ...]
    objective: Objective
    gate: Gate
    seed: int

    def resamples(self, rows: int) -> int:
        """How many the time allows."""
        return min(self.gate.resamples, max(FEWEST, DRAWN_AT_MOST // max(1, rows)))


def compared(
    labels: LabelTable, first: Answers, second: Answers, rules: Rules
) -> tuple[FigureChange, ...]:
    """The objective, then every figure of all targets, of each target and of each class.

    A difference is better or worse only where its paired interval leaves out 0 and it is larger
    than the noise of the figure itself: smaller ones would not be seen again on other rows.
    """
    return (
        *_of_objective(labels, first, second, rules),
        *_of_figures(labels, first, second, rules),
    )


def _of_objective(
    labels: LabelTable, first: Answers, second: Answers, rules: Rules
) -> Iterator[FigureChange]:
    """By the machinery of the gate, whose word this is: all targets, then each of several."""
    asked = aims(rules.objective, rules.targets)
    chance = (rules.resamples(len(labels)), rules.gate.confidence, rules.seed)
    one, two = (own(labels, answers, asked, *chance) for answers in (first, second))
    both = paired(labels, first, second, asked, rules.targets, *chance)
    name = Name(objective_name(rules.objective))
    yield _change(name, _scores(one), _scores(two), both.score)
    if len(rules.targets) > 1:
        for place, target in enumerate(rules.targets):
            yield _change(
                replace(name, target=target.name),
                (one.targets[place].value, one.target_errors[place]),
                (two.targets[place].value, two.target_errors[place]),
                both.targets[place],
            )


def _scores(found: Bootstrap) -> tuple[float, float]:
    return found.score.value, found.error


def _of_figures(
    labels: LabelTable, first: Answers, second: Answers, rules: Rules
) -> Iterator[FigureChange]:
    cells = cells_of(labels, (first, second), [t.classes for t in rules.targets], whole=True)
    sides = [_Side.of(labels, answers, rules) for answers in (first, second)]
    observed = [side.figures(cells.as_they_are()) for side in sides]
    pieces = [
        [side.figures(weights) for side in sides]
        for weights in cells.drawn(rules.resamples(len(labels)), rules.seed)
    ]
    for name in observed[0]:
        one, two = (float(side[name][0]) for side in observed)
        if np.isnan(one) or np.isnan(two):
            yield FigureChange(
                **vars(name), first=_known(one), second=_known(two), mark="not measured"
            )
            continue
        ones, twos = (np.concatenate([piece[side][name] for piece in pieces]) for side in (0, 1))
        known = ~np.isnan(ones) & ~np.isnan(twos)
        change = bounded(two - one, (twos - ones)[known], rules.gate.confidence)
        yield _change(name, (one, _error(ones)), (two, _error(twos)), change)


def _change(
    name: Name,
    first: tuple[float, float],  # the figure and its standard error
    second: tuple[float, float],
    difference: Interval,
) -> FigureChange:
    noise = max(first[1], second[1])
    return FigureChange(
        **vars(name),
        first=first[0],
        second=second[0],
        difference=difference,
        noise=noise,
        mark=_mark(name, difference, noise),
    )


def _mark(name: Name, difference: Interval, noise: float) -> Mark:
    if difference.low <= 0 <= difference.high or abs(difference.value) <= noise:
        return "within noise"
    rose = difference.value > 0
    return "better" if rose != (name.figure in _LESS_IS_BETTER) else "worse"


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure


def _error(drawn: Figures) -> float:
    known = drawn[~np.isnan(drawn)]
    return float(np.std(known)) if len(known) else 0.0


@dataclass(frozen=True)
class _Part:
    """One target of one model: who is of a class, decided so, and both; what each row costs."""

    target: Target
    support: csr_matrix  # (classes, rows) of 0/1, as the other two
    decided: csr_matrix
    hits: csr_matrix
    log_losses: NDArray[np.float64]  # (rows,)
    briers: NDArray[np.float64]

    def figures(self, weights: Counts, tasks: Mapping[str, str]) -> Drawn:
        """Each figure of each column of weights."""
        rows = weights.sum(axis=0)
        hits, decided, support = (
            (each @ weights).T for each in (self.hits, self.decided, self.support)
        )
        counted = list(self.target.counted)
        f1s, recalls = class_fs(hits, decided, support), class_recalls(hits, support)
        precisions = class_recalls(hits, decided)
        found = {
            "macro-F1": mean_of_seen(f1s[:, counted]),
            "balanced accuracy": mean_of_seen(recalls),
            "accuracy": hits.sum(axis=1) / rows,
            "log loss": self.log_losses @ weights / rows,
            "Brier score": self.briers @ weights / rows,
        }
        told = {Name(figure, **tasks): drawn for figure, drawn in found.items()}
        for c in counted:
            of_class = self.target.class_texts[c]
            of = {"F1": f1s, "precision": precisions, "recall": recalls}
            told |= {Name(f, **tasks, of_class=of_class): all_[:, c] for f, all_ in of.items()}
        return told


@dataclass(frozen=True)
class _Side:
    """One model, all targets; `skipped` is the figure that the objective tells already."""

    parts: tuple[_Part, ...]
    right: NDArray[np.float64]  # (rows,) 1 where every target was decided right
    skipped: str

    @classmethod
    def of(cls, labels: LabelTable, answers: Answers, rules: Rules) -> "_Side":
        each = zip(rules.targets, labels.T, answers.decisions.T, answers.probabilities, strict=True)
        right = (labels == answers.decisions).all(axis=1).astype(np.float64)
        return cls(tuple(_part(*one) for one in each), right, objective_name(rules.objective))

    def figures(self, weights: Counts) -> Drawn:
        several = len(self.parts) > 1
        told: Drawn = {}
        if several:
            told[Name("every target right")] = self.right @ weights / weights.sum(axis=0)
        for part in self.parts:
            told |= part.figures(weights, {"target": part.target.name} if several else {})
        return {n: drawn for n, drawn in told.items() if n.figure != self.skipped}


def _part(target: Target, labels: Labels, decided: Labels, probabilities: Probabilities) -> _Part:
    truth = probabilities[np.arange(len(labels)), labels]
    return _Part(
        target,
        _members(labels, target.classes),
        _members(decided, target.classes),
        _members(labels, target.classes, labels == decided),
        -np.log(np.maximum(truth, SMALLEST_PROBABILITY)),
        (probabilities**2).sum(axis=1) - 2 * truth + 1,
    )


def _members(of_rows: Labels, classes: int, only: NDArray[np.bool_] | None = None) -> csr_matrix:
    """(classes, rows) of 0/1."""
    rows = np.arange(len(of_rows)) if only is None else np.flatnonzero(only)
    shape = (classes, len(of_rows))
    return csr_matrix((np.ones(len(rows)), (of_rows[rows], rows)), shape=shape)


def expected_by_chance(figures: Sequence[FigureChange], confidence: float) -> float:
    """How many of these figures would leave out 0 if the models were worth the same.

    >>> expected_by_chance([], 0.95)
    0.0
    """
    return (1 - confidence) * sum(each.difference is not None for each in figures)
