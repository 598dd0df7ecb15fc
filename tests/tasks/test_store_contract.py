"""What every store keeps to, whether it is a folder or a bucket."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from schemas.faults import DataRejected, ObjectMissing, StoreConflict
from schemas.store import ABSENT, Store
from tasks.storage import open_store
from tests.cloud.emulator import BUCKET, Emulator
from tests.racing import at_once

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


@dataclass(frozen=True)
class Place:
    """A store, and a hand that changes its objects behind its back."""

    store: Store
    overwrite: Callable[[str, bytes], object]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        root = tmp_path / "store"
        return Place(
            open_store(str(root)), lambda name, content: (root / name).write_bytes(content)
        )
    cloud: Emulator = request.getfixturevalue("cloud")
    return Place(
        open_store(f"gs://{BUCKET}/some/store"),
        lambda name, content: cloud.put(f"some/store/{name}", content),
    )


@pytest.fixture
def store(place: Place) -> Store:
    return place.store


def test_what_was_written_is_read_with_its_generation(store: Store) -> None:
    generation = store.write("a/b.json", b"{}", ABSENT)
    assert store.read("a/b.json") == (b"{}", generation)
    assert store.read("a/b.json", generation) == (b"{}", generation)


def test_any_bytes_come_back_as_they_were(store: Store) -> None:
    content = bytes(range(256)) * 3 + b"\r\n\r\n\n"
    store.write("a", content, ABSENT)
    store.write("nothing", b"", ABSENT)
    assert store.read("a")[0] == content
    assert store.read("nothing")[0] == b""


def test_another_handle_on_the_same_place_sees_the_same(store: Store) -> None:
    generation = store.write("a", b"1", ABSENT)
    assert open_store(store.uri).read("a") == (b"1", generation)


def test_a_second_creation_is_a_conflict_and_changes_nothing(store: Store) -> None:
    store.write("a", b"first", ABSENT)
    with pytest.raises(StoreConflict, match=r"Expected generation 0 of a .* got \d+"):
        store.write("a", b"second", ABSENT)
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        store.write("a", b"first", ABSENT)
    assert store.read("a")[0] == b"first"


def test_a_replacement_needs_the_generation_it_was_decided_on(store: Store) -> None:
    first = store.write("a", b"1", ABSENT)
    second = store.write("a", b"2", first)
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        store.write("a", b"3", first)
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        store.read("a", first)
    assert store.read("a") == (b"2", second)
    assert second > first


def test_replacing_what_is_not_there_is_a_conflict(store: Store) -> None:
    with pytest.raises(StoreConflict, match=r"Expected generation 7 .* got 0"):
        store.write("a", b"1", 7)


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


def test_contents_are_those_of_a_prefix_by_name(store: Store) -> None:
    for name in ("b/2", "b/1", "c/3"):
        store.write(name, name.encode(), ABSENT)
    found = list(store.contents("b/"))
    assert [(ref.name, content) for ref, content in found] == [("b/1", b"b/1"), ("b/2", b"b/2")]


def test_a_changed_object_has_a_new_checksum(store: Store) -> None:
    generation = store.write("a", b"1", ABSENT)
    (before,) = store.list()
    store.write("a", b"2", generation)
    (after,) = store.list()
    assert before.crc32c != after.crc32c
    assert before.generation != after.generation


def test_dotfiles_are_no_objects(place: Place) -> None:
    place.store.write("a", b"1", ABSENT)
    place.overwrite(".hidden", b"x")
    assert [ref.name for ref in place.store.list()] == ["a"]


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


def test_a_download_is_exactly_the_listed_bytes(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"x" * 3_000_000, ABSENT)
    (ref,) = store.list()
    store.download(ref, tmp_path / "deep" / "copy.csv")
    assert (tmp_path / "deep" / "copy.csv").read_bytes() == b"x" * 3_000_000
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy.csv"]


def test_an_empty_object_is_downloaded_too(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"", ABSENT)
    (ref,) = store.list()
    store.download(ref, tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_bytes() == b""


def test_opened_objects_are_exactly_the_listed_bytes_and_leave_nothing(
    store: Store, tmp_path: Path
) -> None:
    store.write("a.csv", b"rows", ABSENT)
    (ref,) = store.list()
    (tmp_path / "scratch").mkdir()
    with store.opened(ref, tmp_path / "scratch") as path:
        assert path.read_bytes() == b"rows"
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("content", [b"2", b"1 and more", b""], ids=["other", "longer", "shorter"])
def test_an_object_changed_since_it_was_listed_is_neither_downloaded_nor_opened(
    place: Place, tmp_path: Path, content: bytes
) -> None:
    place.store.write("a.csv", b"1", ABSENT)
    (ref,) = place.store.list()
    place.overwrite("a.csv", content)
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        place.store.download(ref, tmp_path / "copy" / "a.csv")
    assert list((tmp_path / "copy").iterdir()) == []
    with (
        pytest.raises(ObjectMissing, match="changed while it was being read"),
        place.store.opened(ref, tmp_path / "copy"),
    ):
        pass
    assert list((tmp_path / "copy").iterdir()) == []


def test_an_object_gone_since_it_was_listed_is_told(store: Store, tmp_path: Path) -> None:
    store.write("a.csv", b"1", ABSENT)
    (ref,) = store.list()
    store.delete("a.csv", ref.generation)
    with pytest.raises(ObjectMissing, match="it was removed"):
        store.download(ref, tmp_path / "copy.csv")


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
