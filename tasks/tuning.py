"""The search as a person sees it: the screening, one task run a family, one a final fit.

Trials are no task runs: thousands would drown the server. Each is a nested run in MLflow.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from learning.keeping.refit import refit
from learning.reading.wording import amount
from learning.reports.epochs import epoch_line
from learning.reports.methods import rarest, screening_rows
from learning.reports.texts import escaped, escaped_rows
from learning.searching.budget import Budget
from learning.searching.flights import EpochTold
from learning.searching.ranking import best, current
from learning.searching.screening import screen
from learning.searching.search import run_study
from learning.searching.shares import Shares
from learning.searching.workers import LOST, NoWorker, WorkerPool
from schemas.faults import NightFailed, NightshiftError
from schemas.knobs import Setting
from schemas.manifest import Rows
from schemas.objectives import objective_name
from schemas.plan import Family, Plan
from schemas.samplers import Imbalance
from schemas.trials import MethodScore, RefitJob, RefitResult, StudyResult, TrialRecord

_TELL_EVERY_S = 5.0


class StudyLog(Protocol):
    """Where a study is told to the world; MLflow in a night, a list in a test."""

    def open_study(self, family: str, study: str) -> str:
        """The parent run's id."""

    def log_trial(self, study_run: str, family: str, trial: TrialRecord) -> str:
        """One nested run."""

    def close_study(self, study_run: str, study: StudyResult) -> str:
        """The study's result on its parent run."""

    def fail_study(self, study_run: str, why: str) -> str:
        """The parent run of a family that is left out."""


class Bench:
    """What the stations of one night's search share; lives in the coordinator, never travels."""

    def __init__(
        self,
        plan: Plan,
        rows: Rows,
        pool: WorkerPool,
        budget: Budget,
        folder: Path,
        vectors: Path | None = None,  # keeps what encoders make of texts
    ) -> None:
        self.plan = plan
        self.rows = rows
        self.pool = pool
        self.budget = budget
        self.folder = folder
        self.vectors = vectors
        self.study = f"{plan.name}-{rows.digest}-{plan.digest}"
        self.shares = Shares(pool.workers, [f.classifier.kind for f in plan.families])


@task(name="screen", cache_policy=NO_CACHE)
def screen_methods(bench: Bench) -> tuple[MethodScore, ...]:
    """Every imbalance method of the plan on equal folds with a cheap learner, as a table."""
    log = get_run_logger()
    name = objective_name(bench.plan.objective)

    def tell(method: MethodScore) -> None:
        if method.score is None:
            log.warning("%s: no score: %s", method.method, method.note)
        else:
            log.info("%s: %s %.4f in %.1f s", method.method, name, method.score, method.seconds)

    methods = screen(
        bench.plan,
        bench.rows,
        bench.plan.dataset.columns,
        bench.pool,
        bench.budget.deadline,
        bench.folder,
        tell,
    )
    targets = bench.plan.targets
    classes = rarest(targets, bench.rows.train_counts)
    create_table_artifact(
        key=f"screening-{bench.plan.name.replace('_', '-')}",
        table=escaped_rows(screening_rows(methods, name, targets, classes)),
        description="Imbalance methods on equal folds: logistic regression, cross-fitted offsets; "
        f"recalls of the {len(classes)} rarest classes that count",
    )
    names = ", ".join(m.method for m in methods if m.kept)
    log.info("kept for the search: %s", names or "none: the families read the text themselves")
    return methods


@task(name="tune", task_run_name="tune-{kind}", cache_policy=NO_CACHE)
def tune(
    kind: str,
    family: Family,
    kept: Sequence[Imbalance],
    warm: Sequence[dict[str, Setting]],
    bench: Bench,
    studies: StudyLog,
) -> StudyResult:
    """One family's study under the shared budget; every trial is told as it ends."""
    log = get_run_logger()
    run = studies.open_study(kind, bench.study)
    progress = _Progress(kind, bench)

    def keep(trial: TrialRecord) -> None:
        # A run that was killed, or whose MLflow was down, may not have logged it.
        studies.log_trial(run, kind, trial)
        bench.shares.learn(kind, trial)
        progress.keep(trial)

    def tell(trial: TrialRecord) -> None:
        studies.log_trial(run, kind, trial)
        bench.shares.learn(kind, trial)
        if progress.tell(trial):
            log.info("%s", progress.line)

    def hear(epoch: EpochTold) -> None:
        line = progress.hear(epoch)
        if line:
            log.info("%s", line)

    def learn(score: float, fold_s: float, whole: bool) -> None:
        # A network's final fit has all cores for itself, its folds shared them.
        side_by_side = min(bench.pool.workers, bench.plan.search.folds)
        part = 1 / side_by_side if family.classifier.reads_text else 1.0
        bench.budget.learn(kind, score, fold_s * part, whole)

    try:
        study = run_study(
            family,
            kept=kept,
            rows=bench.rows,
            columns=bench.plan.dataset.columns,
            targets=bench.plan.targets,
            objective=bench.plan.objective,
            search=bench.plan.search,
            pool=bench.pool,
            deadline=bench.budget.deadline,
            folder=bench.folder,
            study_name=f"{bench.study}-{kind}",
            warm=warm,
            on_trial=tell,
            on_kept=keep,
            on_fold=learn,
            on_epoch=hear,
            share=lambda: bench.shares.of(kind),
            vectors=bench.vectors,
        )
    except NightshiftError as fault:
        studies.fail_study(run, str(fault))
        raise
    finally:
        bench.shares.leave(kind)
    progress.end()
    studies.close_study(run, study)
    log.info("%s", told(study, objective_name(bench.plan.objective)))
    return study


class _Progress:
    """A family's progress artifact; updated at most every few seconds, each write is a request."""

    def __init__(self, kind: str, bench: Bench) -> None:
        self.line = f"{kind}: no trial yet"
        self._kind = kind
        self._bench = bench
        self._trials: list[TrialRecord] = []
        self._kept: set[int] = set()
        self._told_at = 0.0
        self._epoch_told_at = -_TELL_EVERY_S
        key = f"tuning-{bench.plan.name}-{kind}".replace("_", "-")
        self._artifact = cast(UUID, create_progress_artifact(0.0, key=key, description=self.line))

    def keep(self, trial: TrialRecord) -> None:
        """Count a trial of an earlier run; nothing new for a person."""
        self._kept.add(trial.number)
        self._count(trial)

    def tell(self, trial: TrialRecord) -> bool:
        """Count a trial; whether there is something new for a person."""
        better = self._count(trial)
        now = self._bench.budget.elapsed_s
        if better or now - self._told_at > _TELL_EVERY_S:
            self._told_at = now
            self._show(self.line)
        return better

    def hear(self, told: EpochTold) -> str:
        """A line on an epoch of a fit under way, once in a while: many folds tell many epochs."""
        now = self._bench.budget.elapsed_s
        if now - self._epoch_told_at < _TELL_EVERY_S:
            return ""
        self._epoch_told_at = now
        epoch = epoch_line(told.epoch, self._bench.plan.targets, self._bench.rows.train_counts)
        line = f"{self._kind} trial {told.trial}, fold {told.fold}, {epoch}"
        self._show(f"{self.line}; {line}")
        return line

    def _show(self, line: str) -> None:
        budget = self._bench.budget
        search_s = budget.deadline() - budget.started
        done = min(99.0, 100 * budget.elapsed_s / search_s)
        update_progress_artifact(self._artifact, done, description=escaped(line))

    def _count(self, trial: TrialRecord) -> bool:
        self._trials = current([*self._trials, trial])
        top = best(self._trials)
        score = f"{top.score:.4f}" if top and top.score is not None else "none"
        earlier = sum(trial.number in self._kept for trial in self._trials)
        kept = f", {earlier} of them kept from an earlier run" if earlier else ""
        name = objective_name(self._bench.plan.objective)
        self.line = f"{self._kind}: {amount(len(self._trials), 'trial')}{kept}, best {name} {score}"
        return top is trial

    def end(self) -> None:
        update_progress_artifact(self._artifact, 100.0, description=self.line)


def told(study: StudyResult, objective: str) -> str:
    """A study in one line."""
    best = f"{study.best.score:.4f}" if study.best and study.best.score is not None else "none"
    resumed = f", {study.resumed} of them kept from an earlier run" if study.resumed else ""
    return (
        f"{study.family}: {amount(len(study.trials), 'trial')}{resumed} in {study.seconds:.0f} s, "
        f"best {objective} {best}{'; ' + study.last_gain if study.last_gain else ''}"
    )


@task(name="fit", task_run_name="fit-{name}", cache_policy=NO_CACHE)
def fit_final(
    name: str, recipe: TrialRecord | MethodScore, threads: int, bench: Bench
) -> RefitResult:
    """The recipe on every training row, calibrated and with offsets from its out-of-fold rows.

    Raises
    ------
    NightFailed
        It was not done when the budget and a grace for an estimate that was wrong had passed, its
        worker died, or it never got one.
    """
    if recipe.candidate is None:
        raise NightFailed(f"{name} has no settled recipe to fit; its trial did not finish")
    job = RefitJob(
        candidate=recipe.candidate,
        columns=bench.plan.dataset.columns,
        targets=bench.plan.targets,
        objective=bench.plan.objective,
        calibration=bench.plan.calibration,
        rows=bench.rows.train,
        oof=recipe.oof,
        seed=bench.plan.search.seed,
        threads=threads,
        out=str(bench.folder / "final" / name.replace(" ", "-")),
        vectors=None if bench.vectors is None else str(bench.vectors),
    )
    patience_s = bench.budget.patience_s
    try:
        result: RefitResult = bench.pool.result(bench.pool.submit(refit, job, patience_s))
    except TimeoutError:
        raise NightFailed(
            f"{name} was not fitted on all {bench.rows.n_train} rows within {patience_s:.0f} s and "
            "was stopped. Give the plan a larger search.budget_minutes."
        ) from None
    except NoWorker:
        raise NightFailed(
            f"{name} was not fitted: no worker process was free for it or could start, though all "
            "before it had their time. Free the machine of other work, or give it more memory; "
            "the next start resumes the search."
        ) from None
    except LOST:
        raise NightFailed(
            f"The process that fitted {name} on all {bench.rows.n_train} rows died, perhaps for "
            "want of memory. Give the machine more, or narrow the family's settings."
        ) from None
    get_run_logger().info(
        "%s fitted on %s rows in %.1f s, %s on them %.4f",
        name,
        f"{bench.rows.n_train:,}",
        result.fit_s,
        objective_name(bench.plan.objective),
        result.train_score,
    )
    return result
