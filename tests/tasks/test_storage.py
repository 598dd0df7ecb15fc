import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.faults import DataRejected, NightFailed, ObjectMissing, PlanError
from schemas.store import ABSENT, Store
from tasks.storage import LocalStore, local, open_store
from tasks.storage.calls import DEADLINE_S
from tasks.storage.memory import Memory


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_generations_rise_even_when_the_clock_stands_still(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local.time, "time_ns", lambda: 1_000_000_000)
    generations = [store.write("a", b"0", ABSENT)]
    for turn in range(20):
        generations.append(store.write("a", b"%d" % turn, generations[-1]))
    assert generations == sorted(set(generations))


def test_processes_take_turns_too(store: Store) -> None:
    store.write("count", b"0", ABSENT)
    program = (
        "import sys\n"
        "from tasks.storage import open_store\n"
        "from schemas.faults import StoreConflict\n"
        "store, done = open_store(sys.argv[1]), 0\n"
        "while done < 20:\n"
        "    content, generation = store.read('count')\n"
        "    try:\n"
        "        store.write('count', b'%d' % (int(content) + 1), generation)\n"
        "        done += 1\n"
        "    except StoreConflict:\n"
        "        pass\n"
    )
    counters = [subprocess.Popen([sys.executable, "-c", program, store.uri]) for _ in range(3)]
    assert [counter.wait(timeout=60) for counter in counters] == [0, 0, 0]
    assert store.read("count")[0] == b"60"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once: nobody can set the inode's own time back."""
    monkeypatch.setattr(local, "SETTLED_NS", 0)


def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no file may be read for its checksum; what this process knows is forgotten."""
    local._known_checksum.cache_clear()
    monkeypatch.setattr(local, "_checksum_of_file", lambda path: pytest.fail(f"read {path}"))


@pytest.mark.usefixtures("settled")
def test_settled_files_are_read_once_for_their_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.csv").write_bytes(b"old")
    (before,) = LocalStore(tmp_path).list()
    monkeypatch.setattr(local, "_checksum_of_file", lambda path: pytest.fail("read again"))
    assert list(LocalStore(tmp_path).list()) == [before]


@pytest.mark.usefixtures("settled")
def test_a_memory_spares_the_next_process_reading_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, memory = tmp_path / "source", tmp_path / "memory"
    source.mkdir()
    for day in range(30):
        (source / f"{day:02d}.csv").write_bytes(b"%d" % day)
    before = list(open_store(str(source), memory).list())
    unread(monkeypatch)
    assert list(open_store(str(source), memory).list()) == before


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("kept_time", [True, False], ids=["time-set-back", "new-time"])
def test_a_memory_knows_a_file_of_other_bytes_from_the_one_it_saw(
    tmp_path: Path, kept_time: bool
) -> None:
    source, memory = tmp_path / "source", tmp_path / "memory"
    source.mkdir()
    file = source / "a.csv"
    file.write_bytes(b"1")
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    (before,) = open_store(str(source), memory).list()
    time.sleep(0.02)  # a tick of the file system's clock
    file.write_bytes(b"2")
    if kept_time:
        os.utime(file, ns=times)
    local._known_checksum.cache_clear()
    (after,) = open_store(str(source), memory).list()
    assert after.crc32c != before.crc32c


def test_files_of_just_now_are_not_remembered(tmp_path: Path) -> None:
    source, memory = tmp_path / "source", tmp_path / "memory"
    source.mkdir()
    (source / "a.csv").write_bytes(b"1")
    list(open_store(str(source), memory).list())
    assert Memory(memory, str(source)).recall() == {}


@pytest.mark.usefixtures("settled")
def test_a_folder_of_an_undecodable_name_is_remembered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    source.mkdir()
    (source / "a.csv").write_bytes(b"1")
    before = list(LocalStore(source, tmp_path / "memory").list())
    unread(monkeypatch)
    assert list(LocalStore(source, tmp_path / "memory").list()) == before


@pytest.mark.usefixtures("settled")
def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    source, memory = tmp_path / "source", tmp_path / "memory"
    source.mkdir()
    for name in ("a.csv", "b.csv"):
        (source / name).write_bytes(b"1")
    list(open_store(str(source), memory).list())
    (source / "a.csv").unlink()
    list(open_store(str(source), memory).list())
    assert list(Memory(memory, str(source)).recall()) == ["b.csv"]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("damage", [b"", b"no database at all" * 99], ids=["emptied", "garbage"])
def test_a_damaged_memory_is_none_and_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    source, memory = tmp_path / "source", tmp_path / "memory"
    source.mkdir()
    (source / "a.csv").write_bytes(b"1")
    before = list(open_store(str(source), memory).list())
    (memory / "remembered.db").write_bytes(damage)
    assert list(open_store(str(source), memory).list()) == before
    unread(monkeypatch)
    assert list(open_store(str(source), memory).list()) == before


def test_a_memory_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.csv").write_bytes(b"1")
    (tmp_path / "file").touch()
    store = open_store(str(tmp_path / "source"), tmp_path / "file" / "memory")
    assert [ref.name for ref in store.list()] == ["a.csv"]


def test_dotfiles_and_folders_of_the_store_itself_are_no_objects(store: Store) -> None:
    store.write("a", b"1", ABSENT)
    Path(store.uri, ".hidden").write_text("x")
    Path(store.uri, "dead-link").symlink_to("nowhere")
    os.mkfifo(Path(store.uri, "pipe"))
    assert [ref.name for ref in store.list()] == ["a"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match=r"Expected a folder .*/none, got nothing there"):
        list(open_store(str(tmp_path / "none")).list())


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x")
    with pytest.raises(ObjectMissing, match="got a file"):
        list(open_store(str(tmp_path / "data.csv")).list())


def test_an_undecodable_name_is_listed_spelt_out(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.csv")).write_bytes(b"1")
    assert [ref.name for ref in LocalStore(tmp_path).list()] == ["caf\\udce9.csv"]


def test_a_touched_object_is_still_the_same_bytes(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"1", ABSENT)
    (ref,) = store.list()
    Path(store.uri, "a.csv").touch()
    store.download(ref, tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_bytes() == b"1"


def test_reading_leaves_no_trace_in_a_source(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.csv").write_bytes(b"1")
    store = open_store(str(source))
    (ref,) = store.list()
    store.read("a.csv")
    store.download(ref, tmp_path / "copy.csv")
    assert [path.name for path in source.iterdir()] == ["a.csv"]


def test_a_full_disk_leaves_the_old_content_and_no_litter(store: Store, tmp_path: Path) -> None:
    generation = store.write("a", b"old", ABSENT)
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    with files_of_at_most(10_000):
        with pytest.raises(NightFailed, match=r"Could not write a in .*free space.*File too large"):
            store.write("a", b"x" * 100_000, generation)
        with pytest.raises(NightFailed, match="Could not upload b"):
            store.upload(tmp_path / "big", "b")
    assert store.read("a") == (b"old", generation)
    assert [ref.name for ref in store.list()] == ["a"]
    assert list(Path(store.uri, ".unfinished").iterdir()) == []


def test_a_full_disk_leaves_no_half_download(store: Store, tmp_path: Path) -> None:
    store.write("a", b"x" * 100_000, ABSENT)
    (ref,) = store.list()
    with files_of_at_most(10_000), pytest.raises(NightFailed, match="Could not download a"):
        store.download(ref, tmp_path / "copy" / "a")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_writer_killed_half_way_leaves_no_object_and_no_lock(store: Store) -> None:
    store.write("a", b"old", ABSENT)
    program = (
        "import os, signal, sys\n"
        "from tasks import storage\n"
        "from tasks.storage import local\n"
        "local.flush = lambda sink: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store = storage.open_store(sys.argv[1])\n"
        "store.write('a', b'torn', store.read('a')[1])\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, store.uri], timeout=60, check=False)
    assert killed.returncode == -9
    content, generation = store.read("a")
    assert content == b"old"
    litter = list(Path(store.uri, ".unfinished").iterdir())
    assert len(litter) == 1
    os.utime(litter[0], (0, 0))
    store.write("a", b"new", generation)
    assert list(Path(store.uri, ".unfinished").iterdir()) == []


@pytest.mark.parametrize("uri", ["s3://bucket/prefix", "https://storage.googleapis.com/bucket", ""])
def test_other_places_than_folders_and_buckets_are_refused(uri: str) -> None:
    with pytest.raises(
        PlanError, match="Expected the path of a local folder or gs://bucket/prefix"
    ):
        open_store(uri)


def test_a_file_uri_is_a_folder(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}").uri == str(tmp_path)


@pytest.mark.parametrize("content", [b"2,0\n", b"2,0\n3,1\n"], ids=["same-size", "other-size"])
@pytest.mark.parametrize("settled", [True, False])
def test_other_bytes_under_the_listed_modification_time_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, settled: bool
) -> None:
    if settled:  # what was read is remembered by the file's identity
        monkeypatch.setattr(local, "SETTLED_NS", 0)
    store = open_store(str(tmp_path))
    file, new = tmp_path / "a.csv", tmp_path / ".new"
    for path, written in ((file, b"1,0\n"), (new, content)):
        path.write_bytes(written)
        os.utime(path, ns=(10**18, 10**18))
    (ref,) = store.list()
    new.replace(file)  # as `cp -p` and `rsync -t` do
    with pytest.raises(ObjectMissing, match="changed while"), store.opened(ref, tmp_path):
        pass


def test_bytes_that_change_under_a_reader_are_told_as_that(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    (tmp_path / "a.csv").write_bytes(b"1,0\n" * 50)
    (ref,) = store.list()

    def torn() -> None:
        with store.opened(ref, tmp_path) as path:
            path.write_bytes(b"half")
            raise DataRejected("expected a header, got half")

    with pytest.raises(ObjectMissing, match="changed while it was being read") as told:
        torn()
    assert told.value.__suppress_context__


def test_a_fault_of_a_file_that_stood_still_is_its_readers(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    (tmp_path / "a.csv").write_bytes(b"1,0\n")
    (ref,) = store.list()
    with pytest.raises(DataRejected, match="no header"), store.opened(ref, tmp_path):
        raise DataRejected("no header")


def test_a_settled_file_is_read_once_to_be_listed_and_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SETTLED_NS", 0)
    store = open_store(str(tmp_path))
    (tmp_path / "a.csv").write_bytes(b"1,0\n")
    read: list[Path] = []
    whole = local._checksum_of_file
    monkeypatch.setattr(local, "_checksum_of_file", lambda path: read.append(path) or whole(path))
    (ref,) = store.list()
    with store.opened(ref, tmp_path):
        pass
    assert read == [tmp_path / "a.csv"]


def test_a_bucket_may_be_given_less_patience() -> None:
    assert open_store("gs://nights/state", None, 30.0).deadline_s == 30.0
    assert open_store("gs://nights/state").deadline_s == DEADLINE_S
