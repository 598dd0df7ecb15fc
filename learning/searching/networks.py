"""Networks that read text, where the search meets them; nothing here needs torch to be imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from learning.arrays import Mask
from learning.searching.channel import ending, tell_epoch
from learning.searching.training_rows import TrainRows
from schemas.dataset import Column, TextColumn
from schemas.transformers import Transformer
from schemas.trials import FitEpoch, FoldJob, RefitJob

if TYPE_CHECKING:
    from learning.neural.epochs import Epoch
    from learning.neural.estimator import TransformerClassifier


def fit_network(
    spec: Transformer,  # settled
    job: FoldJob | RefitJob,
    rows: TrainRows,
    chosen: Mask,  # the rows to fit on
    checkpoints: Path,  # a killed fit goes on from here; whoever names it removes it
) -> "TransformerClassifier":
    """One network for all targets, fitted on the text of these rows; tells of its epochs beside
    the job's `out`.

    Raises
    ------
    FitInterrupted
        It was asked to end, beside `out` too.
    MemoryError
        The device has too little of it for these settings.
    """
    from learning.neural.estimator import TransformerClassifier

    network = TransformerClassifier(
        spec, job.targets, text_columns(job.columns), job.seed, job.threads, checkpoints
    )
    weights = None if rows.weights is None else rows.weights[chosen]
    out = Path(job.out)
    return network.fit(
        rows.frame[chosen],
        rows.labels[chosen],
        weights,
        told=lambda epoch: tell_epoch(out, _travelling(epoch)),
        groups=rows.keys[chosen],
        ends=ending(out),
    )


def text_columns(columns: Mapping[str, Column]) -> tuple[str, ...]:
    """What a network reads, in the plan's order."""
    return tuple(name for name, column in columns.items() if isinstance(column, TextColumn))


def told_epochs(network: "TransformerClassifier") -> tuple[FitEpoch, ...]:
    """The fit's history as it travels."""
    return tuple(map(_travelling, network.history_))


def _travelling(epoch: "Epoch") -> FitEpoch:
    return FitEpoch(
        member=epoch.member,
        epoch=epoch.epoch,
        train_loss=epoch.train_loss,
        learning_rate=epoch.learning_rate,
        seconds=epoch.seconds,
        held_loss=epoch.held_loss,
        macro_f1=tuple(score.macro_f1 for score in epoch.scores),
        class_f1=tuple(score.class_f1 for score in epoch.scores),
    )
