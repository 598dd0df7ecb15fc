"""What one model says of rows: a table of probabilities for each target, and its decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.arrays import LabelTable, Mask, Probabilities
from schemas.label import Target


@dataclass(frozen=True)
class Answers:
    """`probabilities` are (rows, classes) a target, `decisions` (rows, targets) class indices;
    `latency_ms` is milliseconds a row, where it was measured.
    """

    probabilities: tuple[Probabilities, ...]
    decisions: LabelTable
    latency_ms: float | None = None

    def of(self, rows: Mask) -> "Answers":
        """The answers to these rows only."""
        parts = tuple(part[rows] for part in self.probabilities)
        return Answers(parts, self.decisions[rows], self.latency_ms)


def side_by_side(parts: Sequence[Probabilities]) -> Probabilities:
    """(rows, the classes of all targets)."""
    joined: Probabilities = np.hstack(list(parts))
    return joined


def parted(joined: Probabilities, targets: Sequence[Target]) -> tuple[Probabilities, ...]:
    """The opposite of `side_by_side`."""
    ends = np.cumsum([target.classes for target in targets])[:-1]
    return tuple(np.split(joined, ends, axis=1))
