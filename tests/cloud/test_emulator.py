"""The emulator keeps Cloud Storage's contract: one test a rule, through the real client.

Expected values are those of Google's own test bench, but where the emulator keeps no versions of
objects that were replaced.
"""

import base64
import threading
from collections.abc import Iterator

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import (
    BadRequest,
    NotFound,
    PreconditionFailed,
    ServiceUnavailable,
)
from google.cloud.storage import Bucket, Client
from google.cloud.storage.exceptions import DataCorruption

from tests.cloud.emulator import BUCKET, Emulator, Fault

STRANGE = [
    "../../x",
    "/etc/passwd",
    "a//b",
    "a?b#c",
    "a/",
    "100%",
    "a b+c",
    "n\nl",
    "caf\u00e9",
    "\u202e",
]


@pytest.fixture
def bucket(cloud: Emulator) -> Iterator[Bucket]:
    with Client(project="test") as client:
        yield client.bucket(BUCKET)


def put(bucket: Bucket, name: str, content: bytes, **named: object) -> int:
    blob = bucket.blob(name)
    blob.upload_from_string(content, **named)
    return int(blob.generation)


def test_what_is_uploaded_is_downloaded_with_its_checksum(bucket: Bucket) -> None:
    put(bucket, "a", b"123456789")
    blob = bucket.get_blob("a")
    assert blob.download_as_bytes() == b"123456789"
    assert base64.b64decode(blob.crc32c).hex() == "e3069283"
    assert blob.size == 9
    assert blob.metageneration == 1


def test_an_upload_whose_checksum_is_wrong_is_refused(cloud: Emulator) -> None:
    wrong = base64.b64encode(google_crc32c.value(b"other").to_bytes(4, "big")).decode()
    answer = requests.post(
        f"{cloud.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart",
        data=(
            f'--x\r\nContent-Type: application/json\r\n\r\n{{"name": "a", "crc32c": "{wrong}"}}'
            "\r\n--x\r\nContent-Type: text/plain\r\n\r\nbytes\r\n--x--"
        ),
        headers={"Content-Type": "multipart/related; boundary=x"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert cloud.names() == []


def test_missing_objects_and_buckets_are_not_found(bucket: Bucket) -> None:
    assert bucket.get_blob("none") is None
    with pytest.raises(NotFound, match="404"):
        bucket.blob("none").download_as_bytes()
    with pytest.raises(NotFound, match="404"):
        bucket.blob("none").delete()
    elsewhere = bucket.client.bucket("no-such-bucket")
    with pytest.raises(NotFound, match="404"):
        list(elsewhere.list_blobs())
    with pytest.raises(NotFound, match="404"):
        elsewhere.blob("a").upload_from_string(b"1")


def test_generations_rise_with_every_write(bucket: Bucket) -> None:
    generations = [put(bucket, name, b"1") for name in "abaab"]
    assert generations == sorted(set(generations))


@pytest.mark.parametrize("size", [10, 9_000_000], ids=["at-once", "in-parts"])
def test_an_upload_keeps_its_precondition(bucket: Bucket, size: int) -> None:
    first = put(bucket, "a", b"x" * size, if_generation_match=0)
    with pytest.raises(PreconditionFailed, match="412"):
        put(bucket, "a", b"y" * size, if_generation_match=0)
    with pytest.raises(PreconditionFailed, match="412"):
        put(bucket, "a", b"y" * size, if_generation_match=first + 1)
    assert put(bucket, "a", b"z" * size, if_generation_match=first) > first
    assert bucket.blob("a").download_as_bytes() == b"z" * size


def test_a_replacement_of_nothing_fails_its_precondition(bucket: Bucket) -> None:
    with pytest.raises(PreconditionFailed, match="412"):
        put(bucket, "none", b"1", if_generation_match=7)


def test_a_deletion_keeps_its_precondition(bucket: Bucket) -> None:
    generation = put(bucket, "a", b"1")
    with pytest.raises(PreconditionFailed, match="412"):
        bucket.blob("a").delete(if_generation_match=generation + 1)
    bucket.blob("a").delete(if_generation_match=generation)
    assert bucket.get_blob("a") is None


def test_downloads_and_looks_keep_their_preconditions(bucket: Bucket) -> None:
    generation = put(bucket, "a", b"1")
    with pytest.raises(PreconditionFailed, match="412"):
        bucket.blob("a").download_as_bytes(if_generation_match=generation + 1)
    with pytest.raises(PreconditionFailed, match="412"):
        bucket.blob("a").reload(if_generation_match=generation + 1)


def test_a_generation_that_was_replaced_is_not_found(bucket: Bucket) -> None:
    old = put(bucket, "a", b"1")
    new = put(bucket, "a", b"2")
    with pytest.raises(NotFound, match="404"):
        bucket.blob("a", generation=old).download_as_bytes()
    assert bucket.get_blob("a", generation=old) is None
    assert bucket.blob("a", generation=new).download_as_bytes() == b"2"


def test_a_download_tells_the_generation_it_gave(bucket: Bucket) -> None:
    generation = put(bucket, "a", b"1")
    blob = bucket.blob("a")
    blob.download_as_bytes()
    assert blob.generation == generation


def test_of_sixteen_creators_one_wins(bucket: Bucket) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(16)

    def create(number: int) -> None:
        barrier.wait()
        try:
            put(bucket, "claim", b"%d" % number, if_generation_match=0)
            outcomes.append("won")
        except PreconditionFailed:
            outcomes.append("lost")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 15 + ["won"]


def test_a_list_comes_in_pages_by_name(cloud: Emulator, bucket: Bucket) -> None:
    for number in range(2500):
        cloud.put(f"p/{number:04d}", b"")
    cloud.put("q", b"")
    names = [blob.name for blob in bucket.list_blobs(prefix="p/")]
    assert names == [f"p/{number:04d}" for number in range(2500)]
    assert len(cloud.seen("list")) == 3
    assert len(list(bucket.list_blobs(page_size=500))) == 2501
    assert len(cloud.seen("list")) == 3 + 6
    assert len(list(bucket.list_blobs(max_results=7))) == 7


def test_a_list_gives_the_fields_that_are_asked_for(cloud: Emulator, bucket: Bucket) -> None:
    cloud.put("a", b"1", contentEncoding="gzip")
    (blob,) = bucket.list_blobs(fields="items(name,contentEncoding),nextPageToken")
    assert (blob.name, blob.content_encoding, blob.size) == ("a", "gzip", None)


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
def test_any_legal_name_is_kept_apart(cloud: Emulator, bucket: Bucket, name: str) -> None:
    put(bucket, name, b"1")
    put(bucket, "x", b"2")
    (found,) = (blob for blob in bucket.list_blobs() if blob.name != "x")
    assert found.name == name
    assert found.download_as_bytes() == b"1"  # by its media link
    assert bucket.blob(name).download_as_bytes() == b"1"
    bucket.blob(name).delete()
    assert cloud.names() == ["x"]


def test_an_encoded_object_is_given_as_it_is_stored(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.content_encoding = "gzip"
    blob.upload_from_string(b"not really")
    again = bucket.blob("a")
    assert again.download_as_bytes(raw_download=True) == b"not really"
    assert again.content_encoding == "gzip"


def killed_half_way(bucket: Bucket) -> None:
    with bucket.blob("a", chunk_size=1 << 18).open("wb") as writer:
        writer.write(b"x" * (1 << 19))
        raise RuntimeError("killed half way")


def test_an_upload_that_was_broken_off_leaves_no_object(cloud: Emulator, bucket: Bucket) -> None:
    with pytest.raises(RuntimeError, match="killed half way"):
        killed_half_way(bucket)
    assert len(cloud.seen("upload")) > 0
    assert cloud.names() == []


@pytest.mark.parametrize("part", [0, 1], ids=["first", "last"])
def test_a_part_that_comes_twice_counts_once(cloud: Emulator, bucket: Bucket, part: int) -> None:
    content = bytes(range(256)) * 2_000
    cloud.faults += [
        Fault("upload", "delay", times=part),
        Fault("upload", "lost response"),
    ]
    with bucket.blob("a", chunk_size=1 << 18).open("wb") as writer:
        writer.write(content)
    assert cloud.content("a") == content


def test_statuses_come_as_often_as_they_are_asked_for(cloud: Emulator, bucket: Bucket) -> None:
    put(bucket, "a", b"1")
    cloud.faults.append(Fault("download", "status", times=2))
    for _ in range(2):
        with pytest.raises(ServiceUnavailable, match="503"):
            bucket.blob("a").download_as_bytes(retry=None)
    assert bucket.blob("a").download_as_bytes(retry=None) == b"1"
    assert [seen.status for seen in cloud.seen("download")] == [503, 503, 200]


def test_a_fault_meets_only_the_object_that_it_names(cloud: Emulator, bucket: Bucket) -> None:
    cloud.put("a", b"1")
    cloud.put("b", b"2")
    cloud.faults.append(Fault("download", "status", status=400, name="b"))
    assert bucket.blob("a").download_as_bytes(retry=None) == b"1"
    with pytest.raises(BadRequest, match="400"):
        bucket.blob("b").download_as_bytes(retry=None)


def test_damaged_and_shortened_bodies_arrive_as_such(cloud: Emulator, bucket: Bucket) -> None:
    put(bucket, "a", b"1234")
    cloud.faults.append(Fault("download", "corrupt"))
    with pytest.raises(DataCorruption, match="Checksum mismatch"):
        bucket.blob("a").download_as_bytes(retry=None)
    cloud.faults.append(Fault("download", "truncate"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        bucket.blob("a").download_as_bytes(retry=None)


def test_a_reset_comes_before_the_write_and_a_lost_response_after_it(
    cloud: Emulator, bucket: Bucket
) -> None:
    for kind, names in (("reset", []), ("lost response", ["a"])):
        cloud.faults.append(Fault("insert", kind))  # type: ignore[arg-type]
        with pytest.raises(requests.ConnectionError, match=r"aborted|closed|reset"):
            bucket.blob("a").upload_from_string(b"1", retry=None)
        assert cloud.names() == names
