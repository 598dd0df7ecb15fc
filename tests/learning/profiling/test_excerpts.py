import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.profiling import excerpts
from learning.profiling.excerpts import excerpt
from learning.reading import caps
from learning.reading.texts import CHUNK
from schemas.faults import DataRejected

TEXT = "name,größe\nMüller,1\nJosé,2\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("latin-1") + b"\x81,3\n", "latin-1"),
    ],
    ids=["utf-8", "mark", "utf-16", "cp1252", "latin-1"],
)
def test_the_encoding_is_told_by_the_bytes(tmp_path: Path, content: bytes, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    found = excerpt(tmp_path / "t.csv", "t.csv", tmp_path)
    assert found.encoding == encoding
    assert found.contents.table.column_names == ["name", "größe"]
    assert found.contents.table["name"][0].as_py() == "Müller"


def test_of_a_large_file_whole_rows_at_the_start_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f'"{n}\n{n}",é\n' for n in range(100))
    (tmp_path / "t.csv").write_text("a,b\n" + rows, encoding="utf-8")
    for most in range(100, 120):  # also within a quoted cell, and within a letter
        monkeypatch.setattr(excerpts, "MOST_BYTES", most)
        found = excerpt(tmp_path / "t.csv", "t.csv", tmp_path)
        assert not found.whole
        assert set(found.contents.table["b"].to_pylist()) == {"é"}
        assert 8 <= found.contents.table.num_rows <= 13


@pytest.mark.parametrize("line", [b"1,a\n", b"x"], ids=["rows", "one-line"])
def test_packed_text_that_swells_is_refused_before_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(caps, "LOOKED_AT", CHUNK)
    swollen = 16 * CHUNK
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"size,y\n" + line * (swollen // len(line))))
    tracemalloc.start()
    with pytest.raises(DataRejected, match="at most 200 bytes read for each byte stored"):
        excerpt(tmp_path / "t.csv.gz", "t.csv.gz", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < swollen / 2


def test_packed_text_that_swells_beyond_the_part_that_is_looked_at_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excerpts, "MOST_BYTES", 4 * CHUNK)
    monkeypatch.setattr(caps, "LOOKED_AT", 5 * CHUNK)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"size,y\n" + b"1,a\n" * (6 * CHUNK // 4)))
    with pytest.raises(DataRejected, match="at most 200 bytes read for each byte stored"):
        excerpt(tmp_path / "t.csv.gz", "t.csv.gz", tmp_path)
    monkeypatch.setattr(caps, "LOOKED_AT", 7 * CHUNK)
    assert not excerpt(tmp_path / "t.csv.gz", "t.csv.gz", tmp_path).whole


def test_of_parquet_that_swells_as_much_is_held_as_a_look_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excerpts, "MOST_HELD", 2**20)
    rows = 1_000_000
    pq.write_table(pa.table({"y": pa.nulls(rows, pa.int64())}), tmp_path / "t.parquet")
    found = excerpt(tmp_path / "t.parquet", "t.parquet", tmp_path)
    assert not found.whole
    assert found.contents.table.nbytes < 4 * 2**20


@pytest.mark.parametrize(
    "start", [lambda n: b"a,b\n" + b'"' + b"1\n" * n, lambda n: b"x" * n], ids=["quote", "no-end"]
)
def test_a_large_file_without_a_whole_row_at_its_start_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Callable[[int], bytes]
) -> None:
    monkeypatch.setattr(excerpts, "MOST_BYTES", 1_000)
    (tmp_path / "t.csv").write_bytes(start(2_000))
    with pytest.raises(DataRejected, match="none that ends in the first 1,000 bytes"):
        excerpt(tmp_path / "t.csv", "t.csv", tmp_path)
