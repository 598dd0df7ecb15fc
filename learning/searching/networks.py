"""Networks that read text, where the search meets them; nothing here needs torch to be imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from learning.arrays import Mask
from learning.searching.training_rows import TrainRows
from schemas.dataset import Column, TextColumn
from schemas.transformers import Transformer
from schemas.trials import FitEpoch, FoldJob, RefitJob

if TYPE_CHECKING:
    from learning.neural.estimator import TransformerClassifier


def fit_network(
    spec: Transformer,  # settled
    job: FoldJob | RefitJob,
    rows: TrainRows,
    chosen: Mask,  # the rows to fit on
    checkpoints: Path,  # a killed fit goes on from here; whoever names it removes it
) -> "TransformerClassifier":
    """One network for all targets, fitted on the text of these rows.

    Raises
    ------
    MemoryError
        The device has too little of it for these settings.
    """
    from learning.neural.estimator import TransformerClassifier

    network = TransformerClassifier(
        spec, job.targets, text_columns(job.columns), job.seed, job.threads, checkpoints
    )
    weights = None if rows.weights is None else rows.weights[chosen]
    return network.fit(rows.frame[chosen], rows.labels[chosen], weights, groups=rows.keys[chosen])


def text_columns(columns: Mapping[str, Column]) -> tuple[str, ...]:
    """What a network reads, in the plan's order."""
    return tuple(name for name, column in columns.items() if isinstance(column, TextColumn))


def told_epochs(network: "TransformerClassifier") -> tuple[FitEpoch, ...]:
    """The fit's history as it travels."""
    return tuple(
        FitEpoch(
            member=each.member,
            epoch=each.epoch,
            train_loss=each.train_loss,
            learning_rate=each.learning_rate,
            seconds=each.seconds,
            held_loss=each.held_loss,
            macro_f1=tuple(score.macro_f1 for score in each.scores),
            class_f1=tuple(score.class_f1 for score in each.scores),
        )
        for each in network.history_
    )
