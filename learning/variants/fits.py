"""All variants on one assignment of the rows to folds: fitted in workers, answers kept on disk."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from learning.searching.folds import FitFailed, fit_fold, kept_seconds
from learning.searching.oof import oof_file
from learning.searching.workers import LOST, WorkerPool
from schemas.manifest import Rows
from schemas.plan import Plan
from schemas.trials import FoldJob, FoldResult
from schemas.variants import Variant


@dataclass(frozen=True)
class Fits:
    """A variant's out-of-fold answers by fold, or in `note` why there are none."""

    files: dict[int, str]
    seconds: float
    note: str = ""
    late: bool = False


def fit_variants(
    variants: Sequence[Variant],
    plan: Plan,  # its search.seed is this repeat's
    rows: Rows,
    pool: WorkerPool,
    deadline: float,  # monotonic seconds
    folder: Path,  # keeps the answers: what is there is not fitted again
    on_fits: Callable[[Variant, Fits], None],  # told each in turn, while the next ones are fitted
) -> None:
    """Every variant on the same folds with the same seed; one that fails does not stop others."""
    jobs = [_jobs(variant, plan, rows, pool, folder) for variant in variants]
    running = [[_submitted(job, pool, deadline) for job in folds] for folds in jobs]
    try:
        for variant, folds, units in zip(variants, jobs, running, strict=True):
            on_fits(variant, _awaited(folds, units, deadline))
    finally:
        for unit in (unit for units in running for unit in units if unit is not None):
            unit.cancel()


def _jobs(
    variant: Variant, plan: Plan, rows: Rows, pool: WorkerPool, folder: Path
) -> list[FoldJob]:
    seed = plan.search.seed
    return [
        FoldJob(
            candidate=variant.candidate,
            columns=plan.dataset.columns,
            targets=plan.targets,
            rows=rows.train,
            fold=fold,
            seed=seed,
            threads=pool.threads,
            out=str(oof_file(folder, rows.digest, variant.candidate, fold, seed)),
        )
        for fold in range(plan.search.folds)
    ]


def _submitted(job: FoldJob, pool: WorkerPool, deadline: float) -> Future[FoldResult] | None:
    if kept_seconds(Path(job.out)) is not None:
        return None
    return pool.submit(fit_fold, job, deadline - time.monotonic())


def _awaited(
    jobs: Sequence[FoldJob], running: Sequence[Future[FoldResult] | None], deadline: float
) -> Fits:
    seconds, note, late = 0.0, "", False
    for job, unit in zip(jobs, running, strict=True):
        try:
            if unit is not None:
                unit.result(timeout=max(0.0, deadline - time.monotonic()))
            seconds += kept_seconds(Path(job.out)) or 0.0
        except TimeoutError:
            late = True
        except FitFailed as fault:
            note = str(fault)
        except LOST:
            note = "its worker process died, perhaps for want of memory"
    if note or late:
        return Fits({}, seconds, note or "the time was up", late=late and not note)
    return Fits({job.fold: job.out for job in jobs}, seconds)
