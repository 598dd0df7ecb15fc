"""What resamples of rows are worth: cells of rows that no figure tells apart, and their counts.

What decisions are worth depends on the rows only through how many fall in each cell of (labels,
first decisions, second decisions) over all targets. Drawing rows with replacement is drawing the
cells' counts from a multinomial, and no row is copied. A ranking asks for more: there each row is a
cell of its own and its average precision is that of weighted rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from learning.answers import Answers
from learning.arrays import Labels, LabelTable, Probabilities
from learning.deciding.metrics import Figures, class_fs, mean_of_seen
from learning.deciding.objectives import (
    Aim,
    MeanCost,
    MeanF,
    MeanRanking,
    MeanRecall,
    of_tallies,
    ranked,
)

CELLS_AT_ONCE = 4_000_000
CHEAPER_BY_ROW = 4
"""Where cells are more than one in so many rows, rows are drawn one by one: it costs less."""
DENSE_CLASSES = 16
"""Up to so many a full matrix counts faster than a sparse one: 18 ms, not 46, for 60k cells."""

Counts: TypeAlias = NDArray[np.float64]
"""(cells, resamples) how often each cell was drawn, whole numbers: so matrices multiply fast."""


@dataclass(frozen=True)
class Cells:
    """Rows that no figure tells apart: how many there are, and the first row of each.

    Cells stand in order of their first row, not of their classes: renaming classes draws the same.
    """

    counts: NDArray[np.int64]  # (cells,)
    first: NDArray[np.int64]  # (cells,)
    of_row: NDArray[np.int64]  # (rows,)

    def as_they_are(self) -> Counts:
        """As if it were one resample."""
        return self.counts[:, None].astype(np.float64)

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


def cells_of(
    labels: LabelTable,
    sides: Sequence[Answers],
    classes: Sequence[int],
    *,
    whole: bool,  # each row its own cell
) -> Cells:
    """The cells of all targets and sides at once."""
    rows = np.arange(len(labels), dtype=np.int64)
    if whole or not len(rows):
        return Cells(np.ones_like(rows), rows, rows)
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
    return Cells(counts[order], first[order], place[of_row])


@dataclass(frozen=True)
class Worth:
    """Of each resample: the aim (..., resamples), and F1 (..., resamples, classes)."""

    scores: Figures
    f1s: Figures

    def apart(self) -> "Worth":
        """Of one side its figures, of two the second's minus the first's."""
        if len(self.scores) == 1:
            return Worth(self.scores[0], self.f1s[0])
        (one, two), (f1s, other_f1s) = self.scores, self.f1s
        return Worth(two - one, other_f1s - f1s)

    @classmethod
    def joined(cls, pieces: Sequence["Worth"]) -> "Worth":
        """Resamples of several pieces as one."""
        return cls(
            np.concatenate([piece.scores for piece in pieces]),
            np.concatenate([piece.f1s for piece in pieces]),
        )


@dataclass(frozen=True)
class Ranking:
    """One class's rows by falling probability, cut after each group of equals that has one of it.

    `passed` and `found` are (groups, rows) of 0/1: which rows each cut adds, and which are of the
    class.
    """

    passed: csr_matrix
    found: csr_matrix

    @classmethod
    def of(cls, own: NDArray[np.bool_], scores: Figures) -> "Ranking":
        cuts = np.unique(scores[own])
        # Rows that come after the last of the class change nothing: they are in no group.
        group = len(cuts) - np.searchsorted(cuts, scores, side="right")
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
class Rankings:
    """One side's rows, ranked for each of the classes that are asked for."""

    labels: Labels
    probabilities: Probabilities
    classes: tuple[int, ...]

    def areas(self, drawn: Counts) -> Figures:
        """(resamples,) mean average precision of the classes that were drawn.

        A ranking is dropped before the next one: of 1,000 classes and 40,000 rows all at once take
        500 MB. Many classes leave few resamples, which are drawn in one piece and ranked once.
        """
        each = [
            Ranking.of(self.labels == c, self.probabilities[:, c]).areas(drawn)
            for c in self.classes
        ]
        return mean_of_seen(np.stack(each, axis=-1))


@dataclass(frozen=True)
class Question:
    """One target on the cells: which cell feeds which count.

    `members` is (classes * (1 + 2 * sides), cells) of 0/1: rows of the class, then decisions and
    hits of each side. `costs` are (sides, cells), `rankings` those of each side, for aims that ask.
    """

    aim: Aim
    classes: int
    members: csr_matrix | Figures
    costs: Figures
    rankings: tuple["Rankings", ...]

    def figures(self, drawn: Counts) -> Worth:
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
                scores = np.stack([side.areas(drawn) for side in self.rankings])
            case _:
                assert_never(self.aim)
        return Worth(scores, class_fs(hits, decided, support))


def question(
    cells: Cells,
    labels: LabelTable,
    sides: Sequence[Answers],
    t: int,
    aim: Aim,
    classes: int,
) -> Question:
    """What target `t` asks of the cells."""
    label = labels[cells.first, t]
    decisions = [side.decisions[cells.first, t] for side in sides]
    costs = np.zeros((len(sides), 0))
    rankings: tuple[Rankings, ...] = ()
    if isinstance(aim, MeanCost):
        costs = np.stack([np.array(aim.costs)[label, decided] for decided in decisions])
    elif isinstance(aim, MeanRanking):
        classes_ranked = ranked(aim, label, classes)
        rankings = tuple(Rankings(label, side.probabilities[t], classes_ranked) for side in sides)
    members = [_members(label, classes)]
    for decided in decisions:
        members += [_members(decided, classes), _members(decided, classes, decided == label)]
    stacked = csr_matrix(vstack(members))
    full = stacked.toarray() if classes <= DENSE_CLASSES else stacked
    return Question(aim, classes, full, costs, rankings)


def _members(
    of_class: NDArray[np.integer], classes: int, kept: NDArray[np.bool_] | None = None
) -> csr_matrix:
    """(classes, cells) 1 where the cell is of the class, and kept."""
    cells = np.arange(len(of_class)) if kept is None else np.flatnonzero(kept)
    return csr_matrix(
        (np.ones(len(cells)), (of_class[cells], cells)), shape=(classes, len(of_class))
    )
