"""Whole nights, small ones, against a Prefect test server, real MLflow and real workers."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.train import run_nights, train
from learning.keeping.models import training_keys
from learning.rows.sides import read_side
from tasks.registry import versions

pytestmark = pytest.mark.filterwarnings("default")


def test_a_first_night_promotes_and_the_second_is_skipped(world):
    first = world.night()
    assert first.outcome == "promoted", first.reasons
    assert (first.champion_before, first.champion_after) == (None, 1)
    assert first.figures["challenger_macro_f1"] > 0.8
    second = world.night()
    assert second.outcome == "skipped"
    assert "no new data: 1 object" in second.reasons[0]
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
    assert len(versions(world.store, "tiny")) == 2


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
    kept = versions(world.store, "tiny")
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
    night = world.told(record)
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
    (version,) = (v for v in versions(world.store, "tiny") if v.run_id == record.run_id)
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
    assert "tiny: no new data: 1 object, the same as in the night of" in state.message


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
    night = world.told(world.night())
    rows = night["rows"]
    assert night["judgement"]["excluded"] > 0.6 * sum(rows["holdout_counts"][0])


def test_the_kept_record_and_page_know_who_became_champion(world, client):
    record = world.night()
    assert world.told(record)["champion_after"] == 1
    assert world.told(record)["version"] == 1
    night = client().search_runs(
        [client().get_experiment_by_name("nightshift/tiny").experiment_id],
        "tags.experiment_type = 'nightly_judgement'",
    )[0]
    page = Path(client().download_artifacts(night.info.run_id, "report.md", str(world.root)))
    assert "Champion: version 1, before none." in page.read_text()
