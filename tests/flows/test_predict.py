"""The champion on new rows: one answer a row, in order, or a clear refusal."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.predict import export_version, predict_file
from learning.calibration import identity
from learning.models import FittedModel, save
from learning.pipelines import pipeline, serving
from schemas.classifiers import LogisticRegression
from schemas.dataset import Dataset, NumberColumn, TextColumn
from schemas.faults import DataRejected, ModelRefused, PlanError
from schemas.features import Features, TextFeatures
from schemas.label import SingleLabel
from schemas.ledger import Champion, Version
from schemas.plan import Plan
from schemas.samplers import NoResampling
from schemas.store import ABSENT
from schemas.trials import Candidate
from tasks import registry
from tasks.home import Home
from tasks.ledger import move_champion
from tasks.storage import open_store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
COLUMNS = {"said": TextColumn(), "amount": NumberColumn()}


def plan(key: str | None = None, classes: tuple = (-1, 0, 1)) -> Plan:
    return Plan(
        name="mine",
        dataset=Dataset(source="rows", columns=COLUMNS, key=key),
        label=SingleLabel(column="sign", classes=classes),
    )


def fitted(classes: tuple = (-1, 0, 1)) -> FittedModel:
    labels = np.arange(30) % 3
    frame = pd.DataFrame(
        {"said": [("bad", "plain", "good")[i] for i in labels], "amount": labels.astype(float)}
    )
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=2)),
        imbalance=NoResampling(),
        classifier=LogisticRegression(C=100.0),
    )
    steps = pipeline(candidate, COLUMNS, [10, 10, 10], seed=1, threads=1)
    return FittedModel(
        pipeline=serving(steps.fit(frame, labels)),
        columns=COLUMNS,
        class_texts=tuple(map(str, classes)),
        class_values=classes,
        calibration=identity(3),
        offsets=np.zeros(3),
    )


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    """With version 1 of `mine` as champion, and a version 2 that is not."""
    monkeypatch.setattr(registry, "get_run_logger", logging.getLogger)
    home = Home(tmp_path / "home", mlflow_uri="").make()
    store = open_store(home.state)
    for run_id in ("first", "second"):
        folder = tmp_path / run_id
        digest = save(fitted(), folder, np.arange(5, dtype=np.uint64))
        (tmp_path / "beside").mkdir(exist_ok=True)
        version = Version(
            plan="mine", number=1, digest=digest, family="lr", run_id=run_id, created_at=NOW
        )
        registry.keep_model.fn(store, folder, tmp_path / "beside", version)
        if run_id == "first":
            champion = Champion(plan="mine", version=1, digest=digest, since=NOW, run_id=run_id)
            move_champion(store, "mine", champion, ABSENT)
    return home


@pytest.fixture
def rows(tmp_path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text('id,amount,said,extra\n007,0,bad,x\n8,2,"good\nand more",y\n9,,,z\n')
    return path


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_each_row_is_answered_in_order_whatever_the_format(home, rows, tmp_path, ending):
    target = tmp_path / f"answers{ending}"
    predicted = predict_file(plan(), home, rows, target)
    assert (predicted.rows, predicted.plan, predicted.version) == (3, "mine", 1)
    read = pd.read_parquet if ending == ".parquet" else pd.read_csv
    told = read(target)
    columns = [f"probability_{text}" for text in ("-1", "0", "1")]
    assert list(told.columns) == ["row", "prediction", *columns]
    assert list(told["row"]) == [1, 2, 3]
    assert list(told["prediction"][:2]) == [-1, 1]
    np.testing.assert_allclose(told[columns].sum(axis=1), 1)


def test_answers_carry_the_key_as_it_was_written(home, rows, tmp_path):
    predict_file(plan(key="id"), home, rows, tmp_path / "answers.csv")
    assert (tmp_path / "answers.csv").read_text().splitlines()[1].startswith("007,-1,")


def test_rows_without_the_key_are_numbered(home, rows, tmp_path):
    predict_file(plan(key="absent"), home, rows, tmp_path / "answers.csv")
    assert (tmp_path / "answers.csv").read_text().startswith("row,prediction,")


def test_the_champion_answers_with_the_columns_that_it_was_trained_on(home, rows, tmp_path):
    changed = plan().model_copy(
        update={"dataset": Dataset(source="rows", columns={"newer": NumberColumn()})}
    )
    assert predict_file(changed, home, rows, tmp_path / "answers.csv").rows == 3


@pytest.mark.parametrize(
    ("target", "fault", "told"),
    [
        ("answers.txt", PlanError, "expected a name that ends in .csv"),
        ("nowhere/answers.csv", PlanError, "expected an existing folder"),
        ("rows.csv", PlanError, "expected another file than --input"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_first(home, rows, tmp_path, target, fault, told):
    before = rows.read_bytes()
    with pytest.raises(fault, match=told):
        predict_file(plan(), home, rows, tmp_path / target)
    assert rows.read_bytes() == before


def test_a_missing_input_and_missing_columns_are_told(home, tmp_path):
    with pytest.raises(DataRejected, match="--input: expected a file"):
        predict_file(plan(), home, tmp_path / "nope.csv", tmp_path / "answers.csv")
    (tmp_path / "few.csv").write_text("said\nbad\n")
    with pytest.raises(DataRejected, match="expected the columns 'amount'"):
        predict_file(plan(), home, tmp_path / "few.csv", tmp_path / "answers.csv")
    assert not (tmp_path / "answers.csv").exists()


def test_without_a_champion_it_says_how_to_get_one(rows, tmp_path):
    home = Home(tmp_path / "empty", mlflow_uri="").make()
    with pytest.raises(ModelRefused, match=r"Expected a champion of mine.*nightshift train mine"):
        predict_file(plan(), home, rows, tmp_path / "answers.csv")


def test_a_changed_model_answers_nothing(home, rows, tmp_path):
    for path in (Path(home.state) / "models").rglob("model.json"):
        card = json.loads(path.read_text())
        path.write_text(json.dumps({**card, "offsets": [9.0, 0.0, 0.0]}))
    with pytest.raises(ModelRefused):
        predict_file(plan(), home, rows, tmp_path / "answers.csv")
    assert not (tmp_path / "answers.csv").exists()


def test_an_exported_version_is_the_one_asked_for_and_never_overwrites(home, tmp_path):
    store = open_store(home.state)
    assert export_version(store, home.cache, "mine", None, tmp_path / "one").number == 1
    assert export_version(store, home.cache, "mine", 2, tmp_path / "two").number == 2
    assert (tmp_path / "two" / "manifest.json").exists()
    with pytest.raises(PlanError, match="expected a folder that does not exist yet"):
        export_version(store, home.cache, "mine", 2, tmp_path / "two")
    with pytest.raises(ModelRefused, match="Expected version 7 of mine"):
        export_version(store, home.cache, "mine", 7, tmp_path / "three")
