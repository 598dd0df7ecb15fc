"""Methods are compared on equal folds; the baseline is always there."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import learning.searching.screening
from learning.searching.folds import FitFailed
from learning.searching.screening import MOST_KEPT, baseline, screen
from learning.searching.workers import WorkerPool
from schemas.dataset import Dataset
from schemas.faults import NightFailed
from schemas.knobs import Range
from schemas.label import SingleLabel
from schemas.manifest import Rows
from schemas.plan import Plan, Search
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote
from schemas.trials import FoldJob, FoldResult, MethodScore
from tests.learning.samples import COLUMNS, FOLDS

ALL = (NoResampling(), ClassWeights(), RandomUndersampling(), Smote())


def screened(
    pool: WorkerPool, rows: Rows, folder: Path, methods: tuple[Imbalance, ...], **changes: Any
) -> tuple[MethodScore, ...]:
    plan = Plan(
        name="sample",
        dataset=Dataset(source="none", columns=COLUMNS),
        label=SingleLabel(column="label", classes=(-1, 0, 1)),
        imbalance=methods,
        search=Search(folds=FOLDS),
    )
    until = time.monotonic() + changes.get("seconds", 300.0)
    tell = changes.get("on_method", lambda method: None)
    return screen(plan, rows, COLUMNS, pool, lambda: until, folder, tell)


def test_every_method_is_scored_and_the_best_is_kept(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told: list[MethodScore] = []
    methods = screened(pool, rows, tmp_path, ALL, on_method=told.append)
    scores = [method.score or 0.0 for method in methods]
    assert {method.imbalance for method in methods} == set(ALL)
    assert scores == sorted(scores, reverse=True)
    assert methods[0].kept
    assert 1 <= sum(method.kept for method in methods) <= MOST_KEPT
    assert {method.method for method in told} == {method.method for method in methods}
    for method in methods:
        assert method.low is not None
        assert method.score is not None
        assert method.high is not None
        assert method.low <= method.score <= method.high
        assert method.note == ""
        assert len(method.fold_scores) == FOLDS
        assert all(Path(path).is_file() for path in method.oof.values())


def test_the_plans_full_class_weights_are_the_baseline(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    methods = screened(pool, rows, tmp_path, ALL)
    assert baseline(methods).method == "class-weights"
    assert len(methods) == len(ALL)


def test_the_baseline_is_screened_also_where_the_plan_does_not_list_it(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    open_weights = ClassWeights(exponent=Range(low=0.0, high=1.0))
    methods = screened(pool, rows, tmp_path, (open_weights,))
    floor = baseline(methods)
    assert (floor.method, floor.kept, len(methods)) == ("class-weights (baseline)", False, 2)
    kept = [method for method in methods if method.kept]
    assert [method.imbalance for method in kept] == [open_weights]
    assert kept[0].candidate.imbalance == ClassWeights(exponent=0.5)


def test_a_restart_fits_nothing_again(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    first = screened(pool, rows, tmp_path, ALL)
    assert all(method.seconds > 0 for method in first)
    refusing = Only(pool, allowed=lambda job: False)
    assert screened(refusing, rows, tmp_path, ALL) == first  # type: ignore[arg-type]


def test_the_baseline_is_scored_also_where_there_is_no_time(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told = screened(pool, rows, tmp_path, ALL, seconds=-1.0)
    assert baseline(told).score is not None
    # A fit of milliseconds may end before its worker is stopped; then it counts.
    assert all(each.score is not None or "time" in each.note for each in told)


def test_no_time_is_told(
    pool: WorkerPool, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.searching.screening, "BASELINE_S", 0.0)
    with pytest.raises(NightFailed, match="class-weights: the time for the screening was up"):
        screened(pool, rows, tmp_path, ALL, seconds=0.0)


class Only:
    """A pool in which other methods fail, or never end."""

    def __init__(
        self, pool: WorkerPool, allowed: Callable[[FoldJob], bool], *, endless: bool = False
    ) -> None:
        self._pool = pool
        self._allowed = allowed
        self._endless = endless
        self.threads = pool.threads

    def submit(
        self, work: Callable[[FoldJob], FoldResult], job: FoldJob, timeout_s: float
    ) -> Future[FoldResult]:
        if self._allowed(job):
            return self._pool.submit(work, job, timeout_s)
        refused: Future[FoldResult] = Future()
        if not self._endless:
            refused.set_exception(FitFailed("ValueError: no"))
        return refused


def test_a_method_that_failed_has_no_figures_but_a_reason(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    failing = Only(pool, lambda job: job.candidate.imbalance.kind != "smote")
    methods = screened(failing, rows, tmp_path, ALL)  # type: ignore[arg-type]
    last = methods[-1]
    assert (last.method, last.note, last.kept) == ("smote", "ValueError: no", False)
    assert (last.score, last.low, last.high, last.plain_score, last.log_loss) == (None,) * 5
    assert (last.recalls, last.oof) == ((), {})


def test_methods_that_take_too_long_leave_the_search_most_of_its_time(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    slow = Only(pool, lambda job: job.candidate.imbalance.kind != "smote", endless=True)
    started = time.monotonic()
    methods = screened(slow, rows, tmp_path, ALL, seconds=20.0)  # type: ignore[arg-type]
    assert time.monotonic() - started < 0.25 * 20.0 + 2
    late = [method for method in methods if method.score is None]
    assert [method.method for method in late] == ["smote"]
    assert late[0].note == "the time for the screening was up"
    assert any(method.kept for method in methods)


def test_where_only_the_baseline_was_in_time_the_plans_methods_are_searched_unseen(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    slow = Only(
        pool, lambda job: job.candidate.imbalance == ClassWeights(exponent=1.0), endless=True
    )
    planned = (Smote(), NoResampling())
    methods = screened(slow, rows, tmp_path, planned, seconds=8.0)  # type: ignore[arg-type]
    assert baseline(methods).score is not None
    assert [method.imbalance for method in methods if method.kept] == list(planned)


def test_methods_that_all_fail_end_the_night(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    failing = Only(pool, lambda job: job.candidate.imbalance == ClassWeights(exponent=1.0))
    with pytest.raises(NightFailed, match="no method to search over: smote: ValueError: no"):
        screened(failing, rows, tmp_path, (Smote(),))  # type: ignore[arg-type]
