"""A write whose answer is lost is done again; the store knows its own writes from others'."""

from pathlib import Path

import pytest

from schemas.faults import StoreConflict
from schemas.store import ABSENT
from tasks.storage.bucket import BucketStore
from tests.cloud.acts import DEADLINE_S, Act, upload_new, write_new
from tests.cloud.emulator import BUCKET, Emulator, Fault


@pytest.fixture
def store(cloud: Emulator) -> BucketStore:
    return BucketStore(BUCKET, deadline_s=DEADLINE_S)


@pytest.mark.parametrize("act", [write_new, upload_new], ids=["write", "upload"])
@pytest.mark.parametrize("kind", ["lost response", "reset"])
def test_a_creation_whose_answer_was_lost_is_our_own(
    cloud: Emulator, store: BucketStore, tmp_path: Path, act: Act, kind: str
) -> None:
    cloud.faults.append(Fault("insert", kind))
    assert act(store, tmp_path) == store.read("new")[1]
    assert [seen.status for seen in cloud.seen("insert")].count(200) == (
        2 if kind == "reset" else 1
    )
    assert cloud.content("new") == b"content"


def test_a_large_upload_whose_last_answer_was_lost_is_one_object(
    cloud: Emulator, store: BucketStore, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 80_000  # three parts
    (tmp_path / "model").write_bytes(content)
    cloud.faults.append(Fault("upload", "lost response"))
    generation = store.upload(tmp_path / "model", "models/1")
    assert store.read("models/1") == (content, generation)


def test_a_replacement_whose_answer_was_lost_is_our_own(
    cloud: Emulator, store: BucketStore
) -> None:
    first = store.write("champion", b"1", ABSENT)
    cloud.faults.append(Fault("insert", "lost response"))
    second = store.write("champion", b"2", first)
    assert second > first
    assert store.read("champion") == (b"2", second)


def test_equal_bytes_of_before_are_not_taken_for_our_own(
    cloud: Emulator, store: BucketStore
) -> None:
    store.write("champion", b"1", ABSENT)
    cloud.faults.append(Fault("insert", "status"))
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        store.write("champion", b"1", store.read("champion")[1] + 1)


def test_another_winner_after_a_lost_answer_is_a_conflict(
    cloud: Emulator, store: BucketStore
) -> None:
    first = store.write("champion", b"1", ABSENT)
    cloud.put("champion", b"theirs")
    cloud.faults.append(Fault("insert", "reset"))
    with pytest.raises(StoreConflict, match=f"Expected generation {first}"):
        store.write("champion", b"ours!!", first)
    assert store.read("champion")[0] == b"theirs"


def test_a_deletion_whose_answer_was_lost_is_done(cloud: Emulator, store: BucketStore) -> None:
    generation = store.write("claim", b"1", ABSENT)
    cloud.faults.append(Fault("delete", "lost response"))
    store.delete("claim", generation)
    assert cloud.names() == []
