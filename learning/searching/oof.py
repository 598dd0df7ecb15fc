"""Out-of-fold answers: where a candidate's are kept, and what they are worth."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learning.answers import Answers, parted
from learning.arrays import Folds, LabelTable, Mask, Probabilities
from learning.deciding.metrics import log_loss
from learning.deciding.objectives import Aim, aims, overall
from learning.deciding.offsets import decide
from learning.deciding.thresholds import cross_fitted_each, fit_each
from learning.rows.sides import read_side
from learning.rows.splits import parts, scored_in
from schemas.label import Target
from schemas.manifest import FOLD, Rows, label_columns
from schemas.objectives import Objective
from schemas.trials import Candidate

EARLY_ROWS = 5_000


@dataclass(frozen=True)
class Truth:
    """What the coordinator knows of the training rows: no features."""

    labels: LabelTable
    folds: Folds
    targets: tuple[Target, ...]
    aims: tuple[Aim, ...]


@dataclass(frozen=True)
class OofScore:
    """The plan's objective after cross-fitted offsets (`score`) and by arg max (`plain`), on the
    same rows; `fold_scores` are `score` on each split's rows alone, by split.

    `answers` have the decisions of the offsets.
    """

    score: float
    fold_scores: tuple[float, ...]
    plain: float
    log_loss: float
    labels: LabelTable
    answers: Answers


def read_truth(rows: Rows, targets: Sequence[Target], objective: Objective) -> Truth:
    """Labels and folds of the training rows, in file order."""
    names = label_columns(len(targets))
    table = read_side(rows.train, [*names, FOLD])
    return Truth(
        labels=np.column_stack([table[name].to_numpy() for name in names]),
        folds=table[FOLD].to_numpy(),
        targets=tuple(targets),
        aims=aims(objective, targets),
    )


def oof_file(folder: Path, rows_digest: str, candidate: Candidate, fold: int, seed: int) -> Path:
    """A name made from all that the answers depend on: a file that is there need not be made."""
    recipe = f"{rows_digest}\n{seed}\n{candidate.model_dump_json()}"
    name = hashlib.sha256(recipe.encode()).hexdigest()[:24]
    return folder / "oof" / f"{name}-{fold}.npy"


def gathered(
    files: Mapping[int, str],  # split: .npy of its scored rows in file order
    folds: Folds,
    targets: Sequence[Target],
) -> tuple[tuple[Probabilities, ...], Mask]:
    """Each target's probabilities in file order, and which rows have them; the others are 0.

    A row that several splits score has the mean of their answers.
    """
    joined = np.zeros((len(folds), sum(target.classes for target in targets)))
    times = np.zeros(len(folds))
    for split, path in files.items():
        inside = scored_in(folds, split)
        joined[inside] += np.load(path, allow_pickle=False)
        times += inside
    joined /= np.maximum(times, 1)[:, None]
    return parted(joined, targets), times > 0


def early_score(truth: Truth, files: Mapping[int, str]) -> float:
    """What tells trials under way apart: by offsets fitted on `EARLY_ROWS` of the very rows.

    Too good by a little for all of them. By arg max, which costs less, a trial that leaves the
    classes as they are looked worse than a class-weighted one, on three of three made sets where it
    was better with offsets (LOG.md).
    """
    probabilities, labels, _ = _answered(truth, files)
    step = max(1, len(labels) // EARLY_ROWS)
    offsets = fit_each([part[::step] for part in probabilities], labels[::step], truth.aims)
    decided = [decide(part, own) for part, own in zip(probabilities, offsets, strict=True)]
    return overall(truth.aims, labels, Answers(probabilities, np.column_stack(decided)))


def score_oof(truth: Truth, files: Mapping[int, str]) -> OofScore:
    """What a candidate is worth on the splits that it has answered so far, one at least."""
    probabilities, labels, folds = _answered(truth, files)
    decided = cross_fitted_each(probabilities, labels, parts(folds), truth.aims)
    answers = Answers(probabilities, decided)
    likeliest = np.column_stack([part.argmax(axis=1) for part in probabilities])
    return OofScore(
        score=overall(truth.aims, labels, answers),
        fold_scores=tuple(
            overall(truth.aims, labels[inside], answers.of(inside))
            for inside in (scored_in(folds, split) for split in sorted(files))
        ),
        plain=overall(truth.aims, labels, Answers(probabilities, likeliest)),
        log_loss=float(
            np.mean(
                [log_loss(part, own) for part, own in zip(probabilities, labels.T, strict=True)]
            )
        ),
        labels=labels,
        answers=answers,
    )


def _answered(
    truth: Truth, files: Mapping[int, str]
) -> tuple[tuple[Probabilities, ...], LabelTable, Folds]:
    """Of the rows that have answers: these, their labels and their folds."""
    whole, scored = gathered(files, truth.folds, truth.targets)
    return tuple(part[scored] for part in whole), truth.labels[scored], truth.folds[scored]
