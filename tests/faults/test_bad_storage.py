"""A bucket's bad day through whole nights: what was read is what was listed, or nothing is."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.storage import Client

import flows.rows
import flows.train
from schemas.ledger import Record
from schemas.store import Store
from tasks.ingestion import ingest_objects
from tasks.scanning import scan_source
from tasks.storage import open_store
from tasks.storage.bucket import BucketStore
from tests.cloud.emulator import BUCKET, FOR_EVER, Emulator, Fault
from tests.faults.standing import FIRST, Standing, as_csv, rows

pytestmark = pytest.mark.filterwarnings("default")

SOURCE, NEW = f"gs://{BUCKET}/drops", "drops/2026-01-02.csv"
DEADLINE_S = 1.0
FINISHED = {"promoted", "held", "insufficient-evidence"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores that give up after a second in the place of two minutes; tasks retry at once."""

    def opened(uri: str, *memory: Any) -> Store:
        store = open_store(uri, *memory)
        return replace(store, deadline_s=DEADLINE_S) if isinstance(store, BucketStore) else store

    monkeypatch.setattr(flows.train, "open_store", opened)
    monkeypatch.setattr(flows.rows, "open_store", opened)
    at_once = {"retry_delay_seconds": 0}
    monkeypatch.setattr(flows.train, "scan_source", scan_source.with_options(**at_once))
    monkeypatch.setattr(flows.rows, "ingest_objects", ingest_objects.with_options(**at_once))


@pytest.fixture
def bucket(world: Standing, cloud: Emulator) -> Emulator:
    """The source as the champion knows it, in a bucket, and an object that is new."""
    cloud.put(f"drops/{FIRST}", (world.drops / FIRST).read_bytes())
    cloud.put(NEW, as_csv(rows()))
    return cloud


def stays(world: Standing, record: Record, outcome: str = "failed") -> str:
    assert record.outcome == outcome, record.reasons
    assert (record.champion_before, record.champion_after) == (1, 1)
    assert world.champion() is not None
    return record.reasons[0]


def fine_again(world: Standing, bucket: Emulator) -> None:
    """With the fault gone the same source is read as ever; nothing half read is left behind."""
    bucket.faults.clear()
    bucket.storage.delete_file(BUCKET, NEW)
    left = [path.name for path in (world.home / "cache").rglob("*") if path.name[0] == "."]
    assert left == []
    assert stays(world, world.night(SOURCE), "skipped").startswith("no new data")


def _broken_off_upload(name: str) -> None:
    with Client().bucket(BUCKET).blob(name).open("wb", chunk_size=2**18) as part:
        part.write(b"x" * 2**19)
        raise RuntimeError("cut")


def test_an_upload_that_was_broken_off_is_no_object(world: Standing, bucket: Emulator) -> None:
    with pytest.raises(RuntimeError, match="cut"):
        _broken_off_upload("drops/half.csv")
    assert "drops/half.csv" not in bucket.names()
    fine_again(world, bucket)


def _overwriting(bucket: Emulator, times: int) -> Callable[..., Any]:
    """The ingest task, before which a producer replaces the object that was just listed."""
    draws = iter(range(2, 2 + times))

    def ingest(*arguments: Any) -> Any:
        if draw := next(draws, 0):
            bucket.put(NEW, as_csv(rows(90, draw_of=draw)))
        return ingest_objects(*arguments)

    return ingest


def test_an_object_replaced_after_it_was_listed_is_listed_again_and_never_mixed(
    world: Standing, bucket: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.rows, "ingest_objects", _overwriting(bucket, 1))
    bucket.faults += [Fault("list", "status", status=503), Fault("download", "truncate")]
    bucket.faults += [Fault("download", "corrupt"), Fault("download", "status", status=429)]
    record = world.night(SOURCE)
    assert record.outcome in FINISHED, record.reasons
    assert record.figures["train_rows"] + record.figures["holdout_rows"] == 690
    assert not any(fault.times for fault in bucket.faults)


def test_an_object_that_is_replaced_all_the_time_fails_the_night(
    world: Standing, bucket: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(flows.rows, "ingest_objects", _overwriting(bucket, 2))
        told = stays(world, world.night(SOURCE))
    assert "Changed while it was read" in told
    assert "2026-01-02.csv" in told
    fine_again(world, bucket)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("download", "truncate"), "expected an answer from Cloud Storage"),
        (Fault("download", "corrupt"), "bytes with the checksum that was listed"),
        (Fault("list", "status", status=503), "HTTP 503"),
    ],
    ids=["truncated", "corrupt", "unavailable"],
)
def test_a_fault_that_does_not_pass_fails_the_night_and_leaves_nothing_half_read(
    world: Standing, bucket: Emulator, fault: Fault, told: str
) -> None:
    bucket.faults.append(replace(fault, times=FOR_EVER))
    reason = stays(world, world.night(SOURCE))
    assert re.search(told, reason), reason
    assert SOURCE in reason
    assert "start again" in reason
    fine_again(world, bucket)


@pytest.mark.parametrize(
    ("status", "todo"),
    [(401, "gcloud auth application-default login"), (403, "roles/storage.objectViewer")],
)
def test_credentials_that_do_not_do_end_the_night_at_once_without_secrets(
    world: Standing, bucket: Emulator, status: int, todo: str
) -> None:
    bucket.faults.append(Fault("*", "status", status=status, times=FOR_EVER))
    told = stays(world, world.night(SOURCE))
    assert todo in told
    assert "Bearer" not in told
    assert "http://" not in told
    assert len(bucket.seen("list")) == 1
    fine_again(world, bucket)


def test_a_record_whose_answer_was_lost_is_written_once(
    world: Standing, bucket: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State in the bucket too: claim and record of a night are written, and no answer arrives."""
    state = world.home / "state"
    for file in (path for path in state.rglob("*") if path.is_file()):
        bucket.put(f"home/{file.relative_to(state).as_posix()}", file.read_bytes())
    shared = BucketStore(BUCKET, "home", deadline_s=DEADLINE_S)
    opened = flows.train.open_store
    monkeypatch.setattr(
        flows.train,
        "open_store",
        lambda uri, *memory: shared if uri == str(state) else opened(uri, *memory),
    )
    bucket.put(NEW, b"")
    bucket.faults.append(Fault("insert", "lost response", times=2))
    stays(world, world.night(SOURCE), "rejected-data")
    assert not any(fault.times for fault in bucket.faults)
    records = [name for name in bucket.names() if name.startswith("home/ledger/")]
    assert len(records) == 2
    assert not any(name.startswith("home/claims/") for name in bucket.names())
    fine_again(world, bucket)
