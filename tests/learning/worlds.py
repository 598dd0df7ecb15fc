"""Rows whose true probabilities are known: drawn from a prior with normal noise around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax


@dataclass(frozen=True)
class World:
    """`truth` are the probabilities that the labels were drawn from."""

    truth: NDArray[np.float64]
    labels: NDArray[np.int64]


def world(rows: int, classes: int, seed: int, spread: float = 2.0, skew: float = 1.0) -> World:
    """Classes get rarer with their number by `skew`; `spread` is how well they can be told."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, classes)) * spread - skew * np.arange(classes)
    truth = softmax(scores, axis=1)
    drawn = (truth.cumsum(1) < rng.random((rows, 1))).sum(1)
    return World(truth, np.minimum(drawn, classes - 1))
