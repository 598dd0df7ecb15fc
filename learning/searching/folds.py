"""One unit of the search: a candidate fitted on one side of a split answers the other side.

This runs in worker processes and is the only place where a candidate meets the rows. Features are
fitted once for all trials that share them.
"""

import os
import re
import shutil
import time
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np
from lightgbm.basic import LightGBMError
from scipy.sparse import csr_matrix

from learning.answers import side_by_side
from learning.arrays import LabelTable, Mask, Matrix, Probabilities, Weights
from learning.families.answering import predict_probabilities
from learning.features.layout import Layout
from learning.features.matrix import layout, transformer
from learning.rows.splits import scored_in
from learning.searching.fitting import fit_targets
from learning.searching.networks import fit_network
from learning.searching.recent import Recent
from learning.searching.training_rows import train_rows
from schemas.dataset import Column
from schemas.faults import NightshiftError
from schemas.features import Features
from schemas.transformers import Transformer
from schemas.trials import FoldJob, FoldResult

ColumnPairs = tuple[tuple[str, Column], ...]

FIT_FAULTS = (ValueError, ArithmeticError, MemoryError, LightGBMError)
"""What a library raises when settings and rows do not fit together; all else is our own defect."""


class FitFailed(NightshiftError):
    """A candidate could not be fitted; the search goes on without it."""


def fit_fold(job: FoldJob) -> FoldResult:
    """Fit, answer, and leave the probabilities at `job.out`, whole or not at all."""
    started = time.perf_counter()
    try:
        probabilities, fitted_at = _answers(job)
    except FIT_FAULTS as fault:
        raise FitFailed(told(fault)) from fault
    ended = time.perf_counter()
    _write(Path(job.out), probabilities, ended - started)
    shutil.rmtree(_checkpoints(job), ignore_errors=True)
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


def told(fault: BaseException) -> str:
    """A library's fault up to what it quotes: that could be a cell of the user's.

    Nothing after the first quote, of either kind: a cell may hold quotes of its own, so that
    nobody can tell where it ends.
    """
    unquoted = re.split("['\"]", str(fault), maxsplit=1)[0]
    return f"{type(fault).__name__}: {' '.join(unquoted.split())[:200]}"


def _answers(job: FoldJob) -> tuple[Probabilities, float]:
    if isinstance(spec := job.candidate.classifier, Transformer):
        return _read_answers(job, spec)
    side = _sides(job)
    fitted = fit_targets(
        job.candidate,
        job.targets,
        side.train,
        side.layout,
        side.labels,
        side.weights,
        job.seed,
        job.threads,
    )
    fitted_at = time.perf_counter()
    answers = [
        predict_probabilities(each.classifiers, side.scored, target.classes)
        for target, each in zip(job.targets, fitted, strict=True)
    ]
    return side_by_side(answers), fitted_at


def _read_answers(job: FoldJob, spec: Transformer) -> tuple[Probabilities, float]:
    """Of a network, which takes the rows as they are."""
    rows = train_rows(job.rows, tuple(job.columns), len(job.targets))
    scored: Mask = scored_in(rows.folds, job.fold)
    network = fit_network(spec, job, rows, ~scored, _checkpoints(job))
    fitted_at = time.perf_counter()
    return side_by_side(network.predict_proba(rows.frame[scored])), fitted_at


def _checkpoints(job: FoldJob) -> Path:
    """Where a fit that is killed leaves how far it came."""
    return Path(job.out).with_suffix(".checkpoints")


@dataclass(frozen=True)
class _Sides:
    """Both sides of a split as features that only the training side has shaped."""

    train: Matrix
    scored: Matrix
    layout: Layout
    labels: LabelTable
    weights: Weights | None

    @property
    def size(self) -> int:
        """Bytes of both matrices."""
        return _bytes(self.train) + _bytes(self.scored)


def _bytes(matrix: Matrix) -> int:
    if isinstance(matrix, csr_matrix):
        return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)
    return int(matrix.nbytes)


_RECENT: Recent[tuple[str, int, Features, ColumnPairs, int], _Sides] = Recent(
    most=4, most_bytes=1_000_000_000, size=attrgetter("size")
)
"""As many features and folds, at most, as a worker goes to and fro between."""


def _sides(job: FoldJob) -> _Sides:
    columns = tuple(job.columns.items())
    asked = (job.rows, job.fold, job.candidate.features, columns, len(job.targets))
    return _RECENT.get(asked, lambda: _made(job))


def _made(job: FoldJob) -> _Sides:
    rows = train_rows(job.rows, tuple(job.columns), len(job.targets))
    scored: Mask = scored_in(rows.folds, job.fold)
    fitted = transformer(job.candidate.features, job.columns, job.vectors)
    train: Matrix = fitted.fit_transform(rows.frame[~scored])
    return _Sides(
        train=train,
        scored=fitted.transform(rows.frame[scored]),
        layout=layout(fitted),
        labels=rows.labels[~scored],
        weights=None if rows.weights is None else rows.weights[~scored],
    )


def _write(out: Path, probabilities: Probabilities, seconds: float) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    _seconds_file(out).write_text(f"{seconds:.6f}")  # first: answers without it don't count
    part = out.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, probabilities, allow_pickle=False)
    part.replace(out)


def _seconds_file(out: Path) -> Path:
    return out.with_suffix(".seconds")
