"""One unit of the search: a candidate fitted on all folds but one answers the rows of that one.

This runs in worker processes and is the only place where a candidate meets the rows. Features are
fitted once for all trials that share them.
"""

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from lightgbm.basic import LightGBMError

from learning.arrays import Folds, Keys, Labels, Mask, Probabilities
from learning.features import transformer
from learning.pipelines import pipeline, predict_probabilities
from schemas.dataset import Column
from schemas.faults import NightshiftError
from schemas.features import Features
from schemas.manifest import FOLD, KEY, LABEL
from schemas.trials import FoldJob, FoldResult

Matrix: TypeAlias = Any
"""Features (rows, columns): SciPy's CSR where there is text, else a dense float64 array."""
ColumnPairs = tuple[tuple[str, Column], ...]

FIT_FAULTS = (ValueError, ArithmeticError, MemoryError, LightGBMError)
"""What a library raises when settings and rows do not fit together; all else is our own defect."""


class FitFailed(NightshiftError):
    """A candidate could not be fitted; the search goes on without it."""


@dataclass(frozen=True)
class TrainRows:
    """The training file in memory, rows in file order."""

    frame: pd.DataFrame
    labels: Labels
    folds: Folds
    keys: Keys


def fit_fold(job: FoldJob) -> FoldResult:
    """Fit, answer, and leave the probabilities at `job.out`, whole or not at all."""
    started = time.perf_counter()
    try:
        probabilities, fitted_at = _answers(job)
    except FIT_FAULTS as fault:
        raise FitFailed(told(fault)) from fault
    ended = time.perf_counter()
    _write(Path(job.out), probabilities, ended - started)
    return FoldResult(
        out=job.out,
        fold=job.fold,
        rows=len(probabilities),
        fit_s=fitted_at - started,
        predict_s=ended - fitted_at,
    )


def kept_seconds(out: Path) -> float | None:
    """What the answers at this place took when they were made; None where there are none."""
    try:
        return float(_seconds_file(out).read_text()) if out.is_file() else None
    except (FileNotFoundError, ValueError):
        return None


@lru_cache(maxsize=1)
def train_rows(path: str, columns: tuple[str, ...]) -> TrainRows:
    """The feature columns and what the split knows of each row."""
    named = [LABEL, FOLD, KEY]
    table = pq.read_table(path, columns=[*columns, *named])
    frame = table.select(list(columns)).to_pandas()
    labels, folds, keys = (table[name].to_numpy() for name in named)
    return TrainRows(frame=frame, labels=labels, folds=folds, keys=keys)


def counts(labels: Labels, classes: int) -> list[int]:
    """Rows a class."""
    found: list[int] = np.bincount(labels, minlength=classes).tolist()
    return found


def told(fault: BaseException) -> str:
    """A library's fault without what it quotes: that could be a cell of the user's."""
    unquoted = "".join(str(fault).split("'")[::2])
    return f"{type(fault).__name__}: {' '.join(unquoted.split())[:200]}"


def _answers(job: FoldJob) -> tuple[Probabilities, float]:
    train, test, labels = _matrices(
        job.rows, job.fold, job.candidate.features, tuple(job.columns.items())
    )
    per_class = counts(labels, job.classes)
    steps = pipeline(job.candidate, job.columns, per_class, job.seed, job.threads)[1:]
    steps.fit(train, labels)
    fitted_at = time.perf_counter()
    return predict_probabilities(steps, test, job.classes), fitted_at


@lru_cache(maxsize=4)
def _matrices(
    path: str, fold: int, features: Features, columns: ColumnPairs
) -> tuple[Matrix, Matrix, Labels]:
    """Both sides of a fold as features that only the training side has shaped."""
    rows = train_rows(path, tuple(name for name, _ in columns))
    outside: Mask = rows.folds != fold
    fitted = transformer(features, dict(columns))
    train: Matrix = fitted.fit_transform(rows.frame[outside])
    return train, fitted.transform(rows.frame[~outside]), rows.labels[outside]


def _write(out: Path, probabilities: Probabilities, seconds: float) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    _seconds_file(out).write_text(f"{seconds:.6f}")  # first: answers without it don't count
    part = out.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, probabilities, allow_pickle=False)
    part.replace(out)


def _seconds_file(out: Path) -> Path:
    return out.with_suffix(".seconds")
