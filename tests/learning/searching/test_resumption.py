"""A study that was killed, or cut off, comes back and repeats nothing that was finished."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import learning.searching.search
from learning.searching.oof import early_score, read_truth
from learning.searching.workers import WorkerPool
from schemas.manifest import Rows
from schemas.objectives import MacroF1
from schemas.trials import StudyResult, TrialRecord
from tests.learning.samples import FOLDS, SINGLE
from tests.learning.searching.studied import Counted, study


def test_finished_trials_are_never_repeated(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    before = study(pool, rows, tmp_path, trials=3)
    counted = Counted(pool)
    after = study(counted, rows, tmp_path, trials=3)  # type: ignore[arg-type]
    assert counted.jobs == []
    assert after.resumed == 3
    assert sorted(after.trials, key=lambda t: t.number) == sorted(
        before.trials, key=lambda t: t.number
    )
    more = study(counted, rows, tmp_path, trials=5)  # type: ignore[arg-type]
    old = {trial.params["classifier.C"] for trial in before.trials}
    new = {trial.params["classifier.C"] for trial in more.trials[3:]}
    assert (more.resumed, len(more.trials), old & new) == (3, 5, set())


class Killed(BaseException):
    """What ends a process without a chance to tidy."""


def test_a_killed_trial_is_tried_again_and_its_finished_folds_are_kept(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    class Dying(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            if len(self.jobs) == 5:  # one trial done, two folds of the next
                raise Killed
            return super().submit(work, job, timeout_s)

    dying, counted = Dying(pool), Counted(pool)
    one = {"share": lambda: 1}
    with pytest.raises(Killed):
        study(dying, rows, tmp_path, **one)  # type: ignore[arg-type]
    result = study(counted, rows, tmp_path, trials=2, **one)  # type: ignore[arg-type]
    assert result.resumed == 1
    assert [trial.state for trial in result.trials] == ["COMPLETE"] * 2
    assert [job.fold for job in counted.jobs] == [2]
    assert counted.jobs[0].candidate == dying.jobs[-1].candidate == result.trials[1].candidate


def test_a_trial_whose_answers_were_deleted_is_tried_again(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    before = study(pool, rows, tmp_path, trials=2)
    lost = before.trials[0]
    Path(lost.oof[1]).unlink()
    after = study(pool, rows, tmp_path, trials=2)
    assert after.resumed == 1
    assert after.trials[1].params == lost.params
    assert after.trials[1].score == lost.score


def test_a_trial_that_the_end_cuts_off_counts_with_the_folds_it_has(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    folds: list[float] = []
    until = time.monotonic() + 60
    result = study(
        pool,
        rows,
        tmp_path,
        share=lambda: 1,
        on_fold=lambda score, seconds, whole: folds.append(score),
        deadline=lambda: 0.0 if folds else until,
    )
    assert result.best is not None
    assert folds == [early_score(read_truth(rows, SINGLE, MacroF1()), result.best.oof)]
    assert len(result.best.fold_scores) == 1
    assert len(result.best.oof) == 1
    assert result.best.cut_off
    assert result.best.note == f"the time was up: scored on 1 of {FOLDS} folds"
    assert result.last_gain == ""


def test_a_trial_cut_off_because_its_family_gave_way_says_so(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    result = cut_off(pool, rows, tmp_path)
    assert result.best is not None
    assert result.best.note == f"its family gave way to a better one: scored on 1 of {FOLDS} folds"


def cut_off(pool: WorkerPool, rows: Rows, folder: Path) -> StudyResult:
    """One trial with one fold, and the family gives way."""
    folds: list[float] = []
    return study(
        pool,
        rows,
        folder,
        share=lambda: 0 if folds else 1,
        on_fold=lambda score, seconds, whole: folds.append(score),
    )


def test_a_trial_that_was_cut_off_is_finished_by_the_next_run(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    [short] = cut_off(pool, rows, tmp_path).trials
    counted = Counted(pool)
    again = study(counted, rows, tmp_path, trials=1, share=lambda: 1)  # type: ignore[arg-type]
    [whole] = again.trials
    assert [job.fold for job in counted.jobs] == [1, 2]
    assert (whole.params, whole.candidate) == (short.params, short.candidate)
    assert not whole.cut_off
    assert sorted(whole.oof) == list(range(FOLDS))
    assert whole.seconds > short.seconds > 0
    assert again.resumed == 0
    last = study(counted, rows, tmp_path, trials=1, share=lambda: 1)  # type: ignore[arg-type]
    assert (last.trials, last.resumed, len(counted.jobs)) == ((whole,), 1, 2)


def test_a_trial_that_was_cut_off_stays_where_there_is_no_time_to_finish_it(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    [short] = cut_off(pool, rows, tmp_path).trials
    for _ in range(2):
        again = study(pool, rows, tmp_path, seconds=0.0)
        assert (again.trials, again.best, again.resumed) == ((short,), short, 1)


def test_what_an_earlier_run_learned_is_told_again_before_anything_new(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    before = study(pool, rows, tmp_path, trials=2)
    kept: list[TrialRecord] = []
    new: list[TrialRecord] = []
    folds: list[tuple[float, float, bool]] = []

    def tell(record: TrialRecord) -> None:
        assert len(kept) == 2
        new.append(record)

    after = study(
        pool,
        rows,
        tmp_path,
        trials=3,
        on_kept=kept.append,
        on_trial=tell,
        on_fold=lambda *fold: folds.append(fold),
    )
    assert [*kept, *new] == list(after.trials)
    assert sorted(kept, key=lambda t: t.number) == sorted(before.trials, key=lambda t: t.number)
    assert folds[:2] == [(t.score, t.seconds / FOLDS, True) for t in kept]
    assert all(seconds > 0 for _, seconds, _ in folds)


def test_an_earlier_runs_best_is_no_gain_of_this_one(
    pool: WorkerPool, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study(pool, rows, tmp_path, trials=2)
    assert study(pool, rows, tmp_path, trials=2).last_gain == ""
    scored = learning.searching.search.score_oof

    def worse(truth: Any, files: Any) -> Any:
        found = scored(truth, files)
        return type(found)(**{**vars(found), "score": 0.1})

    monkeypatch.setattr(learning.searching.search, "score_oof", worse)
    assert "raised the score by 0.0000" in study(pool, rows, tmp_path, trials=3).last_gain


def test_folds_of_a_killed_trial_keep_what_they_took(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    class Dying(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            if len(self.jobs) == 2:
                raise Killed
            return super().submit(work, job, timeout_s)

    folds: list[float] = []
    with pytest.raises(Killed):
        study(Dying(pool), rows, tmp_path, share=lambda: 1)  # type: ignore[arg-type]
    study(
        pool, rows, tmp_path, trials=1, on_fold=lambda score, seconds, whole: folds.append(seconds)
    )
    assert len(folds) == FOLDS
    assert min(folds) > 0
