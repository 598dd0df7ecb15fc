"""Every imbalance method on equal folds with one cheap learner: which are worth searching over.

The class-weighted baseline of the night is always among them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from learning.bootstrap import macro_f1_interval, paired_macro_f1
from learning.folds import FitFailed, fit_fold
from learning.metrics import class_figures, confusion
from learning.oof import OofScore, Truth, oof_file, read_truth, score_oof
from learning.space import candidate
from learning.workers import LOST, WorkerPool
from schemas.classifiers import LogisticRegression
from schemas.dataset import Column
from schemas.faults import NightFailed
from schemas.features import Features, TextFeatures
from schemas.knobs import Range, Setting, open_knobs, settle
from schemas.manifest import Rows
from schemas.plan import Family, Plan
from schemas.samplers import ClassWeights, Imbalance
from schemas.trials import FoldJob, FoldResult, MethodScore

MOST_KEPT = 3
RESAMPLES = 1000
CONFIDENCE = 0.95

CHEAP = Family(
    classifier=LogisticRegression(C=1.0),
    features=Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=2)),
)
BASELINE = ClassWeights(exponent=1.0)


@dataclass(frozen=True)
class _Screened:
    told: MethodScore
    found: OofScore | None


def screen(
    plan: Plan,
    rows: Rows,
    columns: Mapping[str, Column],
    pool: WorkerPool,
    deadline: Callable[[], float],  # monotonic seconds
    folder: Path,  # keeps the out-of-fold answers
    on_method: Callable[[MethodScore], None],
) -> tuple[MethodScore, ...]:
    """Best first; those not significantly worse than the best are `kept`, three at most.

    A method without a score (its fit failed, or the time was up) says why in its `note` and comes
    last. `on_method` is told each as it is scored, before any is kept.

    Raises
    ------
    NightFailed
        The baseline, or every method of the plan, has no score.
    """
    truth = read_truth(rows, len(rows.train_counts))
    methods = _methods(plan.imbalance)
    jobs = [_jobs(method, plan, rows, columns, pool, folder) for method in methods]
    units = [[_submitted(job, pool, deadline) for job in folds] for folds in jobs]
    screened: list[_Screened] = []
    try:
        for method, folds, running in zip(methods, jobs, units, strict=True):
            planned = method in plan.imbalance
            screened.append(_screened(method, folds, running, truth, deadline, planned=planned))
            on_method(screened[-1].told)
    finally:
        for unit in (unit for running in units for unit in running if unit is not None):
            unit.cancel()
    return _ranked(plan, screened, truth.classes)


def baseline(methods: Sequence[MethodScore]) -> MethodScore:
    """The class-weighted logistic regression that a first champion must beat, or be."""
    return next(score for score in methods if score.candidate.imbalance == BASELINE)


def _methods(planned: Sequence[Imbalance]) -> list[Imbalance]:
    """The plan's, the baseline first: the night can't do without it."""
    others = [method for method in planned if _mid(method) != BASELINE]
    same = [method for method in planned if _mid(method) == BASELINE]
    return [*(same or [BASELINE]), *others]


def _mid(method: Imbalance) -> Imbalance:
    """Settled for the screening: the middle of a range, the first choice."""
    middle: dict[str, Setting] = {}
    for path, knob in open_knobs(method).items():
        if isinstance(knob, Range):
            whole = isinstance(knob.low, int)
            middle[path] = (knob.low + knob.high) // 2 if whole else (knob.low + knob.high) / 2
        else:
            middle[path] = knob[0]
    return settle(method, middle)


def _jobs(
    method: Imbalance,
    plan: Plan,
    rows: Rows,
    columns: Mapping[str, Column],
    pool: WorkerPool,
    folder: Path,
) -> list[FoldJob]:
    recipe = candidate(CHEAP, [_mid(method)], {})
    seed = plan.search.seed
    return [
        FoldJob(
            candidate=recipe,
            columns=dict(columns),
            rows=rows.train,
            fold=fold,
            classes=len(rows.train_counts),
            seed=seed,
            threads=pool.threads,
            out=str(oof_file(folder, rows.digest, recipe, fold, seed)),
        )
        for fold in range(plan.search.folds)
    ]


def _submitted(
    job: FoldJob, pool: WorkerPool, deadline: Callable[[], float]
) -> Future[FoldResult] | None:
    """None where a killed run has left the answers already."""
    if Path(job.out).is_file():
        return None
    return pool.submit(fit_fold, job, deadline() - time.monotonic())


def _screened(
    method: Imbalance,
    jobs: Sequence[FoldJob],
    running: Sequence[Future[FoldResult] | None],
    truth: Truth,
    deadline: Callable[[], float],
    *,
    planned: bool,
) -> _Screened:
    seconds, note = _awaited(running, deadline)
    recipe, oof = jobs[0].candidate, {job.fold: job.out for job in jobs}
    told = MethodScore(
        method=method.kind if planned else f"{method.kind} (baseline)",
        imbalance=method,
        score=0.0,
        low=0.0,
        high=0.0,
        plain_score=0.0,
        log_loss=0.0,
        recalls=(0.0,) * truth.classes,
        seconds=seconds,
        kept=False,
        candidate=recipe,
        note=note,
    )
    if note:
        return _Screened(told, found=None)
    found = score_oof(truth, oof)
    return _Screened(_with_figures(told, found, truth.classes, jobs[0].seed, oof), found)


def _awaited(
    running: Sequence[Future[FoldResult] | None], deadline: Callable[[], float]
) -> tuple[float, str]:
    """Seconds in the workers, and why there is no score, if there is none."""
    seconds, note = 0.0, ""
    for unit in (unit for unit in running if unit is not None):
        try:
            result = unit.result(timeout=max(0.0, deadline() - time.monotonic()))
            seconds += result.fit_s + result.predict_s
        except TimeoutError:
            note = "stopped at the deadline"
        except FitFailed as fault:
            note = str(fault)
        except LOST:
            note = "its worker process died, perhaps for want of memory"
    return seconds, note


def _with_figures(
    told: MethodScore, found: OofScore, classes: int, seed: int, oof: dict[int, str]
) -> MethodScore:
    interval = macro_f1_interval(
        found.labels, found.decisions, classes, RESAMPLES, CONFIDENCE, seed
    )
    recalls = class_figures(confusion(found.labels, found.decisions, classes)).recall
    figures = {
        "score": interval.value,
        "low": interval.low,
        "high": interval.high,
        "plain_score": found.plain,
        "log_loss": found.log_loss,
        "recalls": tuple(recall or 0.0 for recall in recalls),
        "oof": oof,
    }
    return told.model_copy(update=figures)


def _ranked(plan: Plan, screened: Sequence[_Screened], classes: int) -> tuple[MethodScore, ...]:
    ranked = sorted(screened, key=lambda s: (s.found is None, -s.told.score, s.told.log_loss))
    floor = baseline([s.told for s in ranked])
    planned = [s for s in ranked if s.told.imbalance in plan.imbalance and s.found is not None]
    if floor.note or not planned:
        notes = "; ".join(f"{s.told.method}: {s.told.note}" for s in ranked if s.told.note)
        raise NightFailed(
            f"The screening gave no baseline or no method to search over: {notes}. "
            "Give the night more time (search.budget_minutes) or other methods (imbalance)."
        )
    best, seed = planned[0].found, plan.search.seed
    good = [s.told.imbalance for s in planned if _as_good(best, s.found, classes, seed)]
    kept = good[:MOST_KEPT]
    return tuple(s.told.model_copy(update={"kept": s.told.imbalance in kept}) for s in ranked)


def _as_good(best: OofScore | None, found: OofScore | None, classes: int, seed: int) -> bool:
    """Whether chance may explain that a method is below the best one of the plan."""
    if best is None or found is None:
        return False
    difference = paired_macro_f1(
        best.labels, best.decisions, found.decisions, classes, RESAMPLES, CONFIDENCE, seed
    )
    return difference.macro.high >= 0
