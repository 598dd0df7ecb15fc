import json
import threading
from pathlib import Path
from urllib.parse import parse_qs

import mlflow
import pytest
from mlflow import MlflowClient

from learning.reports.figures import metrics
from learning.reports.files import judgement_files
from schemas.classifiers import Classifier
from schemas.faults import NightFailed
from schemas.label import Target
from schemas.trials import StudyResult, TrialRecord
from tasks.reporting import tags
from tasks.tracking import Tracker, without_secrets
from tests.learning.kinds import members
from tests.learning.records import CONFUSIONS, LABELS, MOOD, POLARITY, night


def _trial(number: int, score: float = 0.5) -> TrialRecord:
    return TrialRecord(
        number=number,
        state="COMPLETE",
        params={"classifier.C": 1.0},
        score=score,
        fold_scores=(0.4, 0.6),
        oof={0: "0.npy", 1: "1.npy"},
    )


@pytest.fixture
def tracker(tmp_path):
    return Tracker(
        f"sqlite:///{tmp_path}/m.db",
        str(tmp_path / "artifacts"),
        "nightshift/t",
        {"k": "v"},
        "macro-F1",
    )


@pytest.fixture
def client(tracker):
    return MlflowClient(tracker.uri)


def test_a_study_is_one_parent_run_with_nested_trials(tracker, client):
    study = tracker.open_study("lightgbm", "s1")
    for number in (0, 1):
        tracker.log_trial(study, "lightgbm", _trial(number))
    best = _trial(1, 0.75)
    tracker.close_study(
        study, StudyResult(family="lightgbm", trials=(_trial(0), best), best=best, seconds=3.0)
    )
    parent = client.get_run(study)
    assert parent.info.run_name == "LightGBM_Optuna_Study"
    assert parent.data.tags["model_type"] == "LightGBM"
    assert parent.data.tags["experiment_type"] == "advanced_tuning"
    assert parent.data.metrics["best_val_macro_f1"] == parent.data.metrics["best_val_score"] == 0.75
    assert parent.data.tags["best.classifier.C"] == "1.0"
    assert parent.info.status == "FINISHED"
    nested = client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{study}'")
    assert {run.info.run_name for run in nested} == {"LightGBM_Trial_0", "LightGBM_Trial_1"}
    assert nested[0].data.params == {"classifier.C": "1.0"}
    assert nested[0].data.metrics["fold_1_macro_f1"] == 0.6
    assert nested[0].data.metrics["val_macro_f1"] == nested[0].data.metrics["val_score"]


def test_another_objective_gives_the_figures_its_name(tmp_path):
    tracker = Tracker(f"sqlite:///{tmp_path}/m.db", str(tmp_path / "a"), "t", {}, "F2 of 'yes'")
    client = MlflowClient(tracker.uri)
    study = tracker.open_study("xgboost", "s")
    run = tracker.log_trial(study, "xgboost", _trial(0))
    assert client.get_run(study).info.run_name == "XGBoost_Optuna_Study"
    told = client.get_run(run).data.metrics
    assert told["val_f2_of_yes"] == told["val_score"] == 0.5
    assert told["fold_0_f2_of_yes"] == 0.4
    tracker.close_study(study, StudyResult(family="xgboost", trials=(_trial(0),), best=_trial(0)))
    told = client.get_run(study).data.metrics
    assert told["best_val_f2_of_yes"] == told["best_val_score"] == 0.5
    assert "best_val_macro_f1" not in told


@pytest.mark.parametrize("kind", members(Classifier))
def test_every_family_of_a_plan_has_its_name(tracker, client, kind):
    named = client.get_run(tracker.open_study(kind, "s")).info.run_name
    trial = client.get_run(tracker.log_trial(tracker.open_study(kind, "s"), kind, _trial(0)))
    title = members(Classifier)[kind].title
    assert (named, trial.info.run_name) == (f"{title}_Optuna_Study", f"{title}_Trial_0")


def test_a_study_keeps_its_trials_and_their_pictures(tracker, client, tmp_path):
    study = tracker.open_study("lightgbm", "s1")
    trials = tuple(_trial(number, number / 20) for number in range(1, 12))
    tracker.close_study(study, StudyResult(family="lightgbm", trials=trials, best=trials[-1]))
    assert tracker.trouble == ""
    kept = {file.path for file in client.list_artifacts(study)}
    assert kept >= {"trials.csv", "trials.json", "optimization_history.png", "best_params.json"}
    path = client.download_artifacts(study, "best_params.json", str(tmp_path))
    assert json.loads(Path(path).read_text()) == {"classifier.C": 1.0}


def test_a_study_resumed_after_a_crash_is_the_same_run_and_no_trial_stands_twice(tracker, client):
    first = tracker.open_study("lightgbm", "s1")
    tracker.log_trial(first, "lightgbm", _trial(0))
    again = tracker.open_study("lightgbm", "s1")
    tracker.log_trial(again, "lightgbm", _trial(0))
    assert again == first
    runs = client.search_runs([tracker.experiment_id])
    assert sorted(run.info.run_name for run in runs) == [
        "LightGBM_Optuna_Study",
        "LightGBM_Trial_0",
    ]


def test_families_in_threads_lose_no_trial(tracker, client):
    def log(kind: str) -> None:
        study = tracker.open_study(kind, "s")
        for number in range(10):
            tracker.log_trial(study, kind, _trial(number))

    kinds = ("lightgbm", "xgboost", "nb-svm")
    threads = [threading.Thread(target=log, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.trouble == ""
    assert len(client.search_runs([tracker.experiment_id])) == 33


def test_a_server_that_is_down_stops_no_study_but_fails_the_promotion(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker("http://127.0.0.1:9", None, "nightshift/t", {}, "macro-F1")
    assert tracker.open_study("lightgbm", "s1") == ""
    assert tracker.log_trial("", "lightgbm", _trial(0)) == ""
    with pytest.raises(NightFailed, match=r"127.0.0.1:9 to keep this night.*could not open"):
        tracker.check()


def test_aliases_follow_what_they_are_told(tracker, client, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("x")
    run = tracker.log_run("n", {"m": 1.0, "gone": None}, {"p": 2}, {"a/b.txt": b"x"}, {})
    one = tracker.register("t", tmp_path / "model", run, {})
    two = tracker.register("t", tmp_path / "model", run, {})
    tracker.mirror("t", two, one)
    assert client.get_model_version_by_alias("t", "champion").version == int(two)
    assert client.get_model_version_by_alias("t", "previous").version == int(one)
    tracker.mirror("t", one, None)
    assert client.get_model_version_by_alias("t", "champion").version == int(one)
    assert set(client.get_registered_model("t").aliases) == {"champion"}


def test_aliases_of_a_model_that_was_never_registered_are_left_alone(tracker):
    assert tracker.mirror("unknown", "1", None) == ""
    assert tracker.trouble == ""


def test_the_night_keeps_its_files(tracker, client):
    run = tracker.log_run(
        "night", {"macro_f1": 0.5, "auc": None}, {"p": "x" * 9000}, {"challenger/c.csv": b"a"}, {}
    )
    assert client.get_run(run).data.metrics == {"macro_f1": 0.5}
    assert [f.path for f in client.list_artifacts(run, "challenger")] == ["challenger/c.csv"]


def test_more_figures_than_mlflow_takes_at_once_are_all_there(tracker, client):
    figures = {f"label{n}_accuracy": n / 3000 for n in range(2500)}
    params = {f"p{n}": n for n in range(250)}
    run = tracker.log_run("night", figures, params, {}, {})
    assert tracker.trouble == ""
    told = client.get_run(run).data
    assert told.metrics == figures
    assert len(told.params) == 250


def test_every_figure_of_any_night_is_one_that_mlflow_takes(tracker, client, monkeypatch):
    monkeypatch.setitem(CONFUSIONS, "a:b/../c", CONFUSIONS["mood"])
    awkward = Target(name="a:b/../c", class_values=("", "..", "x" * 300), counted=(0, 1, 2))
    for targets in ((POLARITY,), (awkward,), (awkward, MOOD), LABELS):
        told = night(*targets)
        figures = metrics(told)
        run = tracker.log_run("night", figures, {}, judgement_files(told), tags(told))
        assert tracker.trouble == ""
        kept = client.get_run(run).data.metrics
        assert kept == {name: v for name, v in figures.items() if v is not None}


def test_a_run_is_linked_where_there_are_pages_for_people(tracker):
    assert tracker.link(None, "r1") == ""
    link = tracker.link("http://127.0.0.1:5000/", "r1")
    assert link.startswith(f"http://127.0.0.1:5000/#/experiments/{tracker.experiment_id}/runs/r1?")


def test_a_link_opens_the_pages_for_model_training(tracker):
    link = tracker.link("http://127.0.0.1:5000", "r1")
    assert parse_qs(link.partition("?")[2]) == {"workflowType": ["machine_learning"]}
    # What the pages that are installed ask for; another MLflow may ask for something else.
    pages = Path(mlflow.__file__).parent / "server/js/build/static/js"
    (main,) = pages.glob("main.*.js")
    told = main.read_text(encoding="utf-8")
    assert 'get("workflowType")' in told
    assert '"machine_learning"' in told


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:secret@mlflow.example.org/x", "https://mlflow.example.org/x"),
        ("sqlite:////tmp/m.db", "sqlite:////tmp/m.db"),
        ("postgresql://u:p@db:5432/mlflow", "postgresql://db:5432/mlflow"),
    ],
    ids=["server", "file", "database"],
)
def test_no_password_of_an_address_is_shown(uri, shown):
    assert without_secrets(uri) == shown
