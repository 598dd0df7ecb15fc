"""A bad day of Cloud Storage, through the real client: what is read is right or is not read."""

import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from schemas.dataset import Dataset, NumberColumn
from schemas.faults import (
    AccessDenied,
    DataRejected,
    NightFailed,
    NightshiftError,
    ObjectMissing,
)
from schemas.store import Store
from tasks.scanning import scan
from tasks.storage import bucket as bucket_module
from tasks.storage import calls, open_store
from tasks.storage.bucket import BucketStore
from tests.cloud.acts import ACTS, DEADLINE_S, listed, write_new
from tests.cloud.emulator import BUCKET, FOR_EVER, Emulator, Fault


@pytest.fixture
def store(cloud: Emulator) -> BucketStore:
    """It gives up soon."""
    return BucketStore(BUCKET, deadline_s=DEADLINE_S)


each_act = pytest.mark.parametrize("act", ACTS)


def test_an_object_overwritten_after_the_list_is_never_mixed(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    cloud.put("a.csv", b"old" * 100_000)
    ref = listed(store, "a.csv")
    cloud.put("a.csv", b"new" * 100_000)
    with pytest.raises(ObjectMissing, match=r"a\.csv of gs://nights changed while it was being"):
        store.download(ref, tmp_path / "copies" / "a.csv")
    assert list((tmp_path / "copies").iterdir()) == []
    store.download(listed(store, "a.csv"), tmp_path / "copies" / "a.csv")
    assert (tmp_path / "copies" / "a.csv").read_bytes() == b"new" * 100_000


def test_an_object_overwritten_half_way_through_is_never_mixed(
    cloud: Emulator, store: BucketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put("a.csv", b"old" * 100_000)
    ref = listed(store, "a.csv")
    cloud.faults.append(Fault("download", "truncate"))
    on_error = calls.Patience._note

    def overwrite(patience: calls.Patience, fault: Exception) -> None:
        cloud.put("a.csv", b"new" * 100_000)
        on_error(patience, fault)

    monkeypatch.setattr(calls.Patience, "_note", overwrite)
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        store.download(ref, tmp_path / "copies" / "a.csv")
    assert list((tmp_path / "copies").iterdir()) == []


def _upload_until_killed(store: Store) -> None:
    blob = calls.bucket_named(BUCKET).blob("a.csv", chunk_size=1 << 18)
    with blob.open("wb") as writer:
        writer.write(b"x" * (1 << 19))
        assert list(store.list()) == []
        raise RuntimeError("the producer was killed")


def test_an_upload_in_progress_is_no_object_yet(cloud: Emulator, store: BucketStore) -> None:
    with pytest.raises(RuntimeError, match="the producer was killed"):
        _upload_until_killed(store)
    assert len(cloud.seen("upload")) > 0
    assert list(store.list()) == []


def test_a_download_cut_short_once_goes_on_where_it_broke(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 4_000
    cloud.put("a.csv", content)
    cloud.faults.append(Fault("download", "truncate", times=2))
    store.download(listed(store, "a.csv"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == content
    assert [seen.status for seen in cloud.seen("download")] == [200, 206, 206]


def test_a_download_that_is_always_cut_short_fails_and_leaves_nothing(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    cloud.put("a.csv", b"12345678")
    ref = listed(store, "a.csv")
    cloud.faults.append(Fault("download", "truncate", times=FOR_EVER))
    with pytest.raises(NightFailed, match=r"Could not download a\.csv in gs://nights"):
        store.download(ref, tmp_path / "copies" / "a.csv")
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize("times", [1, 2])
def test_bytes_damaged_on_their_way_are_fetched_again(
    cloud: Emulator, store: BucketStore, tmp_path: Path, times: int
) -> None:
    cloud.put("a.csv", b"1234")
    cloud.faults.append(Fault("download", "corrupt", times=times))
    store.download(listed(store, "a.csv"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"1234"
    cloud.faults.append(Fault("download", "corrupt", times=times))
    assert store.read("a.csv")[0] == b"1234"


def test_bytes_damaged_for_ever_are_told_and_leave_nothing(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    cloud.put("a.csv", b"1234")
    ref = listed(store, "a.csv")
    cloud.faults.append(Fault("download", "corrupt", times=FOR_EVER))
    with pytest.raises(NightFailed, match="expected 4 bytes with the checksum that was listed"):
        store.download(ref, tmp_path / "copies" / "a.csv")
    assert list((tmp_path / "copies").iterdir()) == []
    with pytest.raises(NightFailed, match=r"got DataCorruption until the deadline"):
        store.read("a.csv")


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_encoded_object_is_refused_by_name(
    cloud: Emulator, store: BucketStore, tmp_path: Path, encoding: str
) -> None:
    cloud.put("a.csv", b"1234", contentEncoding=encoding)
    for refused in (
        lambda: store.download(listed(store, "a.csv"), tmp_path / "copy"),
        lambda: store.read("a.csv"),
    ):
        with pytest.raises(DataRejected, match=f"a.csv .*Content-Encoding '{encoding}'.*again"):
            refused()
    assert not (tmp_path / "copy").exists()


def test_an_encoding_that_changes_nothing_is_read(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    cloud.put("a.csv", b"1234", contentEncoding="identity")
    store.download(listed(store, "a.csv"), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"1234"


@each_act
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_outwaited(
    cloud: Emulator, store: BucketStore, tmp_path: Path, act: str, status: int
) -> None:
    cloud.put("old", b"12345")
    operation, do = ACTS[act]
    cloud.faults.append(Fault(operation, "status", times=2, status=status))
    do(store, tmp_path)


@each_act
@pytest.mark.parametrize(
    "fault",
    [
        Fault("*", "status", status=503),
        Fault("*", "status", status=429),
        Fault("*", "reset"),
        Fault("*", "delay", seconds=4 * DEADLINE_S),
    ],
    ids=["503", "429", "reset", "silence"],
)
def test_a_fault_for_ever_is_told_within_the_deadline(
    cloud: Emulator, store: BucketStore, tmp_path: Path, act: str, fault: Fault
) -> None:
    cloud.put("old", b"12345")
    operation, do = ACTS[act]
    for_ever = {"operation": operation, "times": FOR_EVER}
    cloud.faults.append(Fault(**{**fault.__dict__, **for_ever}))
    started = time.monotonic()
    with pytest.raises(NightFailed, match=r"(?s)Could not .* in gs://nights.*until the deadline"):
        do(store, tmp_path)
    assert time.monotonic() - started < 3 * DEADLINE_S + 2
    assert cloud.names() == ["old"]


# google-auth leaves the answer to a download unread where it can't refresh its credentials.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@each_act
@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, r"got none or expired ones.*gcloud auth application-default login"),
        (403, r"HTTP 403.*storage\.object"),
    ],
)
def test_credentials_that_may_not_are_told_at_once(
    cloud: Emulator, store: BucketStore, tmp_path: Path, act: str, status: int, told: str
) -> None:
    cloud.put("old", b"12345")
    operation, do = ACTS[act]
    cloud.faults.append(Fault(operation, "status", times=FOR_EVER, status=status))
    with pytest.raises(AccessDenied, match=told):
        do(store, tmp_path)
    assert len(cloud.seen(operation)) == 1
    assert cloud.names() == ["old"]
    gc.collect()


@pytest.mark.parametrize(
    "fault",
    [
        RefreshError("invalid_grant", {"access_token": "ya29.canary"}),
        DefaultCredentialsError("no credentials in /home/me/canary.json"),
    ],
    ids=["expired", "none"],
)
def test_credentials_that_are_none_are_told_without_their_secrets(
    cloud: Emulator, store: BucketStore, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(calls.Client, "bucket", refuse)
    with pytest.raises(AccessDenied, match=f"expired ones \\({type(fault).__name__}\\)") as told:
        store.read("old")
    assert "canary" not in str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.parametrize(
    "key", [None, "{}", '{"type": "service_account", "private_key": "canary"}']
)
def test_keys_that_are_none_are_told_without_their_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    if key is not None:
        (tmp_path / "key.json").write_text(key)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    with pytest.raises(AccessDenied, match="gcloud auth application-default login") as told:
        open_store("gs://nights/state").read("old")
    assert "canary" not in str(told.value)


def test_a_missing_bucket_is_told_with_what_to_do(cloud: Emulator, tmp_path: Path) -> None:
    store = BucketStore("no-such-bucket", deadline_s=DEADLINE_S)
    for act in (lambda: list(store.list()), lambda: write_new(store, tmp_path)):
        with pytest.raises(
            ObjectMissing, match=r"bucket 'no-such-bucket'.*buckets create gs://no-"
        ):
            act()


def test_hostile_names_are_listed_so_that_they_can_be_refused(
    cloud: Emulator, store: BucketStore
) -> None:
    hostile = [
        "../../x.csv",
        "/etc/passwd.csv",
        "a/../b.csv",
        "a\nb.csv",
        "a\u202evsc.csv",
        "b//c.csv",
    ]
    for name in [*hostile, "folder/", "folder/.DS_Store", ".hidden/a.csv"]:
        cloud.put(name, b"1")
    found = [ref.name for ref in store.list()]
    assert found == sorted(hostile)
    for name in found:
        with pytest.raises(DataRejected, match="Expected a plain relative object name"):
            store.download(listed(store, name), Path("never"))


def test_hostile_names_stop_a_scan(cloud: Emulator) -> None:
    for name in ("good.csv", "../x.csv", "a\u202evsc.csv"):
        cloud.put(f"drops/{name}", b"1")
    dataset = Dataset(source="gs://nights/drops", columns={"x": NumberColumn()})
    with pytest.raises(DataRejected, match=r"(?s)plain object names in gs://nights/drops.*\.\./x"):
        scan(open_store(dataset.source), dataset)


def test_an_object_without_a_checksum_is_refused(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    cloud.put("a.csv", b"1234", crc32c=None)
    with pytest.raises(DataRejected, match=r"a\.csv of gs://nights to be listed with its crc32c"):
        store.download(listed(store, "a.csv"), tmp_path / "copy")


def test_a_full_disk_is_told_and_leaves_nothing(
    cloud: Emulator, store: BucketStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put("a.csv", b"x" * 100_000)
    ref = listed(store, "a.csv")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bucket_module.Passage, "write", full)
    with pytest.raises(NightFailed, match=r"free space.*got No space left on device"):
        store.download(ref, tmp_path / "copies" / "a.csv")
    assert list((tmp_path / "copies").iterdir()) == []


def test_neither_google_nor_its_transport_speaks_to_the_user(
    cloud: Emulator, tmp_path: Path
) -> None:
    """In a process of its own, where nobody has set up logging."""
    cloud.put("old", b"12345")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from schemas.faults import NightFailed\n"
        "from tasks.storage.bucket import BucketStore\n"
        "from tests.cloud.acts import ACTS\n"
        "for act in sys.argv[2:]:\n"
        "    try:\n"
        "        ACTS[act][1](BucketStore('nights', deadline_s=0.3), Path(sys.argv[1]))\n"
        "    except NightFailed:\n"
        "        print('told')\n"
    )
    cloud.faults += [Fault(operation, "reset", times=FOR_EVER) for operation, _ in ACTS.values()]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *ACTS],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "told\n" * len(ACTS)
    [ours] = done.stderr.splitlines()
    assert ours.startswith("Cloud Storage at ")


def test_a_local_store_needs_nothing_of_google(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from tasks.storage import open_store\n"
        "store = open_store(sys.argv[1], None)\n"
        "store.write('a', b'1', 0)\n"
        "list(store.list())\n"
        "print([name for name in sys.modules if name.startswith(('google.', 'requests'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_all_of_it_is_told_as_a_fault_of_ours(cloud: Emulator, store: BucketStore) -> None:
    cloud.faults.append(Fault("list", "status", times=FOR_EVER, status=418))
    with pytest.raises(NightshiftError, match="got HTTP 418"):
        list(open_store("gs://nights/x").list())
