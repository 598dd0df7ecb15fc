"""The champion on new rows, or a clear refusal."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from flows.predict import export_version, predict_file
from learning.keeping.models import save
from schemas.faults import ModelRefused, PlanError
from schemas.label import SingleLabel
from schemas.ledger import Champion, Version
from schemas.plan import Plan
from schemas.store import ABSENT
from tasks import registry
from tasks.home import Home
from tasks.ledger.champions import move_champion
from tasks.storage import open_store
from tests.tasks.kept import SIGNS, dataset, fitted

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLAN = Plan(name="mine", dataset=dataset(), label=SingleLabel(column="sign", classes=SIGNS))


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


def test_the_champion_answers_not_the_newest_version(home, rows, tmp_path):
    predicted = predict_file(PLAN, home, rows, tmp_path / "answers.csv")
    assert (predicted.rows, predicted.plan, predicted.version) == (3, "mine", 1)
    assert (tmp_path / "answers.csv").read_text().startswith("row,prediction,")


def test_an_output_over_the_input_is_refused_and_nothing_is_touched(home, rows):
    before = rows.read_bytes()
    with pytest.raises(PlanError, match="expected another file than --input"):
        predict_file(PLAN, home, rows, rows)
    assert rows.read_bytes() == before


def test_without_a_champion_it_says_how_to_get_one(rows, tmp_path):
    home = Home(tmp_path / "empty", mlflow_uri="").make()
    with pytest.raises(ModelRefused, match=r"Expected a champion of mine.*nightshift train mine"):
        predict_file(PLAN, home, rows, tmp_path / "answers.csv")


def test_a_changed_model_answers_nothing(home, rows, tmp_path):
    for path in (Path(home.state) / "models").rglob("model.json"):
        card = json.loads(path.read_text())
        path.write_text(json.dumps({**card, "offsets": [9.0, 0.0, 0.0]}))
    with pytest.raises(ModelRefused):
        predict_file(PLAN, home, rows, tmp_path / "answers.csv")
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
