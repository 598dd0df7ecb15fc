"""Bootstrap intervals of F1 figures by resampling counts: exact, and blind to the rows' number.

F1 depends on the rows only through how many fall in each cell of (label, first decision, second
decision). Drawing rows with replacement is drawing the cells' counts from a multinomial, so no row
is ever copied. Bounds are percentiles, widened where needed to hold the figure itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from learning.arrays import Decisions, Labels
from learning.metrics import Figures, class_f1s, mean_of_seen
from schemas.results import Interval

CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class PairedBootstrap:
    """Second minus first: macro-F1, and F1 of each class (0 where either has none)."""

    macro: Interval
    classes: tuple[Interval, ...]


def macro_f1_interval(
    labels: Labels,
    decisions: Decisions,
    classes: int,
    resamples: int,
    confidence: float,  # share of resamples between the bounds
    seed: int,
) -> Interval:
    """Macro-F1 of the decisions."""
    cells = _Cells.of(labels, (decisions,), classes)
    sampled = mean_of_seen(np.concatenate([f1s[0] for f1s in cells.resampled(resamples, seed)]))
    return _interval(float(mean_of_seen(cells.observed()[0])[0]), sampled, confidence)


def class_f1_intervals(
    labels: Labels,
    decisions: Decisions,
    classes: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> tuple[Interval, ...]:
    """F1 of each class; 0 to 0 for a class without rows and decisions."""
    cells = _Cells.of(labels, (decisions,), classes)
    sampled = np.concatenate([f1s[0] for f1s in cells.resampled(resamples, seed)])
    return _class_intervals(cells.observed()[0][0], sampled, confidence)


def paired_macro_f1(
    labels: Labels,
    first: Decisions,
    second: Decisions,
    classes: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> PairedBootstrap:
    """Both decisions on the same resampled rows; equal decisions give exactly 0, 0, 0."""
    cells = _Cells.of(labels, (first, second), classes)
    before, after = cells.observed()
    macros, changes = [], []
    for one, two in cells.resampled(resamples, seed):
        macros.append(mean_of_seen(two) - mean_of_seen(one))
        changes.append(two - one)
    value = float(mean_of_seen(after)[0] - mean_of_seen(before)[0])
    return PairedBootstrap(
        macro=_interval(value, np.concatenate(macros), confidence),
        classes=_class_intervals((after - before)[0], np.concatenate(changes), confidence),
    )


@dataclass(frozen=True)
class _Cells:
    """Distinct (label, decisions...) with their counts, and which cell feeds which class.

    `truth`, `decided` and `hits` are (cells, classes) of 0/1, sparse; the latter one a decider.
    """

    counts: NDArray[np.int64]
    truth: csr_matrix
    decided: tuple[csr_matrix, ...]
    hits: tuple[csr_matrix, ...]

    @classmethod
    def of(cls, labels: Labels, deciders: tuple[Decisions, ...], classes: int) -> "_Cells":
        rows = np.stack([np.asarray(x, dtype=np.int64) for x in (labels, *deciders)])
        radix = classes ** np.arange(len(rows))
        codes, places, counts = np.unique(radix @ rows, return_index=True, return_counts=True)
        # Cells in order of their first row, not of their classes: renaming classes draws the same.
        order = np.argsort(places)
        label, *decisions = (codes[order] // r % classes for r in radix)
        return cls(
            counts=counts[order].astype(np.int64),
            truth=_members(label, classes),
            decided=tuple(_members(d, classes) for d in decisions),
            hits=tuple(_members(d, classes, d == label) for d in decisions),
        )

    def observed(self) -> tuple[Figures, ...]:
        """F1 (1, classes) of each decider on the rows as they are."""
        return self._f1s(self.counts[None, :])

    def resampled(self, resamples: int, seed: int) -> Iterator[tuple[Figures, ...]]:
        """F1 (some resamples, classes) of each decider, in pieces that fit in memory."""
        rng = np.random.default_rng(seed)
        total = int(self.counts.sum())
        shares = self.counts / max(total, 1)
        step = max(1, CELLS_AT_ONCE // max(len(self.counts), 1))
        for start in range(0, resamples, step):
            drawn = rng.multinomial(total, shares, size=min(step, resamples - start))
            yield self._f1s(drawn)

    def _f1s(self, counts: NDArray[np.int64]) -> tuple[Figures, ...]:
        support = counts @ self.truth
        return tuple(
            class_f1s(counts @ hits, counts @ decided, support)
            for hits, decided in zip(self.hits, self.decided, strict=True)
        )


def _members(
    of_class: NDArray[np.int64], classes: int, kept: NDArray[np.bool_] | None = None
) -> csr_matrix:
    cells = np.arange(len(of_class))
    ones = np.ones(len(cells), dtype=np.int64) if kept is None else kept.astype(np.int64)
    return csr_matrix((ones, (cells, of_class)), shape=(len(cells), classes))


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
