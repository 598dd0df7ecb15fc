"""The answers to rare classes: resampling, or a weight a class.

Everything is made for the class counts of one very training fold: neighbours are clamped to what
the fold has, and a class that is absent from it is left alone.
"""

import math
from collections.abc import Sequence
from typing import assert_never

from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

from schemas.knobs import value
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote


def sampler(
    spec: Imbalance,  # settled
    counts: Sequence[int],  # rows a class in the training fold, 0 where a class is absent
    seed: int,
) -> BaseSampler | None:
    """Unfitted, with an exact target a class; None where no row would be added or dropped."""
    targets = {c: n for c, n in enumerate(_targets(spec, counts)) if n != counts[c]}
    if not targets:
        return None
    match spec:
        case NoResampling() | ClassWeights():
            return None
        case RandomUndersampling():
            return RandomUnderSampler(sampling_strategy=targets, random_state=seed)
        case Smote():
            scarcest = min(counts[c] for c in targets)
            if scarcest < 2:  # a single row has no neighbour to blend with
                return RandomOverSampler(sampling_strategy=targets, random_state=seed)
            k_neighbors = min(value(spec.k_neighbors), scarcest - 1)
            return SMOTE(sampling_strategy=targets, k_neighbors=k_neighbors, random_state=seed)
        case _:
            assert_never(spec)


def class_weights(
    spec: Imbalance,  # settled
    counts: Sequence[int],
) -> dict[int, float] | None:
    """Weight of a row by its class, mean row weight 1; None for methods that do not weigh.

    >>> class_weights(ClassWeights(exponent=1.0), (1, 3))
    {0: 2.0, 1: 0.6666666666666666}
    """
    if not isinstance(spec, ClassWeights):
        return None
    exponent = value(spec.exponent)
    present = {c: n for c, n in enumerate(counts) if n > 0}
    mean = sum(n ** (1 - exponent) for n in present.values()) / sum(present.values())
    return {c: n**-exponent / mean for c, n in present.items()}


def _targets(spec: Imbalance, counts: Sequence[int]) -> list[int]:
    """Rows a class after resampling."""
    present = [n for n in counts if n > 0]
    match spec:
        case NoResampling() | ClassWeights():
            return list(counts)
        case RandomUndersampling():
            # The tiny term forgives binary fractions: 3 / 0.3 is 10, not 9.999.
            most = math.floor(min(present) / value(spec.ratio) + 1e-9)
            return [min(n, most) for n in counts]
        case Smote():
            least = math.floor(max(present) * value(spec.ratio) + 1e-9)
            return [max(n, least) if n else 0 for n in counts]
        case _:
            assert_never(spec)
