"""Variants are fitted on equal folds, and what was fitted once is not fitted again."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learning.variants.fits
from learning.searching.units import Fits
from learning.searching.workers import WorkerPool
from learning.variants.fits import TIMES_AS_LONG, fit_variants
from schemas.classifiers import LogisticRegression
from schemas.dataset import Dataset
from schemas.features import Features, TextFeatures
from schemas.label import SingleLabel
from schemas.manifest import Rows
from schemas.plan import Plan, Search
from schemas.samplers import Adasyn, ClassWeights, Imbalance, NoResampling, Smote
from schemas.trials import Candidate, FoldJob
from schemas.variants import Variant
from tests.learning.samples import CLASSES, COLUMNS, FOLDS, prepared_rows

PLAN = Plan(
    name="sample",
    dataset=Dataset(source="none", columns=COLUMNS),
    label=SingleLabel(column="label", classes=(-1, 0, 1)),
    search=Search(folds=FOLDS),
)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=2, threads=1, preload=("learning.searching.folds",)) as running:
        yield running


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"))


FEATURES = Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=1))


def _variant(name: str, classifier: LogisticRegression, imbalance: Imbalance) -> Variant:
    recipe = Candidate(features=FEATURES, imbalance=imbalance, classifier=classifier)
    return Variant(name=name, candidate=recipe)


PLAIN = _variant("plain", LogisticRegression(C=1.0), NoResampling())
SMOTE = _variant("smote", LogisticRegression(C=1.0), Smote())
BROKEN = _variant("broken", LogisticRegression(C=1.0, penalty="l1"), NoResampling())  # by lbfgs


def _fitted(
    pool: WorkerPool, rows: Rows, folder: Path, *asked: Variant, seconds: float = 120.0
) -> dict[str, Fits]:
    told: dict[str, Fits] = {}
    until = time.monotonic() + seconds
    fit_variants(
        asked, PLAN, rows, pool, until, folder, lambda each, fits: told.update({each.name: fits})
    )
    return told


def test_every_row_is_answered_once_by_each_variant(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told = _fitted(pool, rows, tmp_path, PLAIN, SMOTE)
    assert list(told) == ["plain", "smote"]
    for fits in told.values():
        answers = [np.load(path) for path in fits.files.values()]
        assert sum(map(len, answers)) == rows.n_train
        assert {each.shape[1] for each in answers} == {CLASSES}
        assert fits.seconds > 0
        assert fits.note == ""


def test_a_variant_that_fails_says_why_and_stops_no_other(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told = _fitted(pool, rows, tmp_path, PLAIN, BROKEN, SMOTE)
    assert told["broken"].note.startswith("ValueError")
    assert (told["broken"].files, told["broken"].late) == ({}, False)
    assert len(told["plain"].files) == len(told["smote"].files) == FOLDS


def test_what_was_fitted_is_not_fitted_again(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    before = _fitted(pool, rows, tmp_path, PLAIN)
    made = {path: Path(path).stat().st_mtime_ns for path in before["plain"].files.values()}
    assert _fitted(pool, rows, tmp_path, PLAIN, seconds=0.0) == before
    assert {path: Path(path).stat().st_mtime_ns for path in made} == made


def test_when_the_time_is_up_the_rest_is_late(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    _fitted(pool, rows, tmp_path, PLAIN)
    told = _fitted(pool, rows, tmp_path, PLAIN, SMOTE, seconds=0.0)
    assert told["plain"].note == ""
    assert (told["smote"].late, told["smote"].note) == (True, "the time was up")


class Watched:
    """A pool that notes jobs and limits, and kills the units of some methods at once."""

    def __init__(self, pool: WorkerPool, *killed: str) -> None:
        self._pool = pool
        self._killed = killed
        self.threads = pool.threads
        self.limits: list[tuple[str, float]] = []

    def submit(self, work: Callable[..., Any], job: FoldJob, timeout_s: float) -> Any:
        method = job.candidate.imbalance.kind
        self.limits.append((method, timeout_s))
        if method not in self._killed:
            return self._pool.submit(work, job, timeout_s)
        killed: Future[Any] = Future()
        killed.set_exception(TimeoutError())
        return killed


ADASYN = _variant("adasyn", LogisticRegression(C=1.0), Adasyn())
WEIGHTS = _variant("weights", LogisticRegression(C=1.0), ClassWeights())


def test_no_variant_may_take_the_whole_budget(
    pool: WorkerPool, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.variants.fits, "AT_LEAST_S", 1.0)
    watched = Watched(pool)
    told = _fitted(watched, rows, tmp_path, PLAIN, SMOTE, seconds=3000.0)  # type: ignore[arg-type]
    limits = dict(watched.limits)
    assert limits["none"] == pytest.approx(3000, abs=100)
    expected = max(1.0, TIMES_AS_LONG * told["plain"].seconds / FOLDS)
    assert limits["smote"] == pytest.approx(expected)


def test_a_quick_base_leaves_its_variants_time_all_the_same(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    _fitted(pool, rows, tmp_path, PLAIN)
    for path in tmp_path.rglob("*.seconds"):
        path.write_text("0.001")
    watched = Watched(pool)
    _fitted(watched, rows, tmp_path, PLAIN, SMOTE)  # type: ignore[arg-type]
    assert watched.limits == [("smote", 60.0)] * FOLDS


def test_a_variant_that_took_too_long_says_so_and_is_left_out(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    watched = Watched(pool, "adasyn")
    told = _fitted(watched, rows, tmp_path, PLAIN, ADASYN, SMOTE)  # type: ignore[arg-type]
    assert told["adasyn"].note.startswith("stopped: a fold took more than")
    assert (told["adasyn"].files, told["adasyn"].late) == ({}, False)
    assert len(told["smote"].files) == FOLDS


def test_methods_that_compare_all_rows_come_last(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told = _fitted(pool, rows, tmp_path, PLAIN, ADASYN, WEIGHTS, SMOTE)
    assert list(told) == ["plain", "weights", "smote", "adasyn"]


def test_where_the_base_fails_nothing_else_is_fitted(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    assert list(_fitted(pool, rows, tmp_path, BROKEN, PLAIN, SMOTE)) == ["broken"]
