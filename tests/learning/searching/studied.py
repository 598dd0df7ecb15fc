"""One small study, and a pool that watches what it asks for."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from learning.searching.search import run_study
from learning.searching.workers import WorkerPool
from schemas.classifiers import LogisticRegression
from schemas.features import Features, TextFeatures
from schemas.knobs import Range
from schemas.manifest import Rows
from schemas.objectives import MacroF1
from schemas.plan import Family, Search
from schemas.samplers import ClassWeights, NoResampling
from schemas.trials import StudyResult
from tests.learning.samples import COLUMNS, FOLDS, SINGLE

LINEAR = Family(
    classifier=LogisticRegression(C=Range(low=0.1, high=10.0, log=True)),
    features=Features(text=TextFeatures(weighting="tfidf", ngram_max=(1, 2), min_df=1)),
)


def study(pool: WorkerPool, rows: Rows, folder: Path, **changes: Any) -> StudyResult:
    until = time.monotonic() + changes.pop("seconds", 60.0)
    given: dict[str, Any] = {
        "family": LINEAR,
        "kept": (NoResampling(), ClassWeights(exponent=Range(low=0.0, high=1.0))),
        "rows": rows,
        "columns": COLUMNS,
        "targets": SINGLE,
        "objective": MacroF1(),
        "search": Search(folds=FOLDS, trials=changes.pop("trials", 4)),
        "pool": pool,
        "deadline": lambda: until,
        "folder": folder,
        "study_name": "sample",
        "warm": (),
        "on_trial": lambda record: None,
        "on_kept": lambda record: None,
        "on_fold": lambda score, seconds, whole: None,
        "on_epoch": lambda epoch: None,
        "share": lambda: 2,
    }
    return run_study(**(given | changes))


class Counted:
    """A pool that counts the units it was given."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self.threads = pool.threads
        self.jobs: list[Any] = []

    def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
        self.jobs.append(job)
        return self._pool.submit(work, job, timeout_s)
