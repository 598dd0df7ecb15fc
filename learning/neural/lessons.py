"""What a network learns from: rows cut into tokens, how often each is drawn, what errors cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from learning.arrays import Keys, LabelTable, Weights
from learning.neural.examples import Examples, WordDropout
from learning.neural.holding import held_back
from learning.neural.losses import TargetLoss, target_losses, trained_prior
from learning.neural.sampling import draws, effective_rows
from learning.neural.tokens import Tokens, refuse_too_long, tokenised
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import Transformer


@dataclass(frozen=True)
class Lesson:
    """`drawn` is how often an epoch draws each training row, `trained` what each class weighs."""

    spec: Transformer  # settled
    targets: tuple[Target, ...]
    losses: tuple[TargetLoss, ...]
    train: Examples
    drawn: Weights | None
    held: Examples | None
    trained: tuple[tuple[float, ...], ...]
    seed: int


def prepared(
    spec: Transformer,  # settled
    targets: tuple[Target, ...],
    tokens: Tokens,
    labels: LabelTable,
    weights: Weights | None,
    groups: Keys | None,
    seed: int,
) -> Lesson:
    """Rows on two sides: those to learn from, and those held back to score the epochs."""
    weighed = np.ones(len(tokens)) if weights is None else np.asarray(weights, np.float64)
    held = held_back(tokens, labels, targets, spec.training.validation_share, groups, seed)
    rows = np.flatnonzero(~held)
    known, trusted = labels[rows], weighed[rows] / weighed[rows].mean()
    drawn = draws(spec.sampling, targets, known)
    seen = effective_rows(targets, known, drawn, trusted)
    counts = [
        np.bincount(known[:, place], minlength=target.classes)
        for place, target in enumerate(targets)
    ]
    losses = target_losses(spec, targets, counts, seen)
    tau = value(spec.loss.logit_adjustment)
    return Lesson(
        spec=spec,
        targets=targets,
        losses=losses,
        train=Examples(tokens, rows, known, trusted, _dropout(spec)),
        drawn=drawn,
        held=_held(tokens, held, labels),
        trained=tuple(
            trained_prior(loss, tau, classes) for loss, classes in zip(losses, seen, strict=True)
        ),
        seed=seed,
    )


def read(
    spec: Transformer,  # settled
    config: PreTrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    frame: pd.DataFrame,
    columns: tuple[str, ...],
) -> Tokens:
    """The frame's texts; ValueError where the encoder can't read as far as it is told to."""
    longest = value(spec.max_tokens)
    refuse_too_long(longest, config)
    return tokenised(tokenizer, frame, columns, longest, words=_dropout(spec) is not None)


def _dropout(spec: Transformer) -> WordDropout | None:
    share = value(spec.sampling.word_dropout)
    return WordDropout(share, value(spec.sampling.word_dropout_rows)) if share else None


def _held(tokens: Tokens, held: NDArray[np.bool_], labels: LabelTable) -> Examples | None:
    """The rows held back, by length, so that a batch pads little."""
    rows = np.flatnonzero(held)
    if not len(rows):
        return None
    rows = rows[np.argsort(-tokens.lengths[rows], kind="stable")]
    return Examples(tokens, rows, labels[rows], np.ones(len(rows)))
