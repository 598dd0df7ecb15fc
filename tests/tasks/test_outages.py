"""An outage of Cloud Storage is told early, and once."""

import logging
import threading

import pytest

from schemas.faults import NightFailed
from tasks.storage import calls
from tasks.storage.bucket import BucketStore
from tasks.storage.outages import SOON_S, Outages
from tests.cloud.emulator import BUCKET, FOR_EVER, Emulator, Fault

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def outages(monkeypatch: pytest.MonkeyPatch) -> Outages:
    """Those of other tests are forgotten."""
    fresh = Outages()
    monkeypatch.setattr(calls, "OUTAGES", fresh)
    return fresh


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "tasks.storage.outages"]


def test_a_host_where_nobody_listens_is_told_once_with_what_is_tried_and_until_when(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", NOBODY)
    where = rf"Cloud Storage at {NOBODY} \(STORAGE_EMULATOR_HOST\)"
    with pytest.raises(NightFailed, match=rf"expected an answer from {where}, got"):
        list(BucketStore(BUCKET, deadline_s=2.0).list())
    [line] = told(caplog)
    assert f"at {NOBODY} (STORAGE_EMULATOR_HOST) does not answer (ConnectionError): " in line
    assert f"trying to list the objects in gs://{BUCKET} until " in line


def test_a_try_that_failed_once_is_not_told(
    cloud: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.put("a.csv", b"1")
    cloud.faults.append(Fault("list", "status"))
    assert [ref.name for ref in BucketStore(BUCKET).list()] == ["a.csv"]
    assert told(caplog) == []


def test_a_service_that_refuses_again_is_told_by_its_status(
    cloud: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.faults.append(Fault("*", "status", times=FOR_EVER))
    with pytest.raises(NightFailed, match="got HTTP 503 until the deadline"):
        BucketStore(BUCKET, deadline_s=1.0).read("a.csv")
    [line] = told(caplog)
    assert f"(HTTP 503): trying to read a.csv in gs://{BUCKET} until " in line


def test_many_operations_that_wait_are_one_outage(
    outages: Outages, caplog: pytest.LogCaptureFixture
) -> None:
    def wait() -> None:
        outages.note("read a.csv", "ConnectionError", 2, 1.0, 60.0)

    threads = [threading.Thread(target=wait) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told(caplog)) == 1


def test_a_first_try_that_took_long_is_told(
    outages: Outages, caplog: pytest.LogCaptureFixture
) -> None:
    outages.note("read a.csv", "ReadTimeout", 1, SOON_S, 60.0)
    assert len(told(caplog)) == 1
    assert caplog.records[0].levelno == logging.WARNING
