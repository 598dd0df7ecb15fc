"""All variants on one assignment of the rows to folds: fitted in workers, answers kept on disk."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from learning.searching.units import Fits, Units, awaited, stop
from learning.searching.workers import WorkerPool
from schemas.manifest import Rows
from schemas.plan import Plan
from schemas.variants import Variant

TIMES_AS_LONG, AT_LEAST_S = 30, 60.0
"""A fold of a variant may take so many times as long as one of the base, or so many seconds."""


def fit_variants(
    variants: Sequence[Variant],  # the base first
    plan: Plan,  # its search.seed is this repeat's
    rows: Rows,
    pool: WorkerPool,
    deadline: float,  # monotonic seconds
    folder: Path,  # keeps the answers: what is there is not fitted again
    on_fits: Callable[[Variant, Fits], None],  # told each in turn, while the next ones are fitted
    vectors: Path | None = None,  # keeps what encoders make of texts
) -> None:
    """Every variant on the same folds with the same seed; one that fails does not stop others.

    The base goes alone, for what it takes limits the others; if it fails, nothing else is fitted.
    """

    def left_s() -> float:
        return deadline - time.monotonic()

    units = Units(
        plan.dataset.columns,
        rows,
        plan.targets,
        plan.search.seed,
        plan.search.folds,
        pool,
        folder,
        vectors,
    )
    base, *others = variants
    asked = units.jobs(base.candidate)
    alone = awaited(asked, units.started(asked, left_s()), left_s)
    on_fits(base, alone)
    if alone.note:
        return
    limit_s = max(AT_LEAST_S, TIMES_AS_LONG * alone.seconds / units.folds)
    too_long = f"stopped: a fold took more than {limit_s:.0f} s, the base {alone.seconds:.0f} s"
    others.sort(key=lambda variant: variant.candidate.imbalance.compares)  # the slowest last
    jobs = [units.jobs(variant.candidate) for variant in others]
    running = [units.started(folds, min(limit_s, left_s())) for folds in jobs]
    try:
        for variant, folds, started in zip(others, jobs, running, strict=True):
            on_fits(variant, awaited(folds, started, left_s, too_long))
    finally:
        for started in running:
            stop(started)
