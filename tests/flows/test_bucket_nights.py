"""Whole nights whose data and state stand in buckets."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows import train
from flows.train import run_nights
from schemas.ledger import Record
from tasks.home import Home
from tasks.ledger.champions import champion
from tasks.ledger.records import history
from tasks.storage import open_store
from tests.cloud.emulator import Emulator, Fault
from tests.flows.conftest import PLAN, World

HOME = "gs://nights/team/state"


@pytest.fixture
def shared(world: World, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same household with its drops and state in the cloud; a tracking server is its own."""
    home = Home(world.root / "home", f"sqlite:///{world.root}/mlflow.db", shared=HOME)
    monkeypatch.setattr(train, "home_from", lambda _: home)
    dataset = PLAN["dataset"] | {"source": "gs://nights/drops"}
    Path(world.plan).write_text(yaml.safe_dump(PLAN | {"dataset": dataset}))
    return world


def night(world: World) -> Record:
    (record,) = run_nights([world.plan])
    gc.collect()  # connections of threads that are gone
    return record


def test_nights_keep_their_memory_in_the_bucket_and_read_only_what_is_new(
    shared: World, cloud: Emulator
) -> None:
    first = shared.root / "drops" / "2026-01-01.csv"
    cloud.put("drops/2026-01-01.csv", first.read_bytes())
    cloud.faults += [Fault("download", "truncate"), Fault("insert", "lost response")]
    promoted = night(shared)
    assert promoted.outcome == "promoted", promoted.reasons
    store = open_store(HOME)
    assert [record.run_id for record in history(store, "tiny")] == [promoted.run_id]
    answering, _ = champion(store, "tiny")
    assert answering is not None
    assert answering.version == 1
    assert not (shared.root / "home" / "state").exists()
    assert not [name for name in cloud.names() if name.startswith("team/state/claims/")]

    assert night(shared).outcome == "skipped"

    cloud.log.clear()
    cloud.put("drops/2026-01-02.csv", shared.drop("second.csv", seed=1).read_bytes())
    later = night(shared)
    assert later.outcome in ("promoted", "held", "insufficient-evidence"), later.reasons
    read = [seen.name for seen in cloud.seen("download") if seen.name.startswith("drops/")]
    assert read == ["drops/2026-01-02.csv"]


def test_a_bucket_that_may_not_be_read_fails_the_night_in_one_sentence(
    shared: World, cloud: Emulator
) -> None:
    cloud.put("drops/2026-01-01.csv", b"x")
    cloud.faults.append(
        Fault("download", "status", times=99, status=403, name="drops/2026-01-01.csv")
    )
    record = night(shared)
    assert record.outcome == "failed"
    assert "HTTP 403, forbidden. Grant them roles/storage.objectViewer" in record.reasons[0]
    assert len([seen for seen in cloud.seen("download") if seen.name.startswith("drops/")]) == 1


def test_a_home_that_is_no_bucket_is_told_though_no_record_can_be_kept(
    shared: World, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(shared.root / "home", f"sqlite:///{shared.root}/mlflow.db", shared="gs://no-bucket")
    monkeypatch.setattr(train, "home_from", lambda _: home)
    record = night(shared)
    assert record.outcome == "failed"
    assert "Expected a bucket 'no-bucket' for gs://no-bucket" in record.reasons[0]


def test_a_night_without_buckets_does_not_pay_for_their_libraries() -> None:
    program = (
        "import sys, flows.train\n"
        "from tasks.storage import open_store\n"
        "open_store('.')\n"
        "heavy = ('google.cloud', 'google.auth')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])\n"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
