"""Text of the plan's encoding is read; any other is told with byte and line."""

import gzip
from pathlib import Path

import pytest

from learning.reading import texts
from learning.reading.texts import text_file
from schemas.dataset import Caps
from schemas.faults import DataRejected

TEXT = "said,label\ncafé €,1\nso,0\n"


def _text(
    folder: Path,
    content: bytes,
    encoding: str = "utf-8",
    name: str = "day.csv",
    caps: Caps | None = None,
) -> str:
    path = folder / "object"
    path.write_bytes(content)
    found = text_file(path, name, encoding, caps or Caps(), folder)
    assert found.size == found.path.stat().st_size
    return found.path.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("chunk", [1, 3, 2**22])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-32", "utf-8"])
@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz"])
def test_a_file_in_the_plans_encoding_is_read_whatever_its_chunks(
    tmp_path: Path, encoding: str, name: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "CHUNK", chunk)
    content = TEXT.encode(encoding)
    if encoding.startswith("utf-") and chunk == 1:
        chunk = 4  # the first bytes tell the family
        monkeypatch.setattr(texts, "CHUNK", chunk)
    written = gzip.compress(content) if name.endswith("gz") else content
    assert _text(tmp_path, written, encoding, name) == TEXT


@pytest.mark.parametrize(
    ("content", "encoding", "told", "offset"),
    [
        (b"a,b\n1,caf\xe9\n", "utf-8", r"line 2, byte 9\).*dataset\.encoding", 9),
        (b"a,b\n1,\x81\n", "cp1252", r"expected cp1252 .*line 2, byte 6", 6),
        (b"a,b\n1,2\n", "utf-16", "one byte a character.*encoding to utf-8", 0),
        ("a,b\n1,2\n".encode("utf-16"), "utf-8", "begins as UTF-16 does.*to utf-16", 0),
        ("a,b\n1,2\n".encode("utf-16"), "latin-1", "begins as UTF-16 does", 0),
        ("a,b\n".encode("utf-16-le"), "utf-8", "a NUL byte in line 1.*utf-16-le", 1),
        ("a,b\n".encode("utf-16") + b"\x41", "utf-16", "expected utf-16", 10),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_bytes_of_another_encoding_are_told_with_their_place(
    tmp_path: Path, content: bytes, encoding: str, told: str, offset: int, packed: bool
) -> None:
    name = "day.csv.gz" if packed else "day.csv"
    with pytest.raises(DataRejected, match=told) as refusal:
        _text(tmp_path, gzip.compress(content) if packed else content, encoding, name)
    assert refusal.value.findings[0].offsets == (offset,)


def test_a_gzip_bomb_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a,b\n" + b"0,0\n" * 50_000_000)
    assert len(bomb) < 200_000
    with pytest.raises(DataRejected, match=r"200 bytes read for each .* dataset\.caps\.ratio"):
        _text(tmp_path, bomb, name="day.csv.gz")
    assert (tmp_path / "text").stat().st_size <= 80 * 2**20


def test_what_is_unpacked_may_have_a_size_of_its_own(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT.encode() * 100)
    with pytest.raises(DataRejected, match=r"at most 1,000 bytes once decompressed.*read_bytes"):
        _text(tmp_path, packed, name="day.csv.gz", caps=Caps(read_bytes=1_000))
