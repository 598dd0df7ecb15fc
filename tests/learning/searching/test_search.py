"""A study keeps its budget, and survives what fails."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

import learning.searching.search
from learning.searching.oof import early_score, read_truth
from learning.searching.workers import WorkerPool
from schemas.classifiers import LightGBM, LogisticRegression
from schemas.faults import NightFailed
from schemas.features import Features, TextFeatures
from schemas.knobs import Range
from schemas.label import Target
from schemas.manifest import Rows
from schemas.objectives import Cost, MacroF1
from schemas.plan import Family, Search
from schemas.samplers import NoResampling
from schemas.trials import TrialRecord
from tests.learning.samples import FOLDS, KINDS, SINGLE, prepared_rows
from tests.learning.searching.studied import LINEAR, Counted, study


def test_a_study_finds_a_best_trial_whose_answers_are_kept(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    told: list[TrialRecord] = []
    result = study(pool, rows, tmp_path, on_trial=told.append)
    assert len(result.trials) == 4
    assert tuple(told) == result.trials
    assert result.best is not None
    assert result.best.score == max(trial.score or 0.0 for trial in result.trials)
    assert (result.best.score or 0.0) > 0.5
    assert sorted(result.best.oof) == list(range(FOLDS))
    assert all(Path(path).is_file() for path in result.best.oof.values())
    assert len(result.best.fold_scores) == FOLDS
    assert "raised the score" in result.last_gain or "all scores" in result.last_gain


def test_equal_seeds_give_equal_trials(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    first, second = (study(pool, rows, tmp_path / name, share=lambda: 1, trials=3) for name in "ab")
    assert [t.params for t in first.trials] == [t.params for t in second.trials]
    assert [t.score for t in first.trials] == [t.score for t in second.trials]


def test_families_share_one_pool_from_their_own_threads(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    boosted = Family(
        classifier=LightGBM(
            rounds=Range(low=5, high=20), num_leaves=4, min_child_samples=2, first=()
        ),
        features=LINEAR.features,
    )
    with ThreadPoolExecutor(max_workers=2) as threads:
        running = [
            threads.submit(study, pool, rows, tmp_path, family=family, share=lambda: 1)
            for family in (LINEAR, boosted)
        ]
        results = [family.result() for family in running]
    assert [result.family for result in results] == ["logistic-regression", "lightgbm"]
    assert [len(result.trials) for result in results] == [4, 4]


def test_a_small_space_ends_when_all_of_it_was_tried(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    small = Family(
        classifier=LogisticRegression(C=(0.1, 1.0), first=()),
        features=Features(text=TextFeatures(weighting="tfidf", ngram_max=(1, 2), min_df=1)),
    )
    result = study(pool, rows, tmp_path, family=small, kept=(NoResampling(),), trials=50)
    points = {tuple(sorted(trial.params.items())) for trial in result.trials}
    assert len(points) == len(result.trials) == 4


def test_a_family_without_open_knobs_is_one_trial(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    settled = Family(
        classifier=LogisticRegression(C=1.0),
        features=Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=1)),
    )
    result = study(pool, rows, tmp_path, family=settled, kept=(NoResampling(),))
    assert [trial.params for trial in result.trials] == [{}]


def test_warm_points_are_tried_right_after_the_cheap_one(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    warm = ({"classifier.C": 5.5, "gone": 3}, {"classifier.C": 500.0})
    result = study(pool, rows, tmp_path, warm=warm, trials=3, share=lambda: 1)
    assert [trial.params["classifier.C"] for trial in result.trials] == [1.0, 5.5, 10.0]


def test_nothing_is_started_that_can_not_end_in_time(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    clock = iter([0.0] * 30 + [4.0 * at for at in range(10_000)])
    result = study(
        pool,
        rows,
        tmp_path,
        deadline=lambda: 100.0,
        now=lambda: next(clock),
        trials=1000,
        share=lambda: 1,
    )
    assert len(result.trials) < 1000


def test_an_unpromising_trial_is_pruned_between_folds(
    pool: WorkerPool, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = iter(range(1000))
    monkeypatch.setattr(
        learning.searching.search, "early_score", lambda *_: 1.0 - next(worse) / 1000
    )
    result = study(pool, rows, tmp_path, trials=8, share=lambda: 1)
    pruned = [trial for trial in result.trials if trial.state == "PRUNED"]
    assert len(pruned) == 3
    assert all(trial.note == f"below the median after 1 of {FOLDS} folds" for trial in pruned)
    assert all(len(trial.fold_scores) == len(trial.oof) == 1 for trial in pruned)


def test_offsets_are_cross_fitted_once_a_trial_and_folds_are_told_early_scores(
    pool: WorkerPool, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = learning.searching.search.score_oof
    asked: list[int] = []

    def counted(truth: Any, files: Any) -> Any:
        asked.append(len(files))
        return scored(truth, files)

    monkeypatch.setattr(learning.searching.search, "score_oof", counted)
    folds: list[tuple[float, float, bool]] = []
    result = study(
        pool, rows, tmp_path, trials=2, share=lambda: 1, on_fold=lambda *fold: folds.append(fold)
    )
    assert asked == [FOLDS] * 2
    assert [whole for *_, whole in folds] == [False, False, True] * 2
    assert [score for score, _, whole in folds if whole] == [t.score for t in result.trials]
    truth = read_truth(rows, SINGLE, MacroF1())
    for trial, told in zip(result.trials, (folds[:2], folds[3:5]), strict=True):
        for done, (score, *_) in enumerate(told, start=1):
            files = {fold: trial.oof[fold] for fold in range(done)}
            assert score == early_score(truth, files)


def test_failing_first_trials_end_the_family_with_the_reason(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    gone = rows.model_copy(update={"digest": "gone"})
    broken = Family(
        classifier=LightGBM(
            rounds=Range(low=10, high=20), num_leaves=31, max_bin=2, reg_lambda=0.1, first=()
        )
    )

    class Failing(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            return self._pool.submit(refuse, job, timeout_s)

    told = "lightgbm has a score; the first 5 trials failed: ValueError: no"
    with pytest.raises(NightFailed, match=told):
        study(Failing(pool), gone, tmp_path, family=broken, trials=20)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "choices", "failed"), [("none", (1.0, 2.0), 1), ("grid", (1.0, 2.0, 3.0), 3)]
)
def test_few_trials_that_all_fail_end_the_family_too(
    method: Any,
    choices: tuple[float, ...],
    failed: int,
    pool: WorkerPool,
    rows: Rows,
    tmp_path: Path,
) -> None:
    family = Family(
        classifier=LogisticRegression(C=choices, penalty="l1"),  # by lbfgs
        features=Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=1)),
    )
    how = Search(folds=FOLDS, method=method)
    told = f"has a score; {failed} of {failed} trials failed: ValueError"
    for _ in "ab":  # also where an earlier run has tried them all
        with pytest.raises(NightFailed, match=told):
            study(pool, rows, tmp_path, family=family, kept=(NoResampling(),), search=how)


def refuse(job: Any) -> None:
    from learning.searching.folds import FitFailed

    raise FitFailed("ValueError: no")


def test_one_failing_trial_does_not_end_the_search(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    class Once(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            self.jobs.append(job)
            return self._pool.submit(refuse if len(self.jobs) == 1 else work, job, timeout_s)

    result = study(Once(pool), rows, tmp_path, trials=3, share=lambda: 1)  # type: ignore[arg-type]
    assert [trial.state for trial in result.trials] == ["FAIL", "COMPLETE", "COMPLETE"]
    assert result.trials[0].note == "ValueError: no"


def test_a_defect_of_ours_goes_up(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    class Broken(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            return self._pool.submit(attrgetter("nothing_of_the_kind"), job, timeout_s)

    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        study(Broken(pool), rows, tmp_path)  # type: ignore[arg-type]


def test_rows_that_are_gone_fail_the_study(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    class Elsewhere(Counted):
        def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
            return self._pool.submit(work, job.model_copy(update={"rows": "/none"}), timeout_s)

    with pytest.raises(NightFailed, match=r"got one that is gone .* Start the night again"):
        study(Elsewhere(pool), rows, tmp_path)  # type: ignore[arg-type]


def test_the_deadline_kills_what_still_runs(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    endless = Family(
        classifier=LightGBM(
            rounds=2_000_000, num_leaves=31, learning_rate=0.1, min_child_samples=1, first=()
        )
    )
    started = time.monotonic()
    result = study(pool, rows, tmp_path, family=endless, seconds=3.0)
    assert time.monotonic() - started < 6
    assert result.best is None
    assert result.trials == ()


class Stopped(Counted):
    """A pool that kills the unit of this number at once."""

    def __init__(self, pool: WorkerPool, number: int, then: Callable[[], None]) -> None:
        super().__init__(pool)
        self._number = number
        self._then = then

    def submit(self, work: Callable[..., Any], job: Any, timeout_s: float) -> Any:
        self.jobs.append(job)
        if len(self.jobs) != self._number:
            return self._pool.submit(work, job, timeout_s)
        killed: Future[Any] = Future()
        killed.set_exception(TimeoutError())
        self._then()
        return killed


def test_a_unit_killed_at_a_deadline_that_has_moved_on_is_fitted_again(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    limits = [time.monotonic() + 30]
    stopping = Stopped(pool, 2, then=lambda: limits.append(time.monotonic() + 300))
    result = study(
        stopping,  # type: ignore[arg-type]
        rows,
        tmp_path,
        trials=1,
        share=lambda: 1,
        deadline=lambda: limits[-1],
    )
    assert [trial.state for trial in result.trials] == ["COMPLETE"]
    assert [job.fold for job in stopping.jobs] == [0, 1, 2, 1]
    assert not result.trials[0].cut_off


def test_a_unit_that_takes_many_times_as_long_as_the_others_fails_its_trial(
    pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    stopping = Stopped(pool, 2, then=lambda: None)
    result = study(
        stopping,  # type: ignore[arg-type]
        rows,
        tmp_path,
        trials=2,
        share=lambda: 1,
        seconds=3600.0,
    )
    assert [trial.state for trial in result.trials] == ["FAIL", "COMPLETE"]
    assert "many times as long" in result.trials[0].note


def test_a_family_without_a_share_ends(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    assert study(pool, rows, tmp_path, share=lambda: 0).trials == ()


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_every_label_kind_is_searched(
    asked: tuple[Target, ...], pool: WorkerPool, tmp_path: Path
) -> None:
    rows = prepared_rows(tmp_path / "rows", asked=asked)
    found = study(pool, rows, tmp_path, trials=2, targets=asked)
    assert found.best is not None
    assert found.best.score is not None
    assert 0.4 < found.best.score <= 1
    assert len(found.best.fold_scores) == FOLDS


def test_a_score_below_zero_is_a_score_too(pool: WorkerPool, rows: Rows, tmp_path: Path) -> None:
    costs = Cost(costs={"-1": {"0": 9.0, "1": 9.0}})
    found = study(pool, rows, tmp_path, trials=2, objective=costs)
    assert found.best is not None
    assert found.best.score is not None
    assert found.best.score < 0


@pytest.mark.parametrize(("method", "trials"), [("none", 1), ("random", 3)])
def test_other_search_methods_end_after_their_trials(
    method: str, trials: int, pool: WorkerPool, rows: Rows, tmp_path: Path
) -> None:
    how = Search(folds=FOLDS, trials=3, method=method)  # type: ignore[arg-type]
    found = study(pool, rows, tmp_path, search=how)
    assert [trial.state for trial in found.trials] == ["COMPLETE"] * trials


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_an_early_score_is_near_the_whole_one(
    asked: tuple[Target, ...], pool: WorkerPool, tmp_path: Path
) -> None:
    rows = prepared_rows(tmp_path / "rows", rows=600, asked=asked)
    found = study(pool, rows, tmp_path, trials=1, targets=asked)
    assert found.best is not None
    truth = read_truth(rows, asked, MacroF1())
    early = early_score(truth, found.best.oof)
    assert early == pytest.approx(found.best.score, abs=0.06)
    assert early >= (found.best.plain_score or 0.0) - 0.02
