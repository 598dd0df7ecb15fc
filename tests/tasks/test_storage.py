import base64
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.faults import DataRejected, NightFailed, ObjectMissing, PlanError, StoreConflict
from schemas.store import ABSENT, Store
from tasks import storage
from tasks.storage import LocalStore, open_store

HOSTILE = [
    "../outside.csv",
    "/etc/passwd",
    "a//b.csv",
    "a/./b.csv",
    "a/../../b.csv",
    ".locks/x",
    "",
    "a\nb.csv",
    "a\u202egnp.csv",
    "a\u200bb.csv",
    "a\\..\\b.csv",
    "n" * 1025,
]


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


def at_once(count: int, act: Callable[[int], None]) -> None:
    """Runs `act` in so many threads that all start together."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_was_written_is_read_with_its_generation(store: Store) -> None:
    generation = store.write("a/b.json", b"{}", ABSENT)
    assert store.read("a/b.json") == (b"{}", generation)
    assert store.read("a/b.json", generation) == (b"{}", generation)


def test_a_second_creation_is_a_conflict_and_changes_nothing(store: Store) -> None:
    store.write("a", b"first", ABSENT)
    with pytest.raises(StoreConflict, match=r"Expected generation 0 of a .* got \d+"):
        store.write("a", b"second", ABSENT)
    assert store.read("a")[0] == b"first"


def test_a_replacement_needs_the_generation_it_was_decided_on(store: Store) -> None:
    first = store.write("a", b"1", ABSENT)
    second = store.write("a", b"2", first)
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        store.write("a", b"3", first)
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        store.read("a", first)
    assert store.read("a") == (b"2", second)


def test_replacing_what_is_not_there_is_a_conflict(store: Store) -> None:
    with pytest.raises(StoreConflict, match=r"Expected generation 7 .* got 0"):
        store.write("a", b"1", 7)


def test_generations_rise_even_when_the_clock_stands_still(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.time, "time_ns", lambda: 1_000_000_000)
    generations = [store.write("a", b"0", ABSENT)]
    for turn in range(20):
        generations.append(store.write("a", b"%d" % turn, generations[-1]))
    assert generations == sorted(set(generations))


def test_generations_survive_a_restart(tmp_path: Path) -> None:
    generation = LocalStore(tmp_path).write("a", b"1", ABSENT)
    assert LocalStore(tmp_path).read("a") == (b"1", generation)


def test_of_sixteen_creators_one_wins(store: Store) -> None:
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            store.write("claim", b"%d" % number, ABSENT)
            outcomes.append(str(number))
        except StoreConflict:
            outcomes.append("conflict")

    at_once(16, create)
    winners = [outcome for outcome in outcomes if outcome != "conflict"]
    assert len(outcomes) == 16
    assert winners == [store.read("claim")[0].decode()]


def test_eight_replacers_form_one_chain_without_a_lost_update(store: Store) -> None:
    store.write("chain", b"start", ABSENT)
    written: list[tuple[str, str]] = []

    def replace(number: int) -> None:
        for turn in range(5):
            before, generation = store.read("chain")
            try:
                store.write("chain", f"{number}.{turn}".encode(), generation)
            except StoreConflict:
                continue
            written.append((before.decode(), f"{number}.{turn}"))

    at_once(8, replace)
    after = dict(written)
    assert len(after) == len(written), "two writers replaced the same content"
    place = "start"
    for _ in range(len(written)):
        place = after[place]
    assert place == store.read("chain")[0].decode()


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


def test_the_list_is_by_name_with_sizes_and_checksums(store: Store) -> None:
    for name in ("b.csv", "a/z.csv", "a.csv"):
        store.write(name, b"123456789", ABSENT)
    refs = list(store.list())
    assert [ref.name for ref in refs] == ["a.csv", "a/z.csv", "b.csv"]
    # The check value of CRC-32C (iSCSI) for "123456789".
    assert {ref.crc32c for ref in refs} == {base64.b64encode(bytes.fromhex("e3069283")).decode()}
    assert {ref.size for ref in refs} == {9}
    assert all(store.read(ref.name, ref.generation)[0] == b"123456789" for ref in refs)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("a/", ["a/x", "a/y"]),
        ("a/x", ["a/x"]),
        ("b", ["b"]),
        ("c/d/", []),
        ("", ["a/x", "a/y", "b"]),
    ],
)
def test_a_prefix_narrows_the_list(store: Store, prefix: str, names: list[str]) -> None:
    for name in ("a/x", "a/y", "b"):
        store.write(name, b"", ABSENT)
    assert [ref.name for ref in store.list(prefix)] == names


def test_a_changed_file_has_a_new_checksum(store: Store, tmp_path: Path) -> None:
    generation = store.write("a", b"1", ABSENT)
    (before,) = store.list()
    store.write("a", b"2", generation)
    (after,) = store.list()
    assert before.crc32c != after.crc32c


def test_settled_files_are_read_once_for_their_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.csv").write_bytes(b"old")
    os.utime(tmp_path / "old.csv", (1_000_000, 1_000_000))
    (before,) = LocalStore(tmp_path).list()
    monkeypatch.setattr(storage, "_checksum_of_file", lambda path: pytest.fail("read again"))
    assert list(LocalStore(tmp_path).list()) == [before]


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


def test_reading_what_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(ObjectMissing, match="Expected an object a/b"):
        store.read("a/b")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_refused_everywhere(store: Store, tmp_path: Path, name: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"1")
    with pytest.raises(DataRejected, match="Expected a plain relative object name"):
        store.write(name, b"1", ABSENT)
    with pytest.raises(DataRejected, match="Rename the object"):
        store.read(name)
    with pytest.raises(DataRejected, match="Rename the object"):
        store.upload(file, name)
    with pytest.raises(DataRejected, match="Rename the object"):
        store.delete(name, 1)


def test_messages_escape_what_could_hide_a_name(store: Store) -> None:
    with pytest.raises(DataRejected, match=r"a\\\\u202egnp"):
        store.read("a\u202egnp.csv")


def test_an_undecodable_name_is_listed_spelt_out(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.csv")).write_bytes(b"1")
    assert [ref.name for ref in LocalStore(tmp_path).list()] == ["caf\\udce9.csv"]


def test_a_download_is_exactly_the_listed_bytes(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"x" * 3_000_000, ABSENT)
    (ref,) = store.list()
    store.download(ref, tmp_path / "deep" / "copy.csv")
    assert (tmp_path / "deep" / "copy.csv").read_bytes() == b"x" * 3_000_000


@pytest.mark.parametrize("content", [b"2", b"1 and more", b""], ids=["other", "longer", "shorter"])
def test_an_object_changed_since_it_was_listed_is_not_downloaded(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    store.write("a.csv", b"1", ABSENT)
    (ref,) = store.list()
    Path(store.uri, "a.csv").write_bytes(content)
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        store.download(ref, tmp_path / "copy" / "a.csv")
    assert list((tmp_path / "copy").iterdir()) == []


def test_an_object_gone_since_it_was_listed_is_told(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"1", ABSENT)
    (ref,) = store.list()
    store.delete("a.csv", ref.generation)
    with pytest.raises(ObjectMissing, match="it was removed"):
        store.download(ref, tmp_path / "copy.csv")


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


def test_an_upload_twice_is_one_object(store: Store, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"weights")
    first = store.upload(tmp_path / "model", "models/1")
    assert store.upload(tmp_path / "model", "models/1") == first
    (tmp_path / "model").write_bytes(b"others!")
    with pytest.raises(StoreConflict, match="never overwritten"):
        store.upload(tmp_path / "model", "models/1")
    assert store.read("models/1")[0] == b"weights"


def test_a_deletion_needs_the_generation_and_twice_is_fine(store: Store) -> None:
    first = store.write("a", b"1", ABSENT)
    second = store.write("a", b"2", first)
    with pytest.raises(StoreConflict, match=f"Expected generation {first}"):
        store.delete("a", first)
    store.delete("a", second)
    store.delete("a", second)
    assert list(store.list()) == []


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
        "storage._flush = lambda sink: os.kill(os.getpid(), signal.SIGKILL)\n"
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


@pytest.mark.parametrize("uri", ["gs://bucket/prefix", "s3://bucket", ""])
def test_other_places_than_folders_are_refused(uri: str) -> None:
    with pytest.raises(PlanError, match="Expected the path of a local folder"):
        open_store(uri)


def test_a_file_uri_is_a_folder(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}").uri == str(tmp_path)
