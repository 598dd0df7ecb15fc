"""Methods are compared on equal folds; the baseline is always there."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from learning.screening import MOST_KEPT, baseline, screen
from learning.workers import WorkerPool
from schemas.dataset import Dataset
from schemas.faults import NightFailed
from schemas.knobs import Range
from schemas.label import SingleLabel
from schemas.manifest import Rows
from schemas.plan import Plan, Search
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote
from schemas.trials import MethodScore
from tests.learning.samples import COLUMNS, FOLDS, prepared_rows

ALL = (NoResampling(), ClassWeights(), RandomUndersampling(), Smote())


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=2, threads=1, preload=("learning.folds",)) as running:
        yield running


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"))


def screened(
    pool: WorkerPool, rows: Rows, folder: Path, methods: tuple[Imbalance, ...], **changes: Any
) -> tuple[MethodScore, ...]:
    plan = Plan(
        name="sample",
        dataset=Dataset(source="none", columns=COLUMNS),
        label=SingleLabel(column="label", classes=("a", "b", "c")),
        imbalance=methods,
        search=Search(folds=FOLDS),
    )
    until = time.monotonic() + changes.get("seconds", 60.0)
    tell = changes.get("on_method", lambda method: None)
    return screen(plan, rows, COLUMNS, pool, lambda: until, folder, tell)


def test_every_method_is_scored_and_the_best_is_kept(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told: list[MethodScore] = []
    methods = screened(pool, rows, tmp_path, ALL, on_method=told.append)
    scores = [method.score for method in methods]
    assert {method.imbalance for method in methods} == set(ALL)
    assert scores == sorted(scores, reverse=True)
    assert methods[0].kept
    assert 1 <= sum(method.kept for method in methods) <= MOST_KEPT
    assert {method.method for method in told} == {method.method for method in methods}
    for method in methods:
        assert method.low <= method.score <= method.high
        assert method.note == ""
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
    again = screened(pool, rows, tmp_path, ALL)
    assert [method.seconds for method in again] == [0.0] * len(ALL)
    assert [method.score for method in again] == [method.score for method in first]


def test_no_time_is_told(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(NightFailed, match="class-weights: stopped at the deadline"):
        screened(pool, rows, tmp_path, ALL, seconds=0.0)
