"""From objects to final fits: rows are read while workers warm up, then screened and tuned on."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect import get_run_logger

from flows.rows import Due, Read, read_rows
from learning.reports.readers import reader_defect
from learning.searching.budget import Budget
from learning.searching.ranking import beats
from learning.searching.screening import baseline
from learning.searching.warmth import best_points, keep_best_points
from learning.searching.workers import WorkerPool
from schemas.faults import NightshiftError
from schemas.ledger import Champion
from schemas.night import BASELINE, Standing
from schemas.objectives import objective_name
from schemas.trials import MethodScore, RefitResult, StudyResult, TrialRecord
from tasks.attempt import Attempt
from tasks.embedding import embed_rows
from tasks.home import Home
from tasks.registry import mirror_champion, standing_champion
from tasks.tracking import Tracker
from tasks.tuning import Bench, fit_final, screen_methods, tune

_ROWS_FOR_THREADS = 10_000
"""Below, a booster's threads wait for each other longer than they work (LOG.md)."""


@dataclass(frozen=True)
class Found:
    """What the search brought: the night's rows, what was tried on them, and the final fits."""

    read: Read
    standing: Standing | None
    methods: tuple[MethodScore, ...]
    studies: tuple[StudyResult, ...]
    finalist: str
    fits: dict[str, RefitResult]
    folder: Path
    tracker: Tracker


def search(
    attempt: Attempt,
    home: Home,
    due: Due,
    budget: Budget,
    before: Champion | None,
) -> Found:
    """All that needs workers; they warm up while the rows are read."""
    plan = attempt.plan
    workers = plan.search.workers or os.cpu_count() or 1
    with WorkerPool(workers, threads=1, preload=("learning.keeping.refit",)) as pool:
        read = read_rows(attempt, home, due, before.cutoff if before else None)
        rows = read.rows
        with attempt.stage("load champion"):
            standing = standing_champion(attempt.store, before, home.cache)
        with attempt.stage("open MLflow"):
            tracker = Tracker(
                home.mlflow_uri,
                home.artifacts,
                f"nightshift/{plan.name}",
                {"nightshift.run": attempt.run_id, "nightshift.plan": plan.name},
                objective_name(plan.objective),
            )
            mirror_champion(attempt.store, before, tracker.mirror)
        folder = home.studies / plan.name / f"{rows.digest}-{plan.digest}"
        vectors = home.cache / plan.name / "vectors"
        bench = Bench(plan, rows, pool, budget, folder, vectors)
        if plan.embeddings:
            with attempt.stage("embed texts"):
                embed_rows(plan, rows, pool, budget, vectors)
        with attempt.stage("screen"):
            methods = screen_methods(bench)
        with attempt.stage("tune"):
            studies = _tune_families(attempt, bench, methods, tracker, home)
        _tell_defects(attempt, studies, baseline(methods))
        with attempt.stage("fit"):
            finalist, fits = _fit(attempt, bench, methods, studies)
    return Found(read, standing, methods, studies, finalist, fits, folder, tracker)


def _tune_families(
    attempt: Attempt, bench: Bench, methods: Sequence[MethodScore], tracker: Tracker, home: Home
) -> tuple[StudyResult, ...]:
    """All studies, side by side under one budget; a family that fails is told and left out."""
    kept = tuple(method.imbalance for method in methods if method.kept)
    warmth = home.studies / bench.plan.name / "best.json"
    warm = best_points(warmth)
    running = {
        family.classifier.kind: tune.submit(
            family.classifier.kind,
            family,
            kept,
            warm.get(family.classifier.kind, []),
            bench,
            tracker,
        )
        for family in bench.plan.families
    }
    studies = []
    for kind, future in running.items():
        study = future.result(raise_on_failure=False)
        if isinstance(study, NightshiftError):
            attempt.note(f"{kind} is left out tonight: {study}")
        elif isinstance(study, BaseException):
            raise study
        else:
            studies.append(study)
    keep_best_points(warmth, studies, bench.plan.search.warm_start)
    return tuple(studies)


def _tell_defects(attempt: Attempt, studies: Sequence[StudyResult], floor: MethodScore) -> None:
    """A network that words alone beat has something wrong with it, in its settings or its data."""
    readers = {f.classifier.kind for f in attempt.plan.families if f.classifier.reads_text}
    for study in (study for study in studies if study.family in readers):
        told = reader_defect(study, floor)
        if told:
            attempt.note(told)
            get_run_logger().warning("%s", told)


def _fit(
    attempt: Attempt,
    bench: Bench,
    methods: Sequence[MethodScore],
    studies: Sequence[StudyResult],
) -> tuple[str, dict[str, RefitResult]]:
    """The best out-of-fold recipe and the baseline, each fitted on all training rows.

    A finalist that can't be fitted leaves the night to the baseline.
    """
    floor = baseline(methods)
    finalist = BASELINE
    recipes: dict[str, TrialRecord | MethodScore] = {BASELINE: floor}
    for study in studies:
        if study.best is not None and beats(study.best, recipes[finalist]):
            finalist = f"{study.family} trial {study.best.number}"
            recipes = {finalist: study.best, BASELINE: floor}
    chosen = recipes[finalist].candidate
    takes_all = chosen is not None and chosen.classifier.reads_text
    many = bench.rows.n_train >= _ROWS_FOR_THREADS
    threads = bench.pool.workers if many or takes_all else 1
    running = {
        name: fit_final.submit(name, recipe, threads if name == finalist else 1, bench)
        for name, recipe in recipes.items()
    }
    fits = {BASELINE: running[BASELINE].result()}
    if studies and all(study.best is None for study in studies):
        attempt.note(_unsearched(bench.plan.search.budget_minutes, studies))
    if finalist != BASELINE:
        fit = running[finalist].result(raise_on_failure=False)
        if isinstance(fit, NightshiftError):
            attempt.note(str(fit))
            finalist = BASELINE
        elif isinstance(fit, BaseException):
            raise fit
        else:
            fits[finalist] = fit
    return finalist, fits


def _unsearched(minutes: float, studies: Sequence[StudyResult]) -> str:
    families = ", ".join(study.family for study in studies)
    return (
        f"no trial ended in the budget of {minutes:g} minutes ({families}); the baseline stands. "
        "Raise search.budget_minutes (or --budget-minutes), or give fewer or cheaper families."
    )
