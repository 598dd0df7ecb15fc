"""Bootstrap intervals of objectives and F1 by resampling counts: exact, and no row is copied.

What decisions are worth depends on the rows only through how many fall in each cell of (labels,
first decisions, second decisions) over all targets. Drawing rows with replacement is drawing the
cells' counts from a multinomial. A ranking asks for more: there each row is a cell of its own and
its average precision is that of weighted rows. Rows are drawn whole, so targets stay together.
Bounds are percentiles, widened where needed to hold the figure itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from learning.answers import Answers
from learning.arrays import Decisions, Labels, LabelTable, Probabilities
from learning.metrics import Figures, class_fs, mean_of_seen
from learning.objectives import Aim, Decisive, MeanCost, MeanF, MeanRanking, MeanRecall, of_tallies
from learning.objectives import ranked as ranked_of
from schemas.label import Target
from schemas.results import Interval

CELLS_AT_ONCE = 4_000_000
CHEAPER_BY_ROW = 4
"""Where cells are more than one in so many rows, rows are drawn one by one: it costs less."""
RANKED_AT_MOST = 2_000_000_000
"""Rows that all resamples may rank, over classes and models: some seconds. Beyond it resamples get
fewer, down to `FEWEST`."""
FEWEST = 200

DENSE_CLASSES = 16
"""Up to so many a full matrix counts faster than a sparse one: 51 s became 7 s for 28 labels."""

Counts: TypeAlias = NDArray[np.float64]
"""(cells, resamples) how often each cell was drawn, whole numbers: so matrices multiply fast."""


@dataclass(frozen=True)
class Bootstrap:
    """Intervals of one model, or of the second minus the first of two.

    `score` is the mean over targets of their aims and `targets` are those; `classes` the F1 of each
    class of each target, 0 to 0 where it has neither rows nor decisions.
    """

    score: Interval
    targets: tuple[Interval, ...]
    classes: tuple[tuple[Interval, ...], ...]


def own(
    labels: LabelTable,
    answers: Answers,
    aims: Sequence[Aim],
    resamples: int,
    confidence: float,  # share of resamples between the bounds
    seed: int,
) -> Bootstrap:
    """One model's figures."""
    classes = [part.shape[1] for part in answers.probabilities]
    return _bootstrap(labels, (answers,), aims, classes, resamples, confidence, seed)


def paired(
    labels: LabelTable,
    first: Answers,
    second: Answers,
    aims: Sequence[Aim],
    targets: Sequence[Target],
    resamples: int,
    confidence: float,
    seed: int,
) -> Bootstrap:
    """Both models on the same resampled rows; equal answers give exactly 0, 0, 0."""
    classes = [target.classes for target in targets]
    return _bootstrap(labels, (first, second), aims, classes, resamples, confidence, seed)


def score_interval(
    labels: LabelTable,
    answers: Answers,
    aims: Sequence[Aim],
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """The mean over targets of the model's aims."""
    return own(labels, answers, aims, resamples, confidence, seed).score


def macro_f1_interval(
    labels: LabelTable,
    decisions: LabelTable,  # (n, targets)
    targets: Sequence[Target],
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """Mean over targets of the macro-F1 of their counted classes."""
    aims = [MeanF(target.counted) for target in targets]
    classes = [target.classes for target in targets]
    answers = Answers((), decisions)
    return _bootstrap(labels, (answers,), aims, classes, resamples, confidence, seed).score


def decision_gain(
    labels: Labels,
    first: Decisions,
    second: Decisions,
    classes: int,
    aim: Decisive,
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """Of one target alone: what the second decisions are worth more than the first."""
    sides = tuple(Answers((), decisions[:, None]) for decisions in (first, second))
    table = labels[:, None]
    return _bootstrap(table, sides, (aim,), (classes,), resamples, confidence, seed).score


def _bootstrap(
    labels: LabelTable,
    sides: tuple[Answers, ...],  # the model, or the first and the second
    aims: Sequence[Aim],
    classes: Sequence[int],
    resamples: int,
    confidence: float,
    seed: int,
) -> Bootstrap:
    cells = _cells(labels, sides, classes, whole=any(isinstance(a, MeanRanking) for a in aims))
    questions = [_question(cells, labels, sides, t, aim, classes[t]) for t, aim in enumerate(aims)]
    visits = len(labels) * sum(len(side) for q in questions for side in q.rankings)
    if visits:
        resamples = min(resamples, max(FEWEST, RANKED_AT_MOST // visits))
    observed = [_apart(q.figures(cells.counts[:, None].astype(np.float64))) for q in questions]
    pieces = [
        [_apart(q.figures(drawn)) for q in questions] for drawn in cells.drawn(resamples, seed)
    ]
    sampled = [_joined(each) for each in zip(*pieces, strict=True)]
    return Bootstrap(
        score=_interval(
            float(np.mean([one.scores for one in observed])),
            np.mean([many.scores for many in sampled], axis=0),
            confidence,
        ),
        targets=tuple(
            _interval(float(one.scores[0]), many.scores, confidence)
            for one, many in zip(observed, sampled, strict=True)
        ),
        classes=tuple(
            _class_intervals(one.f1s[0], many.f1s, confidence)
            for one, many in zip(observed, sampled, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Cells:
    """Rows that no figure tells apart: how many there are, and the first row of each.

    Cells stand in order of their first row, not of their classes: renaming classes draws the same.
    """

    counts: NDArray[np.int64]  # (cells,)
    first: NDArray[np.int64]  # (cells,)
    of_row: NDArray[np.int64]  # (rows,)

    def drawn(self, resamples: int, seed: int) -> Iterator[Counts]:
        """In pieces that fit in memory."""
        rng = np.random.default_rng(seed)
        rows, cells = len(self.of_row), len(self.counts)
        step = max(1, CELLS_AT_ONCE // max(cells, 1))
        for start in range(0, resamples, step):
            size = min(step, resamples - start)
            if cells * CHEAPER_BY_ROW > rows:
                drawn = np.stack(
                    [
                        np.bincount(self.of_row[rng.integers(0, rows, rows)], minlength=cells)
                        for _ in range(size)
                    ]
                )
            else:
                drawn = rng.multinomial(rows, self.counts / rows, size=size)
            yield drawn.T.astype(np.float64, order="C")


def _cells(
    labels: LabelTable,
    sides: Sequence[Answers],
    classes: Sequence[int],
    *,
    whole: bool,  # each row its own cell
) -> _Cells:
    rows = np.arange(len(labels), dtype=np.int64)
    if whole or not len(rows):
        return _Cells(np.ones_like(rows), rows, rows)
    codes, size = np.zeros_like(rows), 1
    for table in (labels, *(side.decisions for side in sides)):
        for column, many in zip(table.T, classes, strict=True):
            if size * many > np.iinfo(np.int64).max:
                codes = np.unique(codes, return_inverse=True)[1]
                size = len(rows)
            codes, size = codes * many + column, size * many
    _, first, of_row, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return _Cells(counts[order], first[order], place[of_row])


@dataclass(frozen=True)
class _Figures:
    """Of each resample: the aim (..., resamples), and F1 (..., resamples, classes)."""

    scores: Figures
    f1s: Figures


def _apart(sides: _Figures) -> _Figures:
    """Of one side its figures, of two the second's minus the first's."""
    if len(sides.scores) == 1:
        return _Figures(sides.scores[0], sides.f1s[0])
    (one, two), (f1s, other_f1s) = sides.scores, sides.f1s
    return _Figures(two - one, other_f1s - f1s)


def _joined(pieces: Sequence[_Figures]) -> _Figures:
    return _Figures(
        np.concatenate([piece.scores for piece in pieces]),
        np.concatenate([piece.f1s for piece in pieces]),
    )


@dataclass(frozen=True)
class _Ranking:
    """One class's rows by falling probability, cut after each group of equals that has one of it.

    `passed` and `found` are (groups, rows) of 0/1: which rows each cut adds, and which are of the
    class.
    """

    passed: csr_matrix
    found: csr_matrix

    @classmethod
    def of(cls, own: NDArray[np.bool_], scores: Figures) -> "_Ranking":
        _, level = np.unique(-scores, return_inverse=True)
        cuts = np.unique(level[own])
        # Rows that come after the last of the class change nothing: they are in no group.
        group = np.searchsorted(cuts, level)
        inside = np.flatnonzero(group < len(cuts))
        found = np.flatnonzero(own)
        shape = (len(cuts), len(own))
        return cls(
            csr_matrix((np.ones(len(inside)), (group[inside], inside)), shape),
            csr_matrix((np.ones(len(found)), (group[found], found)), shape),
        )

    def areas(self, drawn: Counts) -> Figures:
        """(resamples,) average precision; NaN where the class was not drawn."""
        found = self.found @ drawn
        hits, passed = found.cumsum(0), (self.passed @ drawn).cumsum(0)
        total = found.sum(0)
        steps = (found * (hits / np.maximum(passed, 1))).sum(0)
        areas = np.full(len(total), np.nan)
        np.divide(steps, total, out=areas, where=total > 0)
        return areas


@dataclass(frozen=True)
class _Question:
    """One target on the cells: which cell feeds which count.

    `members` is (classes * (1 + 2 * sides), cells) of 0/1: rows of the class, then decisions and
    hits of each side. `costs` are (sides, cells), `rankings` those of each side, for aims that ask.
    """

    aim: Aim
    classes: int
    members: csr_matrix | Figures
    costs: Figures
    rankings: tuple[tuple[_Ranking, ...], ...]

    def figures(self, drawn: Counts) -> _Figures:
        """Of each side."""
        tallies = (self.members @ drawn).reshape(-1, self.classes, drawn.shape[1])
        support, *by_side = tallies.transpose(0, 2, 1)
        decided, hits = np.stack(by_side[::2]), np.stack(by_side[1::2])
        match self.aim:
            case MeanF() | MeanRecall():
                scores = of_tallies(self.aim, hits, decided, support)
            case MeanCost():
                scores = -(self.costs @ drawn) / np.maximum(drawn.sum(0), 1)
            case MeanRanking():
                scores = np.stack(
                    [
                        mean_of_seen(np.stack([each.areas(drawn) for each in side], axis=-1))
                        for side in self.rankings
                    ]
                )
            case _:
                assert_never(self.aim)
        return _Figures(scores, class_fs(hits, decided, support))


def _question(
    cells: _Cells,
    labels: LabelTable,
    sides: Sequence[Answers],
    t: int,
    aim: Aim,
    classes: int,
) -> _Question:
    label = labels[cells.first, t]
    decisions = [side.decisions[cells.first, t] for side in sides]
    costs = np.zeros((len(sides), 0))
    rankings: tuple[tuple[_Ranking, ...], ...] = ()
    if isinstance(aim, MeanCost):
        costs = np.stack([np.array(aim.costs)[label, decided] for decided in decisions])
    elif isinstance(aim, MeanRanking):
        rankings = tuple(_rankings(aim, label, side.probabilities[t]) for side in sides)
    members = [_members(label, classes)]
    for decided in decisions:
        members += [_members(decided, classes), _members(decided, classes, decided == label)]
    stacked = csr_matrix(vstack(members))
    full = stacked.toarray() if classes <= DENSE_CLASSES else stacked
    return _Question(aim, classes, full, costs, rankings)


def _rankings(
    aim: MeanRanking, labels: Labels, probabilities: Probabilities
) -> tuple[_Ranking, ...]:
    return tuple(
        _Ranking.of(labels == c, probabilities[:, c])
        for c in ranked_of(aim, labels, probabilities.shape[1])
    )


def _members(
    of_class: NDArray[np.integer], classes: int, kept: NDArray[np.bool_] | None = None
) -> csr_matrix:
    """(classes, cells) 1 where the cell is of the class, and kept."""
    cells = np.arange(len(of_class)) if kept is None else np.flatnonzero(kept)
    return csr_matrix(
        (np.ones(len(cells)), (of_class[cells], cells)), shape=(classes, len(of_class))
    )


def _class_intervals(
    observed: Figures,  # (classes,)
    sampled: Figures,  # (resamples, classes), NaN where the class vanished
    confidence: float,
) -> tuple[Interval, ...]:
    return tuple(
        _interval(0.0 if np.isnan(value) else float(value), column[~np.isnan(column)], confidence)
        for value, column in zip(observed, sampled.T, strict=True)
    )


def _interval(value: float, sampled: Figures, confidence: float) -> Interval:
    if not len(sampled):
        return Interval(value=value, low=value, high=value)
    tail = (1 - confidence) / 2
    low, high = np.quantile(sampled, (tail, 1 - tail))
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))
