"""Variants are fitted on equal folds, and what was fitted once is not fitted again."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from learning.searching.workers import WorkerPool
from learning.variants.fits import Fits, fit_variants
from schemas.classifiers import LogisticRegression
from schemas.dataset import Dataset
from schemas.features import Features, TextFeatures
from schemas.label import SingleLabel
from schemas.manifest import Rows
from schemas.plan import Plan, Search
from schemas.samplers import Imbalance, NoResampling, Smote
from schemas.trials import Candidate
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
