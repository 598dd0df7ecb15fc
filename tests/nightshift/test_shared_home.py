"""The commands over a home that stands in a bucket."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from learning.keeping.models import save
from nightshift.cli import app
from schemas.ledger import Champion, Record, Version
from schemas.store import ABSENT, Store
from tasks import registry
from tasks.ledger.champions import move_champion
from tasks.ledger.records import write_record
from tasks.storage import open_store
from tests.cloud.emulator import Emulator, Fault
from tests.tasks.kept import fitted

NOW = datetime(2026, 1, 2, 2, 0, tzinfo=UTC)
HOME = "gs://nights/team/state"


@pytest.fixture
def store(cloud: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets its own
    monkeypatch.setenv("NIGHTSHIFT_HOME", HOME)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return open_store(HOME)


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def record(number: int) -> Record:
    return Record(
        plan="mine",
        outcome="held",
        run_id=f"r{number}",
        started_at=NOW.replace(minute=number % 60, hour=number // 60),
        ended_at=NOW.replace(hour=23),
        reasons=("because",),
        plan_digest="d",
        code_version="1",
    )


def keep_champion(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 of `mine`, and its plan beside."""
    monkeypatch.setattr(registry, "get_run_logger", logging.getLogger)
    digest = save(fitted(), folder / "model", np.arange(5, dtype=np.uint64))
    (folder / "beside").mkdir()
    version = Version(
        plan="mine", number=1, digest=digest, family="lr", run_id="r1", created_at=NOW
    )
    registry.keep_model.fn(store, folder / "model", folder / "beside", version)
    move_champion(
        store,
        "mine",
        Champion(plan="mine", version=1, digest=digest, since=NOW, run_id="r1"),
        ABSENT,
    )
    (folder / "mine.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "mine",
                "dataset": {"source": "rows", "columns": {"said": "text", "amount": "number"}},
                "label": {"column": "sign", "classes": [-1, 0, 1]},
            }
        )
    )


def test_nights_reads_the_ledger_of_the_bucket_and_each_record_once(
    cloud: Emulator, store: Store
) -> None:
    for number in range(30):
        write_record(store, record(number))
    for _ in range(2):
        listed = json.loads(run("nights", "mine", "--json").output)
        assert [entry["run_id"] for entry in listed] == [f"r{number}" for number in range(30)]
    assert len(cloud.seen("download")) == 30
    write_record(store, record(30))
    assert len(json.loads(run("nights", "--json").output)) == 31
    assert len(cloud.seen("download")) == 31


def test_a_record_that_was_replaced_by_hand_is_read_again(cloud: Emulator, store: Store) -> None:
    name = write_record(store, record(0))
    assert run("nights", "mine").exit_code == 0
    cloud.put(
        f"team/state/{name}",
        record(0).model_copy(update={"note": "mended"}).model_dump_json().encode(),
    )
    (listed,) = json.loads(run("nights", "mine", "--json").output)
    assert listed["note"] == "mended"


def test_what_is_remembered_of_the_bucket_may_be_lost(cloud: Emulator, store: Store) -> None:
    write_record(store, record(0))
    assert "mine" in run("nights").output
    (remembered,) = Path(".nightshift/cache").glob("remembered.db")
    remembered.write_bytes(b"damaged" * 1000)
    assert "mine" in run("nights").output
    remembered.unlink()
    assert "mine" in run("nights").output


def test_an_empty_bucket_has_no_nights_and_no_models(store: Store) -> None:
    assert "no nights yet in gs://nights/team/state" in run("nights").output
    told = run("models", "list", "quickstart")
    assert told.exit_code == 0
    assert "no models of quickstart yet in gs://nights/team/state" in told.output


def test_models_and_predictions_come_from_the_bucket(
    cloud: Emulator, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_champion(store, tmp_path, monkeypatch)
    (version,) = json.loads(run("models", "list", "mine", "--json").output)
    assert (version["number"], version["champion"]) == (1, True)
    told = run("models", "get", "mine", "--output", "copy")
    assert told.exit_code == 0, told.output
    assert Path("copy", "model.json").is_file()
    Path("rows.csv").write_text("said,amount\nbad,0\ngood,2\n")
    told = run("predict", "mine.yaml", "--input", "rows.csv", "--output", "answers.csv")
    assert told.exit_code == 0, told.output
    assert len(Path("answers.csv").read_text().splitlines()) == 3
    assert set(Path().iterdir()) >= {Path(".nightshift")}


@pytest.mark.parametrize(
    "words", [("nights",), ("models", "list", "quickstart"), ("models", "list", "x")]
)
def test_credentials_that_may_not_are_told_in_one_line(
    cloud: Emulator, store: Store, words: tuple[str, ...]
) -> None:
    cloud.faults.append(Fault("*", "status", times=9, status=403))
    told = run(*words)
    assert told.exit_code == 4
    assert "HTTP 403, forbidden. Grant them roles/storage.objectViewer" in told.stderr
    assert "Traceback" not in told.stderr
    assert "http://" not in told.stderr


@pytest.mark.parametrize("words", [("nights",), ("models", "list", "quickstart")])
def test_a_bucket_that_is_none_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_HOME", "gs://no-such-bucket/x")
    told = run(*words)
    assert told.exit_code == 4
    assert "Expected a bucket 'no-such-bucket'" in told.stderr


def test_a_bucket_without_a_tracking_server_is_a_wrong_argument(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    told = run("nights")
    assert told.exit_code == 2
    assert "expected MLFLOW_TRACKING_URI" in told.stderr
