"""A study's memory: nothing finished is lost, nothing stale stays running."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from learning.searching.space import Space, space
from learning.searching.studies import Study
from schemas.classifiers import LightGBM, LogisticRegression
from schemas.faults import PlanError
from schemas.knobs import Range
from schemas.plan import Family, SearchMethod
from schemas.samplers import ClassWeights, Imbalance, NoResampling, Smote
from schemas.trials import TrialRecord
from tests.learning.samples import NUMBERS

FAMILY = Family(classifier=LogisticRegression())
KEPT: tuple[Imbalance, ...] = (NoResampling(), ClassWeights())


def opened(
    folder: Path,
    family: Family = FAMILY,
    knobs: Space | None = None,
    method: SearchMethod = "tpe",
    kept: Sequence[Imbalance] = KEPT,
) -> Study:
    knobs = knobs if knobs is not None else space(family, NUMBERS, kept)
    return Study(family, kept, knobs, folder, name="sample", seed=0, method=method)


def run(study: Study, most: int, stop_after: int = 1000, score: float = 0.5) -> list[TrialRecord]:
    """Trials as the search begins them: until the limit, the end of the list, or a kill."""
    done = list(study.resumed)
    study.plan_ahead([{"classifier.C": 3.0}], most)
    while len(done) < min(study.limit(most), stop_after) and not study.exhausted(most):
        trial, recipe = study.ask()
        done.append(record(trial, score).model_copy(update={"candidate": recipe}))
        study.tell(trial, done[-1])
    return done


def recipes(done: Sequence[TrialRecord]) -> set[str]:
    return {each.candidate.model_dump_json() for each in done if each.candidate is not None}


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


GRID = Family(
    classifier=LightGBM(
        rounds=(50, 100, 200, 400),
        learning_rate=(0.1, 0.2),
        num_leaves=Range(low=8, high=9),
        min_child_samples=5,
        colsample_bytree=0.5,
        reg_lambda=0.1,
    )
)
NONE_KEPT: tuple[Imbalance, ...] = (NoResampling(),)


@pytest.mark.parametrize("most", [1, 16, 100])
def test_a_grid_tries_every_combination_once_and_in_order(most: int, tmp_path: Path) -> None:
    done = run(opened(tmp_path, GRID, method="grid", kept=NONE_KEPT), most)
    assert len(done) == len(recipes(done)) == 16
    assert [each.params for each in done] == [
        {"classifier.rounds": r, "classifier.learning_rate": rate, "classifier.num_leaves": leaves}
        for r in (50, 100, 200, 400)
        for rate in (0.1, 0.2)
        for leaves in (8, 9)
    ]


def test_a_grid_of_strength_penalty_and_solver_has_sixteen_trials(tmp_path: Path) -> None:
    family = Family(
        classifier=LogisticRegression(
            C=(0.1, 1.0, 10.0, 100.0), penalty=("l1", "l2"), solver=("liblinear", "saga")
        )
    )
    done = run(opened(tmp_path, family, method="grid", kept=NONE_KEPT), most=3)
    assert len(done) == len(recipes(done)) == 16


def test_a_grid_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    def again() -> Study:
        return opened(tmp_path, GRID, method="grid", kept=NONE_KEPT)

    assert len(run(again(), most=5, stop_after=7)) == 7
    again().ask()  # under way when the run was killed
    done = run(again(), most=5)
    assert len(done) == len(recipes(done)) == 16
    finished = again()
    assert len(finished.resumed) == 16
    assert finished.exhausted(5)


def test_a_grid_tries_no_recipe_twice_where_a_knob_is_idle(tmp_path: Path) -> None:
    family = Family(classifier=LogisticRegression(C=(0.1, 1.0, 10.0)))
    kept = (NoResampling(), Smote(k_neighbors=(3, 5)))
    done = run(opened(tmp_path, family, method="grid", kept=kept), most=100)
    assert len(done) == len(recipes(done)) == 3 * (1 + 2)


def test_a_grid_of_a_range_of_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"a range of numbers at classifier\.C"):
        opened(tmp_path, method="grid")


def test_a_random_search_draws_as_many_recipes_as_the_plan_says(tmp_path: Path) -> None:
    done = run(opened(tmp_path, method="random"), most=20)
    assert len(done) == len(recipes(done)) == 20
    drawn = [each.params["classifier.C"] for each in done]
    assert not {1.0, 3.0, 10.0} & set(drawn)  # neither first points nor last night's best
    assert {each.params["imbalance"] for each in done} == {"none", "class-weights"}


def test_a_random_search_learns_nothing_from_its_scores(tmp_path: Path) -> None:
    low = run(opened(tmp_path / "low", method="random"), most=20, score=0.1)
    high = run(opened(tmp_path / "high", method="random"), most=20, score=0.9)
    assert [each.params for each in low] == [each.params for each in high]


def test_a_random_search_that_was_killed_goes_on_with_other_recipes(tmp_path: Path) -> None:
    assert len(run(opened(tmp_path, method="random"), most=20, stop_after=8)) == 8
    done = run(opened(tmp_path, method="random"), most=20)
    assert len(done) == len(recipes(done)) == 20


def test_a_random_search_of_a_small_space_ends_when_all_of_it_was_tried(tmp_path: Path) -> None:
    family = Family(classifier=LogisticRegression(C=(0.1, 1.0, 10.0)))
    done = run(opened(tmp_path, family, method="random", kept=NONE_KEPT), most=40)
    assert {each.params["classifier.C"] for each in done} == {0.1, 1.0, 10.0}
    assert len(done) < 10


def test_without_a_search_the_first_choice_and_the_middle_are_tried(tmp_path: Path) -> None:
    for _ in range(2):  # also where the night is started again
        [only] = run(opened(tmp_path, method="none"), most=20)
        assert only.params == {"classifier.C": pytest.approx(10**0.5), "imbalance": "none"}


@pytest.mark.parametrize(
    ("method", "prunes"), [("tpe", True), ("random", False), ("grid", False), ("none", False)]
)
def test_only_who_learns_prunes(method: SearchMethod, prunes: bool, tmp_path: Path) -> None:
    study = opened(tmp_path, GRID, method=method, kept=NONE_KEPT)
    for score in (*[0.9] * 6, 0.1):
        trial, recipe = study.ask()
        trial.report(score, step=1)
        pruned = trial.should_prune()
        study.tell(trial, record(trial, score).model_copy(update={"candidate": recipe}))
    assert bool(pruned) is prunes


def test_another_method_is_another_study(tmp_path: Path) -> None:
    run(opened(tmp_path, GRID, method="random", kept=NONE_KEPT), most=3)
    assert opened(tmp_path, GRID, method="grid", kept=NONE_KEPT).resumed == ()
