import gzip
import pickle
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.reading.files import read_file
from schemas.faults import DataRejected


def _read(folder: Path, content: bytes, name: str = "day.csv") -> pa.Table:
    path = folder / "object"
    path.write_bytes(content)
    return read_file(path, name).table


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\nNA,null\n",
        b"\xef\xbb\xbfa,b\n1,2\nNA,null\n",
        b"a,b\r\n1,2\r\nNA,null\r\n",
        b"a,b\n1,2\n\nNA,null",
        b'"a","b"\n"1","2"\n"NA","null"\n',
    ],
    ids=["plain", "byte-order-mark", "crlf", "blank-line", "quoted"],
)
def test_cells_stay_the_text_that_they_are(tmp_path: Path, content: bytes) -> None:
    assert _read(tmp_path, content).to_pydict() == {"a": ["1", "NA"], "b": ["2", "null"]}


def test_quoted_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    table = _read(tmp_path, b'a,b\n"so, ""good""\nthen",1\n')
    assert table.to_pydict() == {"a": ['so, "good"\nthen'], "b": ["1"]}


def test_a_single_quote_inside_a_cell_is_no_fault(tmp_path: Path) -> None:
    assert _read(tmp_path, b'a,b\n5" disk,1\n')["a"].to_pylist() == ['5" disk']


def test_a_cell_may_be_larger_than_a_block(tmp_path: Path) -> None:
    long = b"x" * 3_000_000
    assert _read(tmp_path, b'a,b\n"' + long + b'",1\n')["a"][0].as_py() == long.decode()


def test_gzip_is_read(tmp_path: Path) -> None:
    assert _read(tmp_path, gzip.compress(b"a,b\n1,2\n"), "day.csv.gz").num_rows == 1


def test_parquet_is_read_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "object"
    pd.DataFrame({"a": [1.5], "b": ["x"]}).to_parquet(path)
    assert read_file(path, "day.parquet").table.to_pydict() == {"a": [1.5], "b": ["x"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "day.csv: expected a header and rows, got an empty file"),
        (b" \n\n", "got an empty file"),
        (b"\xef\xbb\xbf", "day.csv: expected a header and rows, got an empty file"),
        (b"a,b\n", "got a header and no rows"),
        (b"a;b\n1,5;2\n", "day.csv: expected commas between cells, got .* separated by ';'"),
        (b"a\tb\n1\t2\n", "a header that seems to be separated by tabs"),
        (b"a,a\n1,2\n", r"more than once in the header \(columns 1, 2\)"),
        (b"a,b\n1,2\n3\n4,5,6\n", r"expected 2 cells in each row, got 1 or 3 in 2 \(rows 2, 3\)"),
        (b"a,b\n1,2\n3,caf\xe9\n", r"expected UTF-8, got another encoding \(first seen in line 3"),
        ("a,b\n1,2\n".encode("utf-16"), "expected UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "got a NUL byte in line 1"),
        (b"a,b\n1,\x00\n", "got a NUL byte in line 2"),
        (b'a,b\n1,"open\n3,4\n', "one that runs to the end of the file"),
        (b'a,"b\n' + b"1,2\n" * 60_000, "day.csv: .*one that runs to the end of the file"),
        (b'a,"b\n' + b"1,2\n" * 60_000 + b'"\n3,4\n', "day.csv: .*a longer cell than any name"),
    ],
    ids=[
        "empty", "blank", "byte-order-mark-only", "header-only", "semicolons", "tabs",
        "repeated-name", "ragged", "latin-1", "utf-16", "utf-16-without-mark", "nul", "open-quote",
        "open-quote-in-header", "endless-header",
    ],
)  # fmt: skip
def test_a_file_that_others_misread_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DataRejected, match=message):
        _read(tmp_path, content)


def test_a_refusal_quotes_no_cell(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="expected 2 cells") as refusal:
        _read(tmp_path, b"a,b\nmy secret,1,2\n")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("kept", [5, 30], ids=["head", "most"])
def test_half_a_gzip_file_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(DataRejected, match="expected a whole gzip file"):
        _read(tmp_path, gzip.compress(b"a,b\n1,2\n" * 50)[:kept], "day.csv.gz")


@pytest.mark.parametrize("kept", [0, 4, 200])
def test_half_a_parquet_file_is_refused(tmp_path: Path, kept: int) -> None:
    whole = tmp_path / "whole"
    pd.DataFrame({"a": range(100)}).to_parquet(whole)
    with pytest.raises(DataRejected, match="expected a Parquet file"):
        _read(tmp_path, whole.read_bytes()[:kept], "day.parquet")


def test_parquet_with_a_repeated_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "object"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(DataRejected, match=r"more than once .*\(columns 1, 2\)"):
        read_file(path, "day.parquet")


@pytest.mark.parametrize(
    "name", ["day.csv", "day.csv.gz", "day.jsonl", "day.jsonl.gz", "day.parquet"]
)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_by_another_name_is_refused_as_one(
    tmp_path: Path, name: str, protocol: int
) -> None:
    content = pickle.dumps({"a": [1]}, protocol)
    with pytest.raises(DataRejected, match=f"{name}: .* got a pickle. Pickles are refused"):
        _read(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)


def test_parquet_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "object"
    pd.DataFrame({"a": []}).to_parquet(path)
    with pytest.raises(DataRejected, match="no rows"):
        read_file(path, "day.parquet")


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"ends in \.csv, \.csv\.gz, \.jsonl, "):
        _read(tmp_path, b"{}", "day.xlsx")


def test_parquet_under_the_name_of_text_is_told_as_what_it_is(tmp_path: Path) -> None:
    pq.write_table(pa.table({"said": ["a"]}), tmp_path / "day.csv")
    with pytest.raises(DataRejected, match=r"expected text, got a Parquet file.*\.parquet"):
        read_file(tmp_path / "day.csv", "day.csv")
