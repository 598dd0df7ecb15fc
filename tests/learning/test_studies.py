"""A study's memory: nothing finished is lost, nothing stale stays running."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from learning.space import Space, space
from learning.studies import Study
from schemas.classifiers import LightGBM, LogisticRegression
from schemas.knobs import Range
from schemas.plan import Family
from schemas.samplers import ClassWeights, Imbalance, NoResampling
from schemas.trials import TrialRecord
from tests.learning.samples import NUMBERS

FAMILY = Family(classifier=LogisticRegression())
KEPT: tuple[Imbalance, ...] = (NoResampling(), ClassWeights())


def opened(folder: Path, family: Family = FAMILY, knobs: Space | None = None) -> Study:
    knobs = knobs if knobs is not None else space(family, NUMBERS, KEPT)
    return Study(family, KEPT, knobs, folder, name="sample", seed=0)


def record(trial: optuna.Trial, score: float) -> TrialRecord:
    return TrialRecord(number=trial.number, state="COMPLETE", params=trial.params, score=score)


def states(folder: Path) -> list[TrialState]:
    url = f"sqlite:///{folder / 'logistic-regression.db'}"
    [name] = optuna.get_all_study_names(url)
    loaded = optuna.load_study(study_name=name, storage=url)
    return [trial.state for trial in loaded.get_trials()]


def test_a_record_comes_back_whole(tmp_path: Path) -> None:
    study = opened(tmp_path)
    assert study.resumed == ()
    trial, recipe = study.ask()
    kept = record(trial, 0.5).model_copy(update={"candidate": recipe, "note": "a note"})
    study.tell(trial, kept)
    again = opened(tmp_path)
    assert again.resumed == (kept,)


def test_a_trial_left_running_is_ended_and_queued_again(tmp_path: Path) -> None:
    trial, recipe = opened(tmp_path).ask()
    for _ in range(2):  # also where a run is killed again before it asks
        again = opened(tmp_path)
        assert again.resumed == ()
        assert states(tmp_path) == [TrialState.FAIL]
    again.plan_ahead([], most=10)
    taken_up, same = again.ask()
    assert (taken_up.params, same) == (trial.params, recipe)


def test_a_trial_killed_between_its_record_and_its_end_counts(tmp_path: Path) -> None:
    study = opened(tmp_path)
    trial, _ = study.ask()
    trial.set_user_attr("record", record(trial, 0.25).model_dump_json())
    assert [kept.score for kept in opened(tmp_path).resumed] == [0.25]
    assert states(tmp_path) == [TrialState.COMPLETE]


def test_an_abandoned_trial_leaves_no_record(tmp_path: Path) -> None:
    study = opened(tmp_path)
    trial, _ = study.ask()
    study.abandon(trial)
    assert opened(tmp_path).resumed == ()
    assert states(tmp_path) == [TrialState.FAIL]


def test_the_queue_is_the_cheap_point_last_nights_best_then_the_strong_one(tmp_path: Path) -> None:
    study = opened(tmp_path)
    warm = {"classifier.C": 3.0, "imbalance": "class-weights"}
    study.plan_ahead([warm, warm], most=10)
    asked = [study.ask()[0].params for _ in range(3)]
    assert [point["classifier.C"] for point in asked] == [1.0, 3.0, 10.0]


def test_another_space_is_another_study(tmp_path: Path) -> None:
    study = opened(tmp_path)
    trial, _ = study.ask()
    study.tell(trial, record(trial, 0.5))
    narrower = opened(tmp_path, knobs={"classifier.C": Range(low=1.0, high=2.0)})
    assert narrower.resumed == ()


def test_suggestions_differ_after_a_restart(tmp_path: Path) -> None:
    def two_more() -> set[float]:
        study, found = opened(tmp_path), set()
        for _ in range(2):
            trial, recipe = study.ask()
            kept = record(trial, 0.5).model_copy(update={"candidate": recipe})
            study.tell(trial, kept)
            found.add(trial.params["classifier.C"])
        return found

    assert len(two_more() | two_more()) == 4


@pytest.mark.parametrize("attempt", range(3))
def test_families_open_their_studies_at_the_same_time(attempt: int, tmp_path: Path) -> None:
    families = (FAMILY, Family(classifier=LightGBM()))
    with ThreadPoolExecutor(max_workers=2) as threads:
        studies = [threads.submit(opened, tmp_path, family) for family in families]
        assert all(study.result().resumed == () for study in studies)
    assert {path.name for path in tmp_path.glob("*.db")} == {
        "logistic-regression.db",
        "lightgbm.db",
    }


def test_what_was_tried_is_not_planned_again(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.plan_ahead([], most=10)
    trial, recipe = study.ask()
    study.tell(trial, record(trial, 0.5).model_copy(update={"candidate": recipe}))
    again = opened(tmp_path)
    again.plan_ahead([], most=10)
    assert (trial.params["classifier.C"], again.ask()[0].params["classifier.C"]) == (1.0, 10.0)


def test_a_trial_that_was_cut_off_is_tried_again_first_and_teaches_nothing(tmp_path: Path) -> None:
    study = opened(tmp_path)
    trial, recipe = study.ask()
    short = record(trial, 0.9).model_copy(update={"candidate": recipe, "cut_off": True})
    study.tell(trial, short)
    assert states(tmp_path) == [TrialState.FAIL]
    for _ in range(2):
        again = opened(tmp_path)
        assert again.resumed == (short,)
    again.plan_ahead([], most=10)
    taken_up, same = again.ask()
    assert same == recipe
    whole = record(taken_up, 0.7).model_copy(update={"candidate": recipe})
    again.tell(taken_up, whole)
    assert opened(tmp_path).resumed == (whole,)
    assert states(tmp_path) == [TrialState.FAIL, TrialState.COMPLETE]
