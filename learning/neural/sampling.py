"""Which rows an epoch draws: rare labels more often, rows of like length together."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from learning.arrays import LabelTable, Weights
from learning.rows.splits import strata
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import Sampling

LEAST_ROWS = 20
"""A combination of labels with fewer rows counts under the rarest class that it has."""

_LIKE = 50
"""Batches whose rows are sorted by length together; what Hugging Face's sampler takes too."""


def draws(
    sampling: Sampling,  # settled
    targets: Sequence[Target],
    labels: LabelTable,
) -> Weights | None:
    """(rows,) how many times a row is drawn in an epoch, on average; None where each is once."""
    exponent = value(sampling.exponent)
    if not exponent and not sampling.boosts:
        return None
    cells = strata(labels, targets, LEAST_ROWS)
    counts = np.bincount(cells)
    often = (counts.max() / counts[cells]) ** exponent
    for place, target in enumerate(targets):
        boosts = sampling.boosts.get(target.name, {})
        often = (
            often
            * np.array([boosts.get(text, 1.0) for text in target.class_texts])[labels[:, place]]
        )
    often = np.minimum(often / often.min(), sampling.most)
    drawn: Weights = often * (len(often) / often.sum())
    return drawn


def effective_rows(
    targets: Sequence[Target],
    labels: LabelTable,
    drawn: Weights | None,
    weights: Weights,  # of rows
) -> tuple[NDArray[np.float64], ...]:
    """Of each target (classes,) the rows of each class that an epoch sees, times their weights."""
    seen = weights if drawn is None else weights * drawn
    return tuple(
        np.bincount(labels[:, place], seen, minlength=target.classes).astype(np.float64)
        for place, target in enumerate(targets)
    )


class LengthGrouped(Sampler[int]):
    """An epoch's rows, those of like length in one batch; another order each epoch.

    A row that is to be drawn 2.3 times is drawn two or three times (systematic sampling), so the
    shares of classes hardly scatter. The longest batch is first: what does not fit into memory
    fails at once.
    """

    def __init__(
        self,
        lengths: NDArray[np.integer],
        batch: int,  # rows of one optimiser step
        drawn: Weights | None,
        seed: int,
    ) -> None:
        self.lengths, self.rows, self.drawn, self.seed = lengths, batch, drawn, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self.seed, self.epoch])
        drawn = self._drawn(random)
        size = self.rows * _LIKE
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(drawn), size):
            part = drawn[start : start + size]
            part = part[np.argsort(-self.lengths[part], kind="stable")]
            batches += [part[at : at + self.rows] for at in range(0, len(part), self.rows)]
        last = [batches.pop()] if batches and len(batches[-1]) < self.rows else []
        order = random.permutation(len(batches)).tolist()
        longest = max(order, key=lambda place: int(self.lengths[batches[place]].max()), default=0)
        order.sort(key=lambda place: place != longest)
        for batch in [*(batches[place] for place in order), *last]:
            yield from batch.tolist()

    def _drawn(self, random: np.random.Generator) -> NDArray[np.int64]:
        order = random.permutation(len(self.lengths))
        if self.drawn is None:
            return order
        ends = np.cumsum(self.drawn[order])
        at = (np.arange(len(order)) + random.random()) * (ends[-1] / len(order))
        chosen = order[np.minimum(np.searchsorted(ends, at, side="right"), len(order) - 1)]
        return random.permutation(chosen)
