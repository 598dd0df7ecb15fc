"""Units of work: one fold of one recipe in a worker, and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from learning.searching.folds import FitFailed, fit_fold, kept_seconds
from learning.searching.oof import oof_file
from learning.searching.workers import LOST, WorkerPool
from schemas.dataset import Column
from schemas.label import Target
from schemas.manifest import Rows
from schemas.trials import Candidate, FoldJob, FoldResult

Running = Sequence[Future[FoldResult] | None]


@dataclass(frozen=True)
class Units:
    """What the folds of all recipes have in common."""

    columns: Mapping[str, Column]
    rows: Rows
    targets: tuple[Target, ...]
    seed: int
    folds: int
    pool: WorkerPool
    folder: Path  # keeps the out-of-fold answers
    vectors: Path | None = None  # keeps what encoders make of texts

    def job(self, recipe: Candidate, fold: int, threads: int | None = None) -> FoldJob:
        """By default each worker keeps to its own threads."""
        return FoldJob(
            candidate=recipe,
            columns=dict(self.columns),
            rows=self.rows.train,
            fold=fold,
            targets=self.targets,
            seed=self.seed,
            threads=threads or self.pool.threads,
            out=str(oof_file(self.folder, self.rows.digest, recipe, fold, self.seed)),
            vectors=None if self.vectors is None else str(self.vectors),
        )

    def jobs(self, recipe: Candidate) -> list[FoldJob]:
        """All folds of a recipe."""
        return [self.job(recipe, fold) for fold in range(self.folds)]

    def started(self, jobs: Sequence[FoldJob], limit_s: float) -> Running:
        """Their futures; None where a killed run has left the answers already."""
        return [
            None
            if kept_seconds(Path(job.out)) is not None
            else self.pool.submit(fit_fold, job, limit_s)
            for job in jobs
        ]


@dataclass(frozen=True)
class Fits:
    """A recipe's out-of-fold answers by fold, or in `note` why there are none.

    `late`: nothing is wrong with it, the time was up.
    """

    files: dict[int, str]
    seconds: float
    note: str = ""
    late: bool = False


def awaited(
    jobs: Sequence[FoldJob],
    running: Running,
    left_s: Callable[[], float],
    too_long: str = "",  # the note on a unit that was killed while there was time left
) -> Fits:
    """What became of a recipe's units; where one has failed, the others are stopped."""
    seconds, note, late = 0.0, "", False
    for job, unit in zip(jobs, running, strict=True):
        try:
            if unit is not None:
                unit.result(timeout=max(0.0, left_s()))
            seconds += kept_seconds(Path(job.out)) or 0.0
        except TimeoutError:
            killed = unit is not None and unit.done() and left_s() > 0
            note = too_long if killed else ""
            late = not note
        except (FitFailed, *LOST) as fault:
            note = why(fault)
        if note:
            stop(running)
            return Fits({}, seconds, note)
    if late:
        return Fits({}, seconds, "the time was up", late=True)
    return Fits({job.fold: job.out for job in jobs}, seconds)


def stop(running: Running) -> None:
    """Kill what runs and forget what waits."""
    for unit in running:
        if unit is not None:
            unit.cancel()


def why(fault: BaseException) -> str:
    """A note on a failed unit; what is no fault of fitting is a defect and goes up."""
    if isinstance(fault, FitFailed):
        return str(fault)
    if isinstance(fault, LOST):
        return "its worker process died, perhaps for want of memory"
    raise fault
