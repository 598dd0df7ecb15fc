"""What a person reads of a study's progress, and of a fit that comes to nothing."""

import logging
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

import tasks.tuning
from learning.searching.workers import WorkerPool
from schemas.classifiers import LogisticRegression
from schemas.faults import NightFailed
from schemas.features import Features
from schemas.label import SingleLabel, targets
from schemas.objectives import FBeta, MacroF1
from schemas.samplers import ClassWeights
from schemas.trials import Candidate, StudyResult, TrialRecord
from tasks.tuning import _Progress, fit_final, tune

TARGETS = targets(SingleLabel(column="label", classes=("no", "yes")))
PLAN: Any = SimpleNamespace(name="sample_plan", targets=TARGETS, objective=MacroF1())
RECIPE = Candidate(
    features=Features(), imbalance=ClassWeights(), classifier=LogisticRegression(C=1.0)
)


def trial(number: int, score: float, **facts: Any) -> TrialRecord:
    return TrialRecord(number=number, state="COMPLETE", params={}, score=score, **facts)


def test_an_objective_of_a_class_is_no_markup_in_a_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(tasks.tuning, "create_progress_artifact", lambda *a, **k: uuid4())
    monkeypatch.setattr(
        tasks.tuning, "update_progress_artifact", lambda *a, description: told.append(description)
    )
    plan: Any = SimpleNamespace(name="p", targets=TARGETS, objective=FBeta(of="<img src=x>"))
    budget = SimpleNamespace(elapsed_s=1.0, started=0.0, deadline=lambda: 60.0)
    bench: Any = SimpleNamespace(plan=plan, budget=budget)
    _Progress("lightgbm", bench).tell(trial(0, 0.8))
    assert told == ["lightgbm: 1 trial, best F1 of '&lt;img src=x&gt;' 0.8000"]


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> _Progress:
    monkeypatch.setattr(tasks.tuning, "create_progress_artifact", lambda *a, **k: uuid4())
    monkeypatch.setattr(tasks.tuning, "update_progress_artifact", lambda *a, **k: None)
    budget = SimpleNamespace(elapsed_s=1.0, started=0.0, deadline=lambda: 60.0)
    bench: Any = SimpleNamespace(plan=PLAN, budget=budget)
    return _Progress("lightgbm", bench)


def test_trials_of_an_earlier_run_are_counted_apart_and_are_no_news(progress: _Progress) -> None:
    progress.keep(trial(0, 0.8))
    progress.keep(trial(1, 0.7))
    assert not progress.tell(trial(2, 0.75))
    assert progress.line == (
        "lightgbm: 3 trials, 2 of them kept from an earlier run, best macro-F1 0.8000"
    )
    assert progress.tell(trial(3, 0.9))


def test_a_first_run_speaks_of_no_earlier_one(progress: _Progress) -> None:
    assert progress.tell(trial(0, 0.8))
    assert progress.line == "lightgbm: 1 trial, best macro-F1 0.8000"


def test_a_trial_that_is_finished_now_is_no_longer_one_of_the_earlier_run(
    progress: _Progress,
) -> None:
    progress.keep(trial(0, 0.9, candidate=RECIPE, cut_off=True))
    progress.tell(trial(1, 0.7, candidate=RECIPE))
    assert progress.line == "lightgbm: 1 trial, best macro-F1 0.7000"


def test_trials_of_an_earlier_run_are_logged_and_shared_like_new_ones(
    progress: _Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[int] = []
    learned: list[int] = []
    old, new = trial(0, 0.8), trial(1, 0.7)
    result = StudyResult(family="lightgbm", trials=(old, new), best=old, resumed=1)

    def run(family: Any, **given: Any) -> StudyResult:
        given["on_kept"](old)
        given["on_trial"](new)
        return result

    studies: Any = SimpleNamespace(
        open_study=lambda family, study: "run",
        log_trial=lambda run, family, trial: logged.append(trial.number),
        close_study=lambda run, study: run,
    )
    shares = SimpleNamespace(learn=lambda kind, t: learned.append(t.number), leave=lambda kind: 0)
    plan = SimpleNamespace(
        dataset=SimpleNamespace(columns={}), targets=TARGETS, objective=MacroF1(), search=None
    )
    bench: Any = SimpleNamespace(
        plan=plan,
        rows=None,
        pool=None,
        folder=None,
        study="s",
        shares=shares,
        budget=SimpleNamespace(deadline=lambda: 60.0),
        vectors=None,
    )
    monkeypatch.setattr(tasks.tuning, "run_study", run)
    monkeypatch.setattr(tasks.tuning, "_Progress", lambda kind, bench: progress)
    monkeypatch.setattr(tasks.tuning, "get_run_logger", lambda: logging.getLogger("test"))
    assert tune.fn("lightgbm", None, (), (), bench, studies) == result  # type: ignore[arg-type]
    assert logged == learned == [0, 1]
    assert "2 trials, 1 of them kept from an earlier run" in progress.line


def _pid(_: int) -> int:
    return os.getpid()


def test_a_fit_that_no_worker_takes_up_ends_with_what_to_do(tmp_path: Path) -> None:
    recipe = trial(3, 0.8, candidate=RECIPE)
    plan = SimpleNamespace(
        dataset=SimpleNamespace(columns={}),
        targets=TARGETS,
        objective=MacroF1(),
        calibration="none",
        search=SimpleNamespace(seed=0),
    )
    rows = SimpleNamespace(train="train.parquet", n_train=10)
    with WorkerPool(workers=1, threads=1, start_s=0.5) as pool:
        worker = pool.submit(_pid, 0, timeout_s=30).result(timeout=30)
        os.kill(worker, signal.SIGSTOP)
        bench: Any = SimpleNamespace(
            plan=plan,
            rows=rows,
            pool=pool,
            folder=tmp_path,
            budget=SimpleNamespace(patience_s=1.0),
            vectors=None,
        )
        with pytest.raises(NightFailed, match="trial 3 was not fitted: no worker process"):
            fit_final.fn("trial 3", recipe, 1, bench)
