"""Whole nights, small ones, against a Prefect test server, real MLflow and real workers."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.train import run_nights, train
from learning.keeping.models import training_keys
from learning.rows.sides import read_side
from schemas.faults import NightFailed
from tasks.ledger.champions import champion, move_champion
from tasks.registry import versions
from tasks.storage import LocalStore, open_store

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def client(world):
    return lambda: MlflowClient(f"sqlite:///{world.root}/home/mlflow/mlflow.db")


def _state(world):
    return open_store(str(world.root / "home" / "state"))


def test_a_first_night_promotes_and_the_second_is_skipped(world):
    first = world.night()
    assert first.outcome == "promoted", first.reasons
    assert (first.champion_before, first.champion_after) == (None, 1)
    assert first.figures["challenger_macro_f1"] > 0.8
    second = world.night()
    assert second.outcome == "skipped"
    assert "no new data: 1 objects" in second.reasons[0]
    assert [record.outcome for record in world.history()] == ["promoted", "skipped"]
    assert world.champion().version == 1


def test_new_rows_bring_a_night_that_judges_against_the_champion(world):
    world.night()
    world.drop("2026-01-02.csv", rows=60, seed=1)
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}
    assert record.changes.new == ("2026-01-02.csv",)
    assert record.champion_before == 1
    assert record.verdict.reference == "version 1"
    assert "champion_macro_f1" in record.figures
    assert len(versions(_state(world), "tiny")) == 2


def test_a_challenger_that_answers_the_same_is_a_tie_and_keeps_the_champion(world):
    world.drop("2026-01-01.csv", shift=30.0)  # nobody errs
    world.night()
    record = world.night(force=True)
    assert record.outcome == "held"
    assert record.champion_after == 1
    assert world.champion().version == 1


def test_a_changed_plan_is_news_but_another_budget_is_not(world):
    world.night()
    assert world.night(budget_minutes=2.0).outcome == "skipped"
    world.write_plan(gate={"confidence": 0.9})
    assert world.night().outcome != "skipped"


def test_the_champion_never_saw_a_row_of_any_later_holdout(world):
    world.night()
    for day in range(2, 4):
        world.drop(f"2026-01-0{day}.csv", rows=80, seed=day)
        world.night()
    kept = versions(_state(world), "tiny")
    holdouts = [
        set(read_side(str(path), ["__key"])["__key"].to_pylist())
        for path in (world.root / "home").rglob("holdout.parquet")
    ]
    assert len(kept) == len(holdouts) == 3
    for version in kept:
        folder = world.root / "home" / "state" / "models" / "tiny" / version.run_id / "model"
        seen = set(training_keys(folder, version.digest).tolist())
        assert seen
        assert not any(seen & holdout for holdout in holdouts)


def test_a_wider_holdout_sets_aside_the_rows_that_the_champion_was_trained_on(world):
    world.night()
    world.write_plan(split={"holdout_share": 0.5})
    record = world.night()
    night = _night(world, record.run_id)
    assert night["judgement"]["excluded"] > 0
    assert night["judgement"]["rows"] + night["judgement"]["excluded"] == sum(
        night["rows"]["holdout_counts"][0]
    )


def test_mlflow_has_studies_with_nested_trials_and_a_loadable_champion(world, client):
    world.night()
    experiment = client().get_experiment_by_name("nightshift/tiny")
    runs = client().search_runs([experiment.experiment_id])
    names = {run.info.run_name for run in runs}
    assert {"LightGBM_Optuna_Study", "LogisticRegression_Optuna_Study"} <= names
    assert "LightGBM_Trial_0" in names
    study = next(run for run in runs if run.info.run_name == "LightGBM_Optuna_Study")
    assert study.data.tags["model_type"] == "LightGBM"
    assert 0 < study.data.metrics["best_val_macro_f1"] <= 1
    night = next(run for run in runs if run.info.run_name.startswith("night_"))
    listed = {file.path for file in client().list_artifacts(night.info.run_id, "challenger")}
    assert listed == {
        f"challenger/{name}"
        for name in (
            "classes.csv",
            "classification_report.txt",
            "confusion_matrix.png",
            "precision_recall.png",
            "reliability.png",
            "roc.png",
        )
    }

    mlflow.set_tracking_uri(f"sqlite:///{world.root}/home/mlflow/mlflow.db")
    model = mlflow.pyfunc.load_model("models:/tiny@champion")
    # Whole numbers, as a CSV gives them, and a column that is not there at all.
    answers = model.predict(pd.DataFrame({"x": [9, -9], "colour": ["red", None]}))
    assert answers["prediction"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(answers[["probability_no", "probability_yes"]].sum(axis=1), 1)


def test_the_page_and_the_metrics_agree_with_the_record(world):
    record = world.night()
    beside = world.root / "home" / "state" / "models" / "tiny" / record.run_id
    metrics = json.loads((beside / "metrics.json").read_text())
    assert metrics["macro_f1"] == record.figures["challenger_macro_f1"]
    classes = [metrics["f1_class_no"], metrics["f1_class_yes"]]
    assert metrics["macro_f1"] == pytest.approx(sum(classes) / 2)
    told = pd.read_parquet(beside / "holdout_predictions.parquet")
    assert len(told) == record.figures["holdout_rows"]
    assert (told["label"] == told["prediction"]).mean() == pytest.approx(metrics["accuracy"])
    with get_client(sync_client=True) as api:
        pages = api.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["night-tiny"]))
        )
    page = next(page.data for page in pages if str(page.flow_run_id) == record.flow_run_id)
    assert f"{metrics['macro_f1']:.4f}" in page
    for part in ("Why this verdict", "What was new", "What was tried", "What was found"):
        assert part in page


def test_the_nights_run_has_the_settings_and_the_calibration_of_its_contender(world, client):
    record = world.night()
    told = json.loads(
        (world.root / f"home/state/models/tiny/{record.run_id}/night.json").read_text()
    )
    fit = told["fits"][record.contender]
    (choice,) = fit["calibrations"]
    run = client().get_run(told["mlflow_run"]).data
    for name, setting in fit["settings"].items():
        assert run.params[name] == str(setting)
    assert run.params["classifier.kind"] in {"logistic-regression", "lightgbm"}
    assert run.metrics["oof_ece_before"] == choice["ece_before"]
    assert run.metrics["oof_ece_after"] == choice["ece_after"]
    assert run.tags["calibration"].startswith(choice["kind"])


def test_pictures_of_an_earlier_attempt_are_not_taken_for_tonights(world, client):
    world.night()
    (folder,) = (world.root / "home" / "studies" / "tiny").glob("*/judged/pictures")
    stale = folder / "finalist2" / "roc.png"
    stale.parent.mkdir()
    stale.write_bytes(b"old")
    record = world.night(force=True)
    assert not stale.exists()
    (version,) = (v for v in versions(_state(world), "tiny") if v.run_id == record.run_id)
    kept = {file.path for file in client().list_artifacts(version.mlflow_run_id)}
    assert "challenger" in kept
    assert "finalist2" not in kept


def test_one_bad_plan_does_not_stop_the_others_and_the_run_ends_failed(world):
    (world.root / "bad.yaml").write_text("name: bad\nsurprise: 1\n")
    state = train([str(world.root / "bad.yaml"), world.plan], return_state=True)
    assert state.is_failed()
    assert "bad: failed; tiny: promoted" in state.message
    assert world.champion().version == 1


def test_a_name_that_is_no_plan_is_told_and_leaves_no_record(world):
    (record,) = run_nights([str(world.root / "tiiny.yaml")])
    assert (record.outcome, record.note) == ("failed", "bad-plan")
    assert not (world.root / "home" / "state" / "ledger" / "tiiny").exists()


def test_a_flow_in_which_all_nights_are_skipped_says_so(world):
    world.night()
    state = train([world.plan], return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Skipped")


def _write(rows: str):
    def spoil(world):
        (world.root / "drops" / "2026-01-02.csv").write_text(rows)

    return spoil


def _every_label(text: str):
    def spoil(world):
        path = world.root / "drops" / "2026-01-01.csv"
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *(r.rsplit(",", 1)[0] + f",{text}" for r in rows)]) + "\n")

    return spoil


def _one_yes(world):
    path = world.root / "drops" / "2026-01-01.csv"
    head, *rows = path.read_text().splitlines()
    no = [row for row in rows if row.endswith(",no")]
    yes = [row for row in rows if row.endswith(",yes")]
    path.write_text("\n".join([head, *no, yes[0]]) + "\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_write(""), "2026-01-02.csv"),
        (_write("id,x,noise,colour,y\n"), "2026-01-02.csv"),
        (_write("id,x,noise,colour,y\n" + 9 * "z,1,2,red,maybe\n"), "'maybe'"),
        (_write("id,x,noise,y\nz,1,2,no\n"), "colour"),
        (_write("id,x,noise,colour,y,more\nz,1,2,red,no,3\n"), "more"),
        (_write("id,x,noise,colour,y\n" + 9 * "z,one,2,red,no\n"), "'x'"),
        (_every_label("no"), "two classes"),
        (_one_yes, "yes"),
    ],
    ids=[
        "an empty file",
        "a header alone",
        "an unknown label",
        "a missing column",
        "a column too many",
        "a word for a number",
        "one class only",
        "a class of one row",
    ],
)
def test_bad_data_is_rejected_told_and_recorded_and_the_champion_stays(world, spoil, told):
    move_champion(_state(world), "tiny", _somebody(), 0)
    spoil(world)
    record = world.night()
    assert record.outcome == "rejected-data", record.reasons
    assert told in " ".join(record.reasons)
    assert (record.champion_before, record.champion_after) == (7, 7)
    assert world.champion() == _somebody()
    assert [entry.outcome for entry in world.history()] == ["rejected-data"]


def test_rejected_data_is_refused_again_until_it_is_mended(world):
    bad = world.root / "drops" / "2026-01-02.csv"
    bad.write_text("")
    assert [world.night().outcome for _ in range(2)] == ["rejected-data"] * 2
    bad.unlink()
    assert world.night().outcome == "promoted"


def test_a_missing_folder_fails_the_night_with_its_name(world):
    (world.root / "drops" / "2026-01-01.csv").unlink()
    (world.root / "drops").rmdir()
    record = world.night()
    assert record.outcome == "failed"
    assert "drops" in record.reasons[0]


def test_mlflow_down_keeps_the_studies_and_promotes_nothing(world, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    record = world.night()
    assert record.outcome == "failed"
    assert "127.0.0.1:9" in record.reasons[0]
    assert world.champion() is None
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    record = world.night()
    assert record.outcome == "promoted"
    night = _night(world, record.run_id)
    assert sum(study["resumed"] for study in night["studies"]) == 4


def test_a_damaged_champion_is_refused_and_the_one_before_stands_in(world):
    world.night()
    world.drop("2026-01-02.csv", rows=400, seed=5, shift=8.0)
    (second,) = run_nights([world.plan])
    store = _state(world)
    if second.outcome != "promoted":  # make version 2 champion by hand: its bytes are what counts
        now, generation = champion(store, "tiny")
        version = versions(store, "tiny")[-1]
        updated = {"version": version.number, "digest": version.digest, "previous": now.version}
        move_champion(store, "tiny", now.model_copy(update=updated), generation)
    folder = world.root / "home" / "state" / "models" / "tiny"
    damaged = folder / versions(store, "tiny")[-1].run_id / "model" / "features.skops"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    world.drop("2026-01-03.csv", rows=60, seed=6)
    third = world.night()
    assert third.outcome in {"promoted", "held", "insufficient-evidence"}
    assert any("version 2 was refused" in reason for reason in third.reasons)
    assert third.verdict.reference == "version 1"


def test_a_first_champion_that_is_damaged_stops_the_night_until_it_is_restored(world):
    record = world.night()
    folder = world.root / "home" / "state" / "models" / "tiny" / record.run_id / "model"
    whole = (folder / "model.json").read_bytes()
    (folder / "model.json").write_text("{}")
    world.drop("2026-01-02.csv", rows=60, seed=6)
    second = world.night()
    assert second.outcome == "failed"
    assert f"Restore the files under {folder}" in second.reasons[0]
    assert world.champion().version == 1
    (folder / "model.json").write_bytes(whole)
    assert world.night().outcome in {"promoted", "held", "insufficient-evidence"}


def test_equal_cells_of_different_cases_stay_so_that_classes_stay_as_common_as_they_are(world):
    path = world.root / "drops" / "2026-01-01.csv"
    head, *rows = path.read_text().splitlines()
    coarse = [
        f"{i},{round(float(row.split(',')[1]))},0,red,{row.rsplit(',', 1)[1]}"
        for i, row in enumerate(rows)
    ]
    path.write_text("\n".join([head, *coarse]) + "\n")
    record = world.night()
    assert record.dropped == {}
    assert record.figures["train_rows"] + record.figures["holdout_rows"] == len(rows)


def test_no_cell_of_a_text_column_leaves_the_night(world, monkeypatch):
    canary = "zebrafish"
    rows = [
        f'{i},"{canary} word{i} {"bad" if i % 4 == 0 else "good"}",{"yes" if i % 4 == 0 else "no"}'
        for i in range(200)
    ]
    (world.root / "drops" / "2026-01-01.csv").write_text("\n".join(["id,text,y", *rows]) + "\n")
    world.write_plan(dataset={"source": "drops", "key": "id", "columns": {"text": "text"}})
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert canary not in record.model_dump_json()
    shown = [world.root / "home" / "mlflow" / "mlflow.db"]
    shown += [p for p in (world.root / "home" / "state").rglob("*") if p.is_file()]
    shown += [p for p in (world.root / "home" / "mlflow").rglob("*") if p.is_file()]
    # The vocabulary is part of the model; everything else is for people's eyes.
    leaks = [p for p in shown if canary.encode() in Path(p).read_bytes() and p.suffix != ".skops"]
    assert leaks == []


def _night(world, run_id):
    path = world.root / "home" / "state" / "models" / "tiny" / run_id / "night.json"
    return json.loads(path.read_text())


def _somebody():
    from datetime import UTC, datetime

    from schemas.ledger import Champion

    return Champion(
        plan="tiny", version=7, digest="d", since=datetime(2026, 1, 1, tzinfo=UTC), run_id="r"
    )


def test_a_plan_that_names_its_classes_in_another_order_judges_the_same_champion_alike(world):
    world.drop("2026-01-01.csv", shift=30.0)
    world.night()
    world.write_plan(label={"column": "y", "classes": ["yes", "no"]})
    record = world.night()
    assert record.outcome == "held", record.reasons
    assert record.figures["champion_macro_f1"] == record.figures["challenger_macro_f1"] == 1.0


def test_a_champion_answers_without_a_column_that_left_the_plan_and_the_record_says_so(world):
    world.night()
    dataset = {
        "source": "drops",
        "key": "id",
        "columns": {"x": "number", "colour": "category"},
        "ignore": {"noise": "only noise"},
    }
    world.write_plan(dataset=dataset)
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}, record.reasons
    assert any("version 1 answers without noise" in reason for reason in record.reasons)


def test_another_key_does_not_let_the_champion_answer_its_own_training_rows(world):
    world.night()
    world.write_plan(
        dataset={
            "source": "drops",
            "columns": {"x": "number", "noise": "number", "colour": "category"},
            "ignore": {"id": "no longer the key"},
        }
    )
    night = _night(world, world.night().run_id)
    rows = night["rows"]
    assert night["judgement"]["excluded"] > 0.6 * sum(rows["holdout_counts"][0])


def test_the_kept_record_and_page_know_who_became_champion(world, client):
    record = world.night()
    assert _night(world, record.run_id)["champion_after"] == 1
    assert _night(world, record.run_id)["version"] == 1
    night = client().search_runs(
        [client().get_experiment_by_name("nightshift/tiny").experiment_id],
        "tags.experiment_type = 'nightly_judgement'",
    )[0]
    page = Path(client().download_artifacts(night.info.run_id, "report.md", str(world.root)))
    assert "Champion: version 1, before none." in page.read_text()


def test_a_finalist_that_can_not_be_fitted_leaves_the_night_to_the_baseline(world, monkeypatch):
    import tasks.tuning

    def broken(job):
        raise NightFailed("no memory left")

    fitted = tasks.tuning.fit_final.fn

    def fit(name, recipe, threads, bench):
        return broken(None) if "trial" in name else fitted(name, recipe, threads, bench)

    monkeypatch.setattr("flows.train.fit_final", tasks.tuning.task(fit, name="fit"))
    record = world.night()
    assert record.outcome == "promoted"
    assert record.contender == "class-weighted logistic regression"
    assert "no memory left" in record.reasons


def test_a_family_that_is_left_out_is_on_record(world, client, monkeypatch):
    import tasks.tuning

    studied = tasks.tuning.run_study

    def refuse(family, **named):
        if family.classifier.kind == "lightgbm":
            raise NightFailed("the first trials all failed")
        return studied(family, **named)

    monkeypatch.setattr("tasks.tuning.run_study", refuse)
    record = world.night()
    assert record.outcome == "promoted"
    assert any("lightgbm is left out tonight" in reason for reason in record.reasons)
    left_out = client().search_runs(
        [client().get_experiment_by_name("nightshift/tiny").experiment_id],
        "tags.model_type = 'LightGBM'",
    )
    assert [run.info.status for run in left_out] == ["FAILED"]


def test_a_record_beside_the_model_that_can_not_be_written_costs_only_itself(world, monkeypatch):
    write = LocalStore.write

    def full(store, name, content, if_generation):
        if name.endswith("night.json"):
            raise NightFailed("no space left")
        return write(store, name, content, if_generation)

    monkeypatch.setattr(LocalStore, "write", full)
    assert world.night().outcome == "promoted"
    assert [record.outcome for record in world.history()] == ["promoted"]


def test_a_page_that_can_not_be_written_costs_only_the_page(world, monkeypatch):
    from prefect import task

    def broken(told):
        raise ConnectionError("no server")

    monkeypatch.setattr("flows.train.report", task(broken))
    assert world.night().outcome == "promoted"
    assert [record.outcome for record in world.history()] == ["promoted"]


def test_a_defect_of_ours_is_on_record_by_kind_and_place_without_its_words(world, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a cell of the data")

    monkeypatch.setattr("flows.train.scan_source", broken)
    record = world.night()
    assert record.outcome == "failed"
    assert record.reasons[0].startswith("ZeroDivisionError at test_train.py:")
    assert "a cell" not in record.model_dump_json()


def test_an_alias_that_strayed_is_brought_back_by_the_next_night(world, client):
    world.night()
    client().delete_registered_model_alias("tiny", "champion")
    world.drop("2026-01-02.csv", rows=60, seed=1)
    record = world.night()
    found = client().get_model_version_by_alias("tiny", "champion")
    store = _state(world)
    now = next(v for v in versions(store, "tiny") if v.number == record.champion_after)
    assert str(found.version) == now.mlflow_version
