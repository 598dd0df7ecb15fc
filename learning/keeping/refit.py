"""The finalist on every training row, calibrated, with its offsets, kept as data and read back."""

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.arrays import Keys, Labels, Probabilities
from learning.deciding.calibration import apply, fit_calibration
from learning.deciding.metrics import average_precision_of, expected_calibration_error
from learning.deciding.objectives import aims, overall
from learning.deciding.priors import prior_shift, shifted
from learning.deciding.thresholds import accepted_each
from learning.features.matrix import layout, transformer
from learning.keeping.bodies import Body, FromText, forget_vectors, on_features
from learning.keeping.models import FittedModel, Head, load, save
from learning.reading.marks import row_marks
from learning.rows.sides import row_references
from learning.rows.splits import parts
from learning.searching.fitting import fit_targets
from learning.searching.folds import FIT_FAULTS, FitFailed, told
from learning.searching.networks import fit_network, told_epochs
from learning.searching.oof import gathered
from learning.searching.space import all_settings
from learning.searching.training_rows import TrainRows, train_rows
from schemas.faults import ModelRefused
from schemas.label import Target
from schemas.transformers import Transformer
from schemas.trials import CalibrationChoice, FitEpoch, RefitJob, RefitResult

ROWS_COMPARED = 64
RANKED_AT_MOST = 20_000_000
"""Rows times classes that are ranked out of fold: of more, every so many-th row."""
LEAST_SHIFT = 0.01
"""Of a log factor: less comes of shuffled splits, which don't score every row, not of sampling."""


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
    rows = train_rows(job.rows, tuple(job.columns), len(job.targets))
    model, calibrations, history = _fitted(job, rows)
    fit_s = time.perf_counter() - started
    marks = row_marks(row_references(job.rows))
    answers = model.answers(rows.frame)
    forget_vectors(model.body)
    digest = _kept(model, rows, marks, Path(job.out))
    shutil.rmtree(_checkpoints(job), ignore_errors=True)
    return RefitResult(
        out=job.out,
        digest=digest,
        fit_s=fit_s,
        train_score=overall(aims(job.objective, job.targets), rows.labels, answers),
        settings=all_settings(job.candidate, job.columns),
        calibrations=calibrations,
        history=history,
    )


@dataclass(frozen=True)
class _Fit:
    """`trained` is of each target what each class weighed in the fit."""

    body: Body
    trained: tuple[tuple[float, ...], ...]
    history: tuple[FitEpoch, ...] = ()


def _fitted(
    job: RefitJob, rows: TrainRows
) -> tuple[FittedModel, tuple[CalibrationChoice, ...], tuple[FitEpoch, ...]]:
    try:
        fit = _fit(job, rows)
    except FIT_FAULTS as fault:
        raise FitFailed(told(fault)) from fault
    answered, scored = gathered(job.oof, rows.folds, job.targets)
    labels, apart = rows.labels[scored], parts(rows.folds[scored])
    bare = [
        _calibrated(job, target, each, part[scored], own, apart)
        for target, each, part, own in zip(
            job.targets, fit.trained, answered, labels.T, strict=True
        )
    ]
    # Offsets are fitted on calibrated answers because they are added to calibrated ones.
    offsets = accepted_each(
        [probabilities for _, probabilities in bare],
        labels,
        apart,
        aims(job.objective, job.targets),
        job.seed,
    )
    heads = tuple(replace(head, offsets=own) for (head, _), own in zip(bare, offsets, strict=True))
    choices = tuple(
        _choice(head, raw[scored], own, truth)
        for (head, own), raw, truth in zip(bare, answered, labels.T, strict=True)
    )
    model = FittedModel(body=fit.body, heads=heads, columns=job.columns)
    return model, choices, fit.history


def _fit(job: RefitJob, rows: TrainRows) -> _Fit:
    if isinstance(spec := job.candidate.classifier, Transformer):
        everywhere = np.ones(len(rows.keys), dtype=bool)
        network = fit_network(spec, job, rows, everywhere, _checkpoints(job))
        return _Fit(FromText(network.answers_), network.trained_, told_epochs(network))
    features = transformer(job.candidate.features, job.columns, job.vectors)
    matrix = features.fit_transform(rows.frame)
    fitted = fit_targets(
        job.candidate,
        job.targets,
        matrix,
        layout(features),
        rows.labels,
        rows.weights,
        job.seed,
        job.threads,
    )
    body = on_features(features, fitted, job.targets)
    return _Fit(body, tuple(each.trained for each in fitted))


def _checkpoints(job: RefitJob) -> Path:
    """Where a fit that is killed leaves how far it came."""
    return Path(f"{job.out}.checkpoints")


def _calibrated(
    job: RefitJob,
    target: Target,
    trained: tuple[float, ...],
    probabilities: Probabilities,  # out of fold, as they were given
    labels: Labels,
    apart: NDArray[np.int64],
) -> tuple[Head, Probabilities]:
    """The head without offsets, and its calibrated out-of-fold answers.

    First the prior that resampling and weights put in is taken out, then what is left of error is
    calibrated; the formula alone would leave SMOTE's probabilities worse than they were.
    """
    shift = prior_shift(trained, np.bincount(labels, minlength=target.classes).tolist())
    probabilities = shifted(probabilities, shift)
    calibration = fit_calibration(probabilities, labels, apart, job.calibration)
    head = Head(
        target=target,
        shift=shift,
        calibration=calibration,
        offsets=np.zeros(target.classes),
    )
    return head, apply(calibration, probabilities)


def _choice(
    head: Head, raw: Probabilities, calibrated: Probabilities, labels: Labels
) -> CalibrationChoice:
    return CalibrationChoice(
        target=head.target.name,
        kind=head.calibration.kind,
        prior_shift=max(map(abs, head.shift)) > LEAST_SHIFT,
        ece_before=expected_calibration_error(raw, labels),
        ece_after=expected_calibration_error(calibrated, labels),
        average_precision=_ranked(head.target, calibrated, labels),
    )


def _ranked(
    target: Target, probabilities: Probabilities, labels: Labels
) -> tuple[float | None, ...]:
    step = 1 + probabilities.size // RANKED_AT_MOST
    return tuple(
        average_precision_of(c, probabilities[::step], labels[::step])
        if c in target.counted
        else None
        for c in range(target.classes)
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
    pairs = zip(model.probabilities(frame), stored.probabilities(frame), strict=True)
    apart = max(float(np.abs(ours - theirs).max(initial=0.0)) for ours, theirs in pairs)
    if apart > model.body.largest_difference:
        raise ModelRefused(
            f"The model was not kept: read back, its probabilities differ by {apart:.3g} on "
            f"{len(frame)} training rows, expected at most {model.body.largest_difference:g}. "
            "This is a defect of saving; the champion stays."
        )
