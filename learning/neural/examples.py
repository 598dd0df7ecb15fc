"""Rows on their way into the network: batches padded to their longest row, words dropped or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from learning.arrays import LabelTable, Weights
from learning.neural.tokens import Tokens

Batch: TypeAlias = dict[str, Tensor]


@dataclass(frozen=True)
class WordDropout:
    """`share` of the words is taken out of a row, in `rows` of the rows."""

    share: float
    rows: float


class Examples(Dataset["tuple[Examples, int]"]):
    """Some rows of the tokens with their labels; only these know whether their words drop."""

    def __init__(
        self,
        tokens: Tokens,
        rows: NDArray[np.integer],  # which of the tokens' rows
        labels: LabelTable,  # of these rows
        weights: Weights,  # of these rows, of mean 1
        dropout: WordDropout | None = None,
    ) -> None:
        self.tokens = tokens
        self.rows = rows
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64))
        self.weights = torch.from_numpy(np.asarray(weights, dtype=np.float32))
        self.dropout = dropout

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> "tuple[Examples, int]":
        return self, place

    @property
    def lengths(self) -> NDArray[np.int64]:
        lengths: NDArray[np.int64] = self.tokens.lengths[self.rows]
        return lengths

    def batch(self, places: Sequence[int]) -> Batch:
        """Inputs, labels and weights of the rows at these places."""
        chosen = torch.as_tensor(places)
        return {
            **padded(self.tokens, self.rows[list(places)], self.dropout),
            "labels": self.labels[chosen],
            "weights": self.weights[chosen],
        }


def collated(items: "Sequence[tuple[Examples, int]]") -> Batch:
    """One batch of rows that all stem from the same examples."""
    return items[0][0].batch([place for _, place in items])


def padded(tokens: Tokens, rows: NDArray[np.integer], dropout: WordDropout | None = None) -> Batch:
    """What an encoder reads of these rows, as wide as the longest of them."""
    kept = [_kept(tokens, int(row), dropout) for row in rows]
    width = max(len(places) for places in kept)
    ids = np.full((len(rows), width), tokens.pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    types = None if tokens.types is None else np.zeros((len(rows), width), dtype=np.int64)
    for line, places in enumerate(kept):
        ids[line, : len(places)] = tokens.ids[places]
        mask[line, : len(places)] = 1
        if types is not None and tokens.types is not None:
            types[line, : len(places)] = tokens.types[places]
    batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if types is not None:
        batch["token_type_ids"] = torch.from_numpy(types)
    return batch


def _kept(tokens: Tokens, row: int, dropout: WordDropout | None) -> NDArray[np.int64]:
    """Where in the flat arrays the tokens of a row are that stay."""
    places = np.arange(tokens.starts[row], tokens.starts[row + 1])
    # torch's generator is the one that a checkpoint keeps.
    if dropout is None or torch.rand(()).item() >= dropout.rows:
        return places
    words = np.arange(len(places)) if tokens.words is None else tokens.words[places]
    most = int(words.max(initial=-1)) + 1
    if most < 2:  # a row of one word keeps it
        return places
    drops = torch.rand(most).numpy() < dropout.share
    if drops.all():
        drops[int(torch.randint(most, ()).item())] = False
    return places[(words < 0) | ~drops[words]]
