"""The answers to rare classes: resampling, or a weight a class.

Everything is made for the class counts of one very training fold: neighbours are clamped to what
the fold has, and a class that is absent from it is left alone. No station hands on resampled rows:
they are made here, beside the fit, from the rows of one fold (`test_samplers.py` shows the leak).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, assert_never

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.base import clone

from learning.arrays import Labels, Matrix, Weights
from learning.features.layout import Layout
from learning.imbalance.borderline_smote import borderline_rows
from learning.imbalance.sampling_steps import (
    Cleaner,
    Oversampler,
    Synthesis,
    adasyn_rows,
    nc_rows,
    smote_rows,
    unedited,
    unlinked,
)
from schemas.knobs import value
from schemas.samplers import (
    Adasyn,
    BalancedEnsemble,
    BorderlineSmote,
    ClassWeights,
    Dropping,
    Growing,
    Imbalance,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Smote,
    SmoteEnn,
    SmoteNC,
    SmoteTomek,
    Synthesising,
)

Chain: TypeAlias = tuple[BaseSampler, ...]
"""Samplers to apply one after the other, unfitted; an empty chain changes nothing."""


@dataclass(frozen=True)
class Resampled:
    """What a classifier is fitted on; `weights` is None where the rows have none."""

    X: Matrix
    labels: Labels
    weights: Weights | None


def resamplers(
    spec: Imbalance,  # settled
    counts: Sequence[int],  # rows a class in the training fold, 0 where a class is absent
    seed: int,
    layout: Layout,  # of the matrix that will be resampled
) -> tuple[Chain, ...]:
    """One chain for each classifier whose probabilities are to be averaged; mostly one.

    A balanced ensemble of classes that are balanced already has one chain, an empty one.
    """
    if sum(n > 0 for n in counts) < 2:  # nothing to balance, and imblearn refuses
        return ((),)
    targets = {c: n for c, n in enumerate(_targets(spec, counts)) if n != counts[c]}
    chains = _chains(spec, targets, seed, layout)
    if targets:
        return chains
    return (tuple(step for step in chains[0] if isinstance(step, Cleaner)),)


def resample(
    chain: Chain,
    X: Matrix,
    labels: Labels,
    weights: Weights | None,
) -> Resampled:
    """The rows after every step, dense or CSR and of the float type as before.

    A row that is kept or repeated keeps its weight; a synthetic one weighs the mean of its class.
    """
    for step in chain:
        fitted = clone(step)
        # Sparse rows find their neighbours three times faster without scikit-learn's reductions,
        # and in an eighth of the memory by smaller chunks.
        with config_context(enable_cython_pairwise_dist=not issparse(X), working_memory=128):
            after, labels_after = fitted.fit_resample(X, labels)
        if weights is not None:
            weights = _weights_after(fitted, labels, labels_after, weights)
        X, labels = after, labels_after
    return Resampled(X, labels, weights)


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


def _chains(  # noqa: C901  # as many cases as there are methods
    spec: Imbalance, targets: dict[int, int], seed: int, layout: Layout
) -> tuple[Chain, ...]:
    """The steps of each method: the one place that knows all of them."""

    def grown(method: Synthesising, synthesis: Synthesis) -> Oversampler:
        return Oversampler(synthesis, layout.columns, targets, value(method.k_neighbors), seed)

    match spec:
        case NoResampling() | ClassWeights():
            return ((),)
        case RandomUndersampling():
            return ((RandomUnderSampler(sampling_strategy=targets, random_state=seed),),)
        case BalancedEnsemble():
            seeds = np.random.SeedSequence(seed).generate_state(value(spec.members)).tolist()
            return tuple(
                (RandomUnderSampler(sampling_strategy=targets, random_state=own),) for own in seeds
            )
        case RandomOversampling():
            return ((RandomOverSampler(sampling_strategy=targets, random_state=seed),),)
        case Smote():
            return ((grown(spec, smote_rows),),)
        case SmoteNC():
            return ((grown(spec, partial(nc_rows, layout=layout)),),)
        case BorderlineSmote():
            variant: Literal[1, 2] = value(spec.variant)
            m_neighbors = value(spec.m_neighbors)
            synthesis = partial(borderline_rows, m_neighbors=m_neighbors, variant=variant)
            return ((grown(spec, synthesis),),)
        case Adasyn():
            return ((grown(spec, adasyn_rows),),)
        case SmoteEnn():
            edited = partial(unedited, neighbours=value(spec.enn_neighbors))
            return ((grown(spec, smote_rows), Cleaner(edited)),)
        case SmoteTomek():
            return ((grown(spec, smote_rows), Cleaner(unlinked)),)
        case _:
            assert_never(spec)


def _weights_after(fitted: BaseSampler, before: Labels, after: Labels, weights: Weights) -> Weights:
    origins: NDArray[np.intp] | None = getattr(fitted, "sample_indices_", None)
    if origins is not None:
        return weights[origins]
    # Those that synthesise put their rows after the given ones.
    synthetic = after[len(before) :]
    means = {c: weights[before == c].mean() for c in np.unique(synthetic)}
    return np.concatenate([weights, [means[c] for c in synthetic]])


def _targets(spec: Imbalance, counts: Sequence[int]) -> list[int]:
    """Rows a class after resampling."""
    present = [n for n in counts if n > 0]
    # The tiny term forgives binary fractions: 3 / 0.3 is 10, not 9.999.
    match spec:
        case Dropping():
            most = math.floor(min(present) / value(spec.ratio) + 1e-9)
            return [min(n, most) for n in counts]
        case Growing():
            least = math.floor(max(present) * value(spec.ratio) + 1e-9)
            return [max(n, least) if n else 0 for n in counts]
        case _:
            return list(counts)
