"""Networks are heard while they fit: ended between epochs, asked to end, killed, and taken up."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learning.searching.channel import ask_to_end, take_back, tell_epoch, told_epochs
from learning.searching.flights import EpochTold
from learning.searching.folds import fit_fold
from learning.searching.workers import LOST, WorkerPool
from schemas.faults import FitInterrupted
from schemas.features import Features
from schemas.manifest import Rows
from schemas.plan import Family, Search
from schemas.samplers import NoResampling
from schemas.trials import Candidate, FitEpoch, FoldJob, FoldResult, StudyResult
from tests.learning.neural.tiny import make_bert, settled
from tests.learning.samples import COLUMNS, SINGLE, prepared_rows
from tests.learning.searching.studied import study
from tests.learning.searching.test_network_search import NETWORK, Answering

TRAINING = {"learning_rate": 5e-4, "batch_size": 2, "validation_share": 0.25}


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("few"), rows=90)


@pytest.fixture(scope="module")
def one_worker() -> Iterator[WorkerPool]:
    with WorkerPool(1, threads=1, preload=("learning.neural.estimator",)) as running:
        running.submit(_pid, 0, timeout_s=120).result(timeout=120)
        yield running


def _pid(_: int) -> int:
    return os.getpid()


class Speaking(Answering):
    """Folds tell three epochs and answer; those of the last trial only tell, and run on."""

    def __init__(self, trials: int, usual: tuple[float, ...], last: tuple[float, ...]) -> None:
        super().__init__()
        self.begun: dict[str, int] = {}
        self.trials, self.usual, self.last = trials, usual, last
        self.running: list[Future[FoldResult]] = []

    def submit(
        self, work: Callable[..., Any], job: FoldJob, timeout_s: float
    ) -> Future[FoldResult]:
        place = self.begun.setdefault(job.candidate.model_dump_json(), len(self.begun))
        is_last = place == self.trials - 1
        for number, score in enumerate(self.last if is_last else self.usual, start=1):
            tell_epoch(Path(job.out), _epoch(number, score))
        if not is_last:
            return super().submit(work, job, timeout_s)
        self.running.append(Future())
        self.running[-1].set_running_or_notify_cancel()
        return self.running[-1]


def _epoch(number: int, score: float) -> FitEpoch:
    return FitEpoch(
        epoch=number, train_loss=0.5, learning_rate=1e-3, seconds=1.0, macro_f1=(score,),
        class_f1=((score,) * 3,),
    )  # fmt: skip


def searched(
    few: Rows, folder: Path, last: tuple[float, ...], seconds: float = 60.0
) -> tuple[StudyResult, list[EpochTold]]:
    pool: Any = Speaking(6, usual=(0.3, 0.5, 0.6), last=last)
    heard: list[EpochTold] = []
    found = study(
        pool, few, folder, family=NETWORK, kept=(), share=lambda: 3, trials=6,
        on_epoch=heard.append, seconds=seconds,
    )  # fmt: skip
    return found, heard


def test_a_trial_below_the_median_of_an_epoch_ends_in_it(few: Rows, tmp_path: Path) -> None:
    found, heard = searched(few, tmp_path, last=(0.3, 0.35))
    assert [trial.state for trial in found.trials] == ["COMPLETE"] * 5 + ["PRUNED"]
    assert found.trials[-1].note == "below the median after epoch 2 of a fold"
    assert len(heard) == 5 * 3 * 3 + 3 * 2
    assert {told.fold for told in heard} == {0, 1, 2}


def test_a_trial_that_caught_up_goes_on(few: Rows, tmp_path: Path) -> None:
    found, _ = searched(few, tmp_path, last=(0.3, 0.5, 0.61), seconds=4.0)
    assert [trial.state for trial in found.trials] == ["COMPLETE"] * 5


def job(bert: Path, rows: Rows, out: Path, epochs: int) -> FoldJob:
    spec = settled(bert, training={**TRAINING, "epochs": epochs})
    recipe = Candidate(features=Features(), imbalance=NoResampling(), classifier=spec)
    return FoldJob(
        candidate=recipe, columns=COLUMNS, targets=SINGLE, rows=rows.train, fold=1, seed=3,
        threads=1, out=str(out),
    )  # fmt: skip


def numbers(out: Path) -> list[int]:
    """Epochs in the order in which they were told."""
    lines = out.with_suffix(".epochs").read_text().split()
    return [json.loads(line)["epoch"] for line in lines]


def test_a_fold_whose_worker_is_killed_in_an_epoch_goes_on_in_the_next_run(
    bert: Path, few: Rows, one_worker: WorkerPool, tmp_path: Path
) -> None:
    out = tmp_path / "killed" / "answers.npy"
    asked = job(bert, few, out, epochs=12)
    worker = one_worker.submit(_pid, 0, timeout_s=60).result(timeout=60)
    fit = one_worker.submit(fit_fold, asked, timeout_s=120)
    _until(lambda: len(told_epochs(out)) >= 2)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(LOST, match="Abnormal termination"):
        fit.result(timeout=60)
    before = numbers(out)
    assert not out.exists()
    fit_fold(asked)
    after = numbers(out)[len(before) :]
    assert after[0] in (before[-1], before[-1] + 1)  # whether the last was kept before the kill
    assert after[-1] == 12
    whole = job(bert, few, tmp_path / "whole" / "answers.npy", epochs=12)
    fit_fold(whole)
    np.testing.assert_array_equal(np.load(out), np.load(whole.out))
    assert not out.with_suffix(".checkpoints").exists()


def test_a_fold_that_is_asked_to_end_keeps_its_step_and_goes_on(
    bert: Path, few: Rows, tmp_path: Path
) -> None:
    out = tmp_path / "asked" / "answers.npy"
    asked = job(bert, few, out, epochs=2)
    ask_to_end(out)
    with pytest.raises(FitInterrupted, match="after step 1 of"):
        fit_fold(asked)
    (kept,) = out.parent.rglob("checkpoint-*")
    assert kept.name == "checkpoint-1"
    assert told_epochs(out) == ()
    take_back(out)
    assert fit_fold(asked).rows == 30
    assert numbers(out) == [1, 2]


def test_what_the_deadline_ends_is_kept_and_taken_up_by_the_next_run(
    bert: Path, few: Rows, one_worker: WorkerPool, tmp_path: Path
) -> None:
    spec = settled(bert, training={**TRAINING, "epochs": 24}).model_copy(update={"first": ()})
    given: dict[str, Any] = {
        "family": Family(classifier=spec), "kept": (), "share": lambda: 1,
        "search": Search(method="none", folds=2),
    }  # fmt: skip
    begun = time.monotonic()
    ends = [begun + 120.0]

    def deadline() -> float:
        """A second after the first epoch was told; notice is given some seconds before it."""
        if list(tmp_path.glob("oof/*.epochs")):
            ends.append(min(ends[-1], time.monotonic() + 1.0))
        return ends[-1]

    first = study(one_worker, few, tmp_path, **given, deadline=deadline)
    assert first.trials == ()
    (asked,) = (tmp_path / "oof").glob("*.end")
    out = asked.with_suffix(".npy")
    before = numbers(out)
    assert before[0] == 1
    assert before[-1] < 24
    assert list(out.with_suffix(".checkpoints").rglob("checkpoint-*"))
    second = study(one_worker, few, tmp_path, **given, seconds=240.0)
    assert [trial.state for trial in second.trials] == ["COMPLETE"]
    assert numbers(out) == list(range(1, 25))
    assert not list((tmp_path / "oof").glob("*.end"))
    assert not list((tmp_path / "oof").glob("*.checkpoints"))


def _until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.005)
