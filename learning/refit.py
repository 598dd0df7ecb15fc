"""The finalist on every training row, calibrated, with its offsets, kept as data and read back."""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.pipeline import Pipeline

from learning.arrays import Keys
from learning.calibration import apply, fit_calibration
from learning.folds import FIT_FAULTS, FitFailed, TrainRows, counts, told, train_rows
from learning.marks import row_marks
from learning.metrics import confusion, macro_f1
from learning.models import FittedModel, load, save
from learning.offsets import accepted_offsets
from learning.oof import gathered
from learning.pipelines import pipeline, serving
from schemas.faults import ModelRefused
from schemas.manifest import ROW
from schemas.trials import RefitJob, RefitResult

ROWS_COMPARED = 64
LARGEST_DIFFERENCE = 1e-12


def refit(job: RefitJob) -> RefitResult:
    """Fit, calibrate on the candidate's out-of-fold answers, save whole or not at all.

    Raises
    ------
    FitFailed
        The fit failed on all rows, though it had not on the folds.
    ModelRefused
        The saved model answers otherwise than the fitted one.
    """
    started = time.perf_counter()
    rows = train_rows(job.rows, tuple(job.columns))
    model = _fitted(job, rows)
    fit_s = time.perf_counter() - started
    marks = row_marks(pq.read_table(job.rows, columns=[ROW])[ROW].to_pylist())
    digest = _kept(model, rows, marks, Path(job.out))
    decisions = model.decide(model.probabilities(rows.frame))
    classes = len(job.class_texts)
    return RefitResult(
        out=job.out,
        digest=digest,
        fit_s=fit_s,
        train_score=macro_f1(confusion(rows.labels, decisions, classes)),
    )


def _fitted(job: RefitJob, rows: TrainRows) -> FittedModel:
    classes = len(job.class_texts)
    per_class = counts(rows.labels, classes)
    steps = pipeline(job.candidate, job.columns, per_class, job.seed, job.threads)
    try:
        answering: Pipeline = serving(steps.fit(rows.frame, rows.labels))
    except FIT_FAULTS as fault:
        raise FitFailed(told(fault)) from fault
    probabilities, scored = gathered(job.oof, rows.folds, classes)
    probabilities, labels = probabilities[scored], rows.labels[scored]
    calibration = fit_calibration(probabilities, labels)
    # Offsets are fitted on calibrated answers because they are added to calibrated ones.
    calibrated = apply(calibration, probabilities)
    return FittedModel(
        pipeline=answering,
        columns=job.columns,
        class_texts=job.class_texts,
        class_values=job.class_values,
        calibration=calibration,
        offsets=accepted_offsets(calibrated, labels, rows.folds[scored], job.seed),
    )


def _kept(model: FittedModel, rows: TrainRows, marks: Keys, out: Path) -> str:
    """Saved beside its place, compared, then moved there: a killed run leaves no half model."""
    part = out.with_name(f"{out.name}.part")
    for leftover in (part, out):
        shutil.rmtree(leftover, ignore_errors=True)
    digest = save(model, part, np.concatenate([rows.keys, marks]))
    _compare(model, load(part, digest), rows.frame.head(ROWS_COMPARED))
    part.rename(out)
    return digest


def _compare(model: FittedModel, stored: FittedModel, frame: pd.DataFrame) -> None:
    apart = float(np.abs(model.probabilities(frame) - stored.probabilities(frame)).max(initial=0.0))
    if apart > LARGEST_DIFFERENCE:
        raise ModelRefused(
            f"The model was not kept: read back, its probabilities differ by {apart:.3g} on "
            f"{len(frame)} training rows, expected at most {LARGEST_DIFFERENCE:g}. "
            "This is a defect of saving; the champion stays."
        )
