"""The transformer in scikit-learn's clothes: all targets of a plan answered by one estimator."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import pandas as pd
import torch
from sklearn.base import BaseEstimator
from transformers import PreTrainedModel

from learning.arrays import Keys, LabelTable, Probabilities, Weights
from learning.neural.answering import NetworkAnswers
from learning.neural.checkpoints import Checkpoints, fingerprint
from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.epochs import Ends, Epoch, Told
from learning.neural.folders import located
from learning.neural.lessons import Lesson, prepared, read
from learning.neural.modules import Network, head_shape
from learning.neural.surroundings import bound, device, memory_told, quiet, seeded
from learning.neural.training import fitted
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
        ends: Ends | None = None,
    ) -> Self:
        """`told` of each epoch when it is over; what it raises ends the fit.

        Raises
        ------
        FitInterrupted
            `ends` was true between two steps, and there is a folder for checkpoints.
        """
        with quiet(), memory_told(), bound(self.threads), seeded(self.seed):
            folder = located(self.spec.encoder)
            tokenizer = load_tokenizer(folder)
            encoder = load_encoder(self.spec.encoder, folder)
            tokens = read(self.spec, encoder.config, tokenizer, frame, self.columns)
            lesson = prepared(self.spec, self.targets, tokens, labels, weights, groups, self.seed)
            members: list[Network] = []
            epochs: list[Epoch] = []
            for member in range(self.spec.training.seeds):
                if member:  # the first has moved its encoder
                    encoder = load_encoder(self.spec.encoder, folder)
                seed = self.seed + member
                network, told_of = self._member(
                    replace(lesson, seed=seed), encoder, folder, member, told, ends
                )
                members.append(network)
                epochs += told_of
        self.trained_ = lesson.trained
        self.history_ = tuple(epochs)
        self.answers_ = NetworkAnswers(
            members, tokenizer, self.targets, self.columns, value(self.spec.max_tokens),
            self.threads,
        )  # fmt: skip
        return self

    def predict_proba(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Of each target (rows, classes), rows in order; a flag has two columns too."""
        return self.answers_.predict_proba(frame)

    def _member(
        self,
        lesson: Lesson,
        encoder: PreTrainedModel,
        folder: Path,
        member: int,
        told: Told,
        ends: Ends | None,
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
                lesson, network, kept.folder, member, told,
                ends=ends, keeps=True, resume=kept.last(),
            )  # fmt: skip
            kept.finish(network, finished)
        return network, finished
