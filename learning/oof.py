"""Out-of-fold answers: where a candidate's are kept, and what they are worth."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from learning.arrays import Decisions, Folds, Labels, Mask, Probabilities
from learning.metrics import confusion, log_loss, macro_f1
from learning.offsets import cross_fitted
from schemas.manifest import FOLD, LABEL, Rows
from schemas.trials import Candidate


@dataclass(frozen=True)
class Truth:
    """What the coordinator knows of the training rows: no features."""

    labels: Labels
    folds: Folds
    classes: int


@dataclass(frozen=True)
class OofScore:
    """Macro-F1 after cross-fitted offsets (`score`) and by arg max (`plain`), on the same rows.

    `fold_scores` are `score` on each fold's rows alone, by fold.
    """

    score: float
    fold_scores: tuple[float, ...]
    plain: float
    log_loss: float
    labels: Labels
    decisions: Decisions


def read_truth(rows: Rows, classes: int) -> Truth:
    """Labels and folds of the training rows, in file order."""
    table = pq.read_table(rows.train, columns=[LABEL, FOLD])
    return Truth(labels=table[LABEL].to_numpy(), folds=table[FOLD].to_numpy(), classes=classes)


def oof_file(folder: Path, rows_digest: str, candidate: Candidate, fold: int, seed: int) -> Path:
    """A name made from all that the answers depend on: a file that is there need not be made."""
    recipe = f"{rows_digest}\n{seed}\n{candidate.model_dump_json()}"
    name = hashlib.sha256(recipe.encode()).hexdigest()[:24]
    return folder / "oof" / f"{name}-{fold}.npy"


def gathered(
    files: Mapping[int, str],  # fold: .npy of its rows in file order
    folds: Folds,
    classes: int,
) -> tuple[Probabilities, Mask]:
    """Probabilities in file order, and which rows have them; the other rows are 0."""
    probabilities = np.zeros((len(folds), classes))
    scored = np.zeros(len(folds), dtype=np.bool_)
    for fold, path in files.items():
        inside = folds == fold
        probabilities[inside] = np.load(path, allow_pickle=False)
        scored |= inside
    return probabilities, scored


def score_oof(truth: Truth, files: Mapping[int, str]) -> OofScore:
    """What a candidate is worth on the folds that it has answered so far, one at least."""
    probabilities, scored = gathered(files, truth.folds, truth.classes)
    probabilities, labels, folds = probabilities[scored], truth.labels[scored], truth.folds[scored]
    decisions = cross_fitted(probabilities, labels, folds)

    def reached(decided: Decisions, rows: Mask | slice = slice(None)) -> float:
        return macro_f1(confusion(labels[rows], decided[rows], truth.classes))

    return OofScore(
        score=reached(decisions),
        fold_scores=tuple(reached(decisions, folds == fold) for fold in np.unique(folds)),
        plain=reached(probabilities.argmax(axis=1)),
        log_loss=log_loss(probabilities, labels),
        labels=labels,
        decisions=decisions,
    )
