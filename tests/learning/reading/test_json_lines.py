import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from learning.reading.files import read_file
from schemas.faults import DataRejected


def _read(folder: Path, content: bytes, name: str = "day.jsonl") -> pa.Table:
    path = folder / "object"
    path.write_bytes(content)
    return read_file(path, name)


def _column(folder: Path, *cells: str) -> pa.ChunkedArray:
    lines = "".join(f'{{"a": {cell}}}\n' for cell in cells)
    return _read(folder, lines.encode())["a"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "1", "b": 2}\n{"a": "NA"}\n',
        b'{"a": "1", "b": 2}\r\n{"a": "NA"}',
        b'\n{"b": 2, "a": "1"}\n \n{"a": "NA", "b": null}\n\n',
        codecs.BOM_UTF8 + b'{"a":"\\u0031","b":2}\n{"a":"NA"}\n',
    ],
    ids=["plain", "crlf", "blank-lines", "byte-order-mark"],
)
@pytest.mark.parametrize("name", ["day.jsonl", "day.jsonl.gz"])
def test_each_line_is_a_row_and_a_key_left_out_is_null(
    tmp_path: Path, content: bytes, name: str
) -> None:
    written = gzip.compress(content) if name.endswith("gz") else content
    assert _read(tmp_path, written, name).to_pydict() == {"a": ["1", "NA"], "b": [2, None]}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "null"], "int64"),
        (["1", "2.5"], "double"),
        (["true", "false"], "bool"),
        (['"x"', "null"], "string"),
        (["null", "null"], "null"),
        (["[1, 2.5]", "null", "[]"], "list<item: double>"),
        (['["x"]', "[]"], "list<item: string>"),
        (["[true]", "[false]"], "list<item: bool>"),
    ],
)
def test_a_column_has_the_type_of_its_cells(tmp_path: Path, cells: list[str], kind: str) -> None:
    column = _column(tmp_path, *cells)
    assert str(column.type) == kind
    assert column.to_pylist() == [json.loads(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["9007199254740993", "0.5"], ["9007199254740993", "0.5"]),
        (["18446744073709551617", "1", "null"], ["18446744073709551617", "1", None]),
        (['"007"', "7"], ["007", "7"]),
        (['"9007199254740993"', "9007199254740994"], ["9007199254740993", "9007199254740994"]),
        (["true", "1", '"yes"'], ["true", "1", "yes"]),
        (["1.0", '"x"', "NaN"], ["1", "x", None]),
        (["[1, 2]", '"[1, 2"'], ["[1, 2]", "[1, 2"]),
        (['[1, "x"]', "[2.5]"], ['[1, "x"]', "[2.5]"]),
        (["[1, 2]", "[[1, 2]]"], ["[1, 2]", "[[1, 2]]"]),
        (["[1.5, true]"], ["[1.5, true]"]),
        ([f"[{'9' * 400}]"], [f"[{'9' * 400}]"]),
    ],
    ids=[
        "big-beside-fraction", "beyond-64-bits", "text-and-number", "ids", "truths", "nan",
        "list-and-text", "items-of-two-kinds", "list-in-a-list", "truth-among-numbers",
        "item-beyond-any-number",
    ],
)  # fmt: skip
def test_cells_of_several_kinds_are_text_that_lost_nothing(
    tmp_path: Path, cells: list[str], told: list[str | None]
) -> None:
    assert _column(tmp_path, *cells).to_pylist() == told


def test_a_text_that_looks_like_a_time_stays_text(tmp_path: Path) -> None:
    assert _column(tmp_path, '"2026-01-31T09:30:00Z"').to_pylist() == ["2026-01-31T09:30:00Z"]


def test_a_text_may_hold_any_line_end_of_unicode(tmp_path: Path) -> None:
    text = "a\u2028b\x85c\nd"
    assert _column(tmp_path, json.dumps(text, ensure_ascii=False)).to_pylist() == [text]


def test_a_whole_pair_of_surrogates_is_one_character(tmp_path: Path) -> None:
    assert _column(tmp_path, json.dumps("\U0001f600"), '"\\\\ud83d"').to_pylist() == [
        "\U0001f600", "\\ud83d",
    ]  # fmt: skip


def test_an_object_in_any_row_makes_its_column_unreadable(tmp_path: Path) -> None:
    for cells in (
        ['{"b": 1}', "null"],
        ["1", "{}"],
        ["[1]", '{"b": {}}'],
        ['[1, {"b": 1}]'],
        ["[[1]]"],
    ):
        assert _column(tmp_path, *cells).type == pa.struct([])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "day.jsonl: expected rows, got an empty file"),
        (b"\n \n", "expected rows, got an empty file"),
        (b"{}\n{}\n", "expected columns, got objects without any"),
        (b'{"a": 1}\n\n{"a": 1\n{"a": 2}\n{a: 3}\n',
         r"one JSON object in each line, got something else in 2 \(lines 3, 5\)"),
        (b'{"a": 1}{"a": 2}\n', r"got something else in 1 \(line 1\)"),
        (b'[\n{"a": 1},\n{"a": 2}\n]\n', r"got something else in 3 \(lines 1, 2, 4\)"),
        (b'{"a": 1}\n[1]\n3\n', r"got other JSON in 2 \(lines 2, 3\)"),
        (b'{"a": 1, "b": 2, "a": 3}\n', r"each key once in a line, got one more .* 1 \(line 1\)"),
        (b'{"b": {"a": 1, "a": 1}}\n', "each key once"),
        (b'{"a": "\\ud800"}\n', r"got half of a surrogate pair in 1 \(line 1\)"),
        (b'{"\\uDC00": 1}\n', "got half of a surrogate pair"),
        (b'{"a": ' + b"9" * 5000 + b"}\n", r"got something else in 1 \(line 1\)"),
        (b'{"a": ' + b"[" * 200_000 + b"}\n", r"got something else in 1 \(line 1\)"),
        (b'{"a": 1}\n{"a": "caf\xe9"}\n', r"expected UTF-8, .* \(first seen in line 2\)"),
        ('{"a": 1}'.encode("utf-16"), "expected UTF-8"),
        (b'{"a": "\0"}', "got a NUL byte in line 1"),
        (b'a,b\n1,2\n', "one JSON object in each line"),
    ],
    ids=[
        "empty", "blank", "no-keys", "broken", "two-in-a-line", "array", "other-json",
        "repeated-key", "repeated-inside", "half-pair", "half-pair-in-key", "endless-number",
        "endless-depth", "latin-1", "utf-16", "nul", "csv",
    ],
)  # fmt: skip
def test_lines_that_others_misread_are_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DataRejected, match=message):
        _read(tmp_path, content)


def test_names_that_are_data_are_refused(tmp_path: Path) -> None:
    rows = "".join(f'{{"user{row}": 1}}\n' for row in range(10_001))
    with pytest.raises(DataRejected, match="got 10,001 different names"):
        _read(tmp_path, rows.encode())


@pytest.mark.parametrize("line", ['{"a": "my secret"', '{"a": "my secret", "a": 1}', '"my secret"'])
def test_a_refusal_quotes_no_cell(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataRejected, match=r"line 1") as refusal:
        _read(tmp_path, line.encode())
    chain: Any = refusal.value
    assert "secret" not in f"{chain} {chain.__cause__}"


def test_half_a_gzip_file_is_refused(tmp_path: Path) -> None:
    content = gzip.compress(b'{"a": 1}\n' * 50)[:30]
    with pytest.raises(DataRejected, match="expected a whole gzip file"):
        _read(tmp_path, content, "day.jsonl.gz")
