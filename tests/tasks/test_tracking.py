import threading

import pytest
from mlflow import MlflowClient

from schemas.faults import NightFailed
from schemas.trials import StudyResult, TrialRecord
from tasks.tracking import Tracker, without_secrets


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
        f"sqlite:///{tmp_path}/m.db", str(tmp_path / "artifacts"), "nightshift/t", {"k": "v"}
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
    assert parent.data.metrics["best_val_macro_f1"] == 0.75
    assert parent.info.status == "FINISHED"
    nested = client.search_runs([tracker.experiment_id], f"tags.`mlflow.parentRunId` = '{study}'")
    assert {run.info.run_name for run in nested} == {"LightGBM_Trial_0", "LightGBM_Trial_1"}
    assert nested[0].data.params == {"classifier.C": "1.0"}
    assert nested[0].data.metrics["fold_1_macro_f1"] == 0.6


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

    threads = [threading.Thread(target=log, args=(kind,)) for kind in ("lightgbm", "a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.trouble == ""
    assert len(client.search_runs([tracker.experiment_id])) == 33


def test_a_server_that_is_down_stops_no_study_but_fails_the_promotion(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker = Tracker("http://127.0.0.1:9", None, "nightshift/t", {})
    assert tracker.open_study("lightgbm", "s1") == ""
    assert tracker.log_trial("", "lightgbm", _trial(0)) == ""
    with pytest.raises(NightFailed, match=r"127.0.0.1:9 to keep this night.*could not open"):
        tracker.check()


def test_aliases_follow_what_they_are_told(tracker, client, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("x")
    run = tracker.log_night("n", {"m": 1.0, "gone": None}, {"p": 2}, {"a/b.txt": b"x"}, {})
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
    run = tracker.log_night(
        "night", {"macro_f1": 0.5, "auc": None}, {"p": "x" * 9000}, {"challenger/c.csv": b"a"}, {}
    )
    assert client.get_run(run).data.metrics == {"macro_f1": 0.5}
    assert [f.path for f in client.list_artifacts(run, "challenger")] == ["challenger/c.csv"]


def test_a_run_is_linked_where_there_are_pages_for_people(tracker):
    assert tracker.link(None, "r1") == ""
    link = tracker.link("http://127.0.0.1:5000/", "r1")
    assert link == f"http://127.0.0.1:5000/#/experiments/{tracker.experiment_id}/runs/r1"


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
