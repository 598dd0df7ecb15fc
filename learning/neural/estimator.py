"""The transformer in scikit-learn's clothes: all targets of a plan answered by one estimator."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from learning.arrays import Keys, LabelTable, Probabilities, Weights
from learning.neural.answering import NetworkAnswers
from learning.neural.checkpoints import Checkpoints, fingerprint
from learning.neural.encoders import load_encoder, load_tokenizer, located
from learning.neural.epochs import Epoch, Told
from learning.neural.examples import Examples, WordDropout
from learning.neural.holding import held_back
from learning.neural.losses import target_losses, trained_prior
from learning.neural.modules import Network, head_shape
from learning.neural.sampling import draws, effective_rows
from learning.neural.surroundings import bound, device, quiet, seeded
from learning.neural.tokens import Tokens, tokenised
from learning.neural.training import Lesson, fitted
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import Transformer


def _nobody(epoch: Epoch) -> None:
    """Listens to no epoch."""


class TransformerClassifier(BaseEstimator):  # type: ignore[misc]
    """Reads a frame's text columns; labels are indices, one column a target.

    `trained_` has of each target what each class weighed in the fit, `history_` every epoch of
    every member, `answers_` what answers. With a folder for `checkpoints` a fit that was killed
    goes on from its last epoch when it is called again with the same rows and settings; who names
    the folder removes it.
    """

    def __init__(
        self,
        spec: Transformer,  # settled
        targets: tuple[Target, ...],
        columns: tuple[str, ...],
        seed: int,
        threads: int,
        checkpoints: Path | None = None,
    ) -> None:
        self.spec = spec
        self.targets = targets
        self.columns = columns
        self.seed = seed
        self.threads = threads
        self.checkpoints = checkpoints

    def fit(
        self,
        frame: pd.DataFrame,
        labels: LabelTable,  # (rows, targets)
        weights: Weights | None = None,  # only their ratios count
        told: Told = _nobody,
        groups: Keys | None = None,  # rows that never part; without it, rows of equal text
    ) -> Self:
        """`told` of each epoch when it is over; what it raises ends the fit."""
        with quiet(), bound(self.threads), seeded(self.seed):
            folder = located(self.spec.encoder)
            tokenizer = load_tokenizer(folder)
            encoder = load_encoder(self.spec.encoder, folder)
            lesson = self._lesson(encoder, tokenizer, frame, labels, weights, groups)
            members: list[Network] = []
            epochs: list[Epoch] = []
            for member in range(self.spec.training.seeds):
                if member:  # the first has moved its encoder
                    encoder = load_encoder(self.spec.encoder, folder)
                seed = self.seed + member
                network, told_of = self._member(
                    replace(lesson, seed=seed), encoder, folder, member, told
                )
                members.append(network)
                epochs += told_of
        self.history_ = tuple(epochs)
        self.answers_ = NetworkAnswers(
            members, tokenizer, self.targets, self.columns, value(self.spec.max_tokens),
            self.threads,
        )  # fmt: skip
        return self

    def predict_proba(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Of each target (rows, classes), rows in order; a flag has two columns too."""
        return self.answers_.predict_proba(frame)

    def _lesson(
        self,
        encoder: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        frame: pd.DataFrame,
        labels: LabelTable,
        weights: Weights | None,
        groups: Keys | None,
    ) -> Lesson:
        spec, sampling = self.spec, self.spec.sampling
        longest = value(spec.max_tokens)
        _refuse_longer(longest, encoder)
        share = value(sampling.word_dropout)
        dropout = WordDropout(share, value(sampling.word_dropout_rows)) if share else None
        tokens = tokenised(tokenizer, frame, self.columns, longest, words=dropout is not None)
        weighed = np.ones(len(tokens)) if weights is None else np.asarray(weights, np.float64)
        held = held_back(
            tokens, labels, self.targets, spec.training.validation_share, groups, self.seed
        )
        rows = np.flatnonzero(~held)
        known, trusted = labels[rows], weighed[rows] / weighed[rows].mean()
        drawn = draws(sampling, self.targets, known)
        seen = effective_rows(self.targets, known, drawn, trusted)
        counts = [
            np.bincount(known[:, place], minlength=target.classes)
            for place, target in enumerate(self.targets)
        ]
        losses = target_losses(spec, self.targets, counts, seen)
        tau = value(spec.loss.logit_adjustment)
        self.trained_ = tuple(
            trained_prior(loss, tau, classes) for loss, classes in zip(losses, seen, strict=True)
        )
        return Lesson(
            spec=spec,
            targets=self.targets,
            losses=losses,
            train=Examples(tokens, rows, known, trusted, dropout),
            drawn=drawn,
            held=_held(tokens, held, labels),
            seed=self.seed,
        )

    def _member(
        self, lesson: Lesson, encoder: PreTrainedModel, folder: Path, member: int, told: Told
    ) -> tuple[Network, tuple[Epoch, ...]]:
        torch.manual_seed(lesson.seed)
        network = Network(encoder, head_shape(self.spec.head), self.targets).to(device())
        if self.checkpoints is None:
            with TemporaryDirectory(prefix="nightshift-fit-") as place:
                return network, fitted(lesson, network, Path(place), member, told, keeps=False)
        kept = Checkpoints(self.checkpoints / f"member-{member}", fingerprint(lesson, folder))
        finished = kept.finished(network)
        if finished is None:
            finished = fitted(
                lesson, network, kept.folder, member, told, keeps=True, resume=kept.last()
            )
            kept.finish(network, finished)
        return network, finished


def _refuse_longer(tokens: int, encoder: PreTrainedModel) -> None:
    most = getattr(encoder.config, "max_position_embeddings", None)
    padding = getattr(encoder.config, "pad_token_id", None) or 0
    if most is None:
        return
    # RoBERTa's kind counts positions from behind the padding's number.
    room = most - padding - 1 if "roberta" in encoder.config.model_type else most
    if tokens > room:
        raise ValueError(
            f"expected max_tokens of at most {room}, got {tokens}: the encoder knows no further "
            "positions; lower max_tokens"
        )


def _held(tokens: Tokens, held: NDArray[np.bool_], labels: LabelTable) -> Examples | None:
    """The rows held back, by length, so that a batch pads little."""
    rows = np.flatnonzero(held)
    if not len(rows):
        return None
    rows = rows[np.argsort(-tokens.lengths[rows], kind="stable")]
    return Examples(tokens, rows, labels[rows], np.ones(len(rows)))
