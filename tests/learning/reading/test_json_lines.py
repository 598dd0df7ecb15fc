import codecs
import gzip
import json
import sys
import tracemalloc
from itertools import repeat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from learning.reading import json_lines
from learning.reading.contents import Contents, joined
from learning.reading.files import Reading, read_file, read_parts
from schemas.faults import DataRejected


def _read(folder: Path, content: bytes, name: str = "day.jsonl") -> pa.Table:
    return _contents(folder, content, name).table


def _contents(folder: Path, content: bytes, name: str = "day.jsonl") -> Contents:
    return read_file(_written(folder, content), name)


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "object"
    path.write_bytes(content)
    return path


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
        (["[1.5, true]"], ["[1.5, true]"]),
        ([f"[{'9' * 400}]"], [f"[{'9' * 400}]"]),
    ],
    ids=[
        "big-beside-fraction", "beyond-64-bits", "text-and-number", "ids", "truths", "nan",
        "list-and-text", "items-of-two-kinds", "truth-among-numbers",
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


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (['{"b": 1}', "null"], "null"),
        (["1", "{}"], "int64"),
        (["[1]", '{"b": {}}'], "list<item: double>"),
        (["[1, 2]", "[[1, 2]]"], "list<item: double>"),
        (['"x"', '[1, {"b": 1}]', "7"], "string"),
    ],
)
def test_an_object_among_other_cells_is_kept_apart(
    tmp_path: Path, cells: list[str], kind: str
) -> None:
    found = _contents(tmp_path, "".join(f'{{"a": {cell}}}\n' for cell in cells).encode())
    (place,) = (at for at, cell in enumerate(cells) if "{" in cell or "[[" in cell)
    assert found.nested == {"a": {place: cells[place]}}
    assert str(found.table["a"].type) == kind
    assert found.table["a"].is_null().to_pylist()[place]


@pytest.mark.parametrize("cells", [['{"b": 1}', "{}"], ['[1, {"b": 1}]'], ["[[1]]", "{}"]])
def test_a_column_of_objects_alone_has_a_type_that_tells_nothing(
    tmp_path: Path, cells: list[str]
) -> None:
    lines = "".join(f'{{"a": {cell}}}\n' for cell in cells)
    found = _contents(tmp_path, f"{lines}no row\n".encode())
    assert found.nested == {}
    assert found.table["a"].type == pa.struct([])
    assert found.table["a"].is_null().to_pylist() == [*[False] * len(cells), True]


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "2", "3.5"],
        ["1", "2.5", "9007199254740993"],
        ["1", '"1.0"', "1.0"],
        ["[1, 2]", "[1, 2.5]", '"x"'],
        ["null", "[1]", '["x"]'],
        ["null", "null", "true"],
        ["18446744073709551617", "1", "0.5"],
        ["1", "{}", '"x"'],
        ["NaN", "1", "true"],
    ],
    ids=str,
)
def test_how_many_lines_are_read_at_once_changes_nothing(
    tmp_path: Path, cells: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "".join(f'{{"a": {cell}}}\n' for cell in [*cells, "null"]) + 'no row\n{"b": 1}\n'
    whole = _contents(tmp_path, content.encode())
    for lines in (1, 2, 3):
        monkeypatch.setattr(json_lines, "AT_ONCE", lines)
        parts = _contents(tmp_path, content.encode())
        assert parts.table.schema == whole.table.schema
        assert parts.table.select("b").equals(whole.table.select("b"))
        assert str(parts.table.to_pydict()) == str(whole.table.to_pydict())
        assert (parts.nested, parts.unread) == (whole.nested, whole.unread)


def test_parts_hold_together_what_the_whole_file_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ['{"a": 1}', '{"a": 2.5, "c": {"d": 1}}', "no row", '{"c": [1]}', '{"a": "x"}', "[1]"]
    path = _written(tmp_path, "\n".join(kinds * 5).encode())
    whole = read_file(path, "day.jsonl")
    monkeypatch.setattr(json_lines, "AT_ONCE", 2)
    monkeypatch.setattr(json_lines, "PART_ROWS", 4)
    parts = list(read_parts(path, "day.jsonl", Reading(), tmp_path))
    assert [part.start for part in parts] == list(range(0, 30, 4))
    assert {part.table.schema for part in parts} == {whole.table.schema}
    assert all(part.stored == whole.stored for part in parts)
    assert all(set(part.unread) == {"no JSON object"} for part in parts)
    assert all(set(part.nested) == {"c"} for part in parts)
    together = joined(parts)
    assert together.table.to_pydict() == whole.table.to_pydict()
    assert (together.nested, together.unread) == (whole.nested, whole.unread)
    assert sorted(together.unread["no JSON object"]) == [
        row for row in range(30) if row % 6 in {2, 5}
    ]


def test_only_columns_that_are_asked_for_are_made(tmp_path: Path) -> None:
    path = _written(tmp_path, b'{"a": 1, "b": {"c": 1}}\n{"a": 2, "b": "x"}\n')
    asked = Reading(chosen=lambda found: found[:1])
    (part,) = read_parts(path, "day.jsonl", asked, tmp_path)
    assert part.table.to_pydict() == {"a": [1, 2]}
    assert part.nested == {}
    assert part.stored == {"a": "int64", "b": "string"}


def test_a_long_file_passes_in_the_memory_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"a": "x" * 100, "b": [0.5] * 20, "c": {"d": 1}})
    monkeypatch.setattr(json_lines, "AT_ONCE", 100)
    monkeypatch.setattr(json_lines, "PART_BYTES", 100_000)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        most = rows = 0
        lines = ['{"c": 1}', *repeat(line, 20_000)]
        for part in json_lines.json_tables(lines.copy, "day.jsonl"):
            rows += part.table.num_rows
            most = max(most, pa.total_allocated_bytes() - before)
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 20_001
    assert most < 1_000_000  # of some 5 MB in all
    assert python < 1_500_000  # what is nested alone would take twice as much


@pytest.mark.parametrize(("first", "last"), [("1", "9" * 30), ("1", '"x"'), ("[1]", "[true]")])
def test_the_last_line_settles_the_type_of_the_first_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, last: str
) -> None:
    monkeypatch.setattr(json_lines, "AT_ONCE", 1)
    monkeypatch.setattr(json_lines, "PART_ROWS", 1)
    path = _written(tmp_path, f'{{"a": {first}}}\n{{"a": {last}}}\n'.encode())
    parts = list(read_parts(path, "day.jsonl", Reading(), tmp_path))
    assert [part.table["a"].to_pylist() for part in parts] == [[first], [last.strip('"')]]


def test_lines_are_not_all_python_objects_at_once(tmp_path: Path) -> None:
    line = json.dumps({"a": [0.123456 + place for place in range(200)]}) + "\n"
    content = line.encode() * 6_000
    read_file(_written(tmp_path, b'{"a": [1]}\n'), "day.jsonl")  # what is made once
    tracemalloc.start()
    try:
        read_file(_written(tmp_path, content), "day.jsonl")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 2.5 * len(content) + 2_000 * 200 * 40


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "no JSON object"),
        ("{a: 3}", "no JSON object"),
        ('{"a": 1}{"a": 2}', "no JSON object"),
        ("[1]", "no JSON object"),
        ("3", "no JSON object"),
        ('{"a": 1, "b": 2, "a": 3}', "a key more than once"),
        ('{"b": {"a": 1, "a": 1}}', "a key more than once"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"\\uDC00": 1}', "half of a surrogate pair"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON object"),
        ('{"a": ' + "[" * 200_000 + "}", "no JSON object"),
    ],
    ids=[
        "open", "no-quotes", "two-in-a-line", "list", "number", "repeated-key", "repeated-inside",
        "half-pair", "half-pair-in-key", "endless-number", "endless-depth",
    ],
)  # fmt: skip
def test_a_line_that_others_misread_is_a_row_by_itself(
    tmp_path: Path, line: str, reason: str
) -> None:
    found = _contents(tmp_path, f'{{"a": 1}}\n\n{line}\n{{"a": 2}}\n'.encode())
    assert found.table.to_pydict() == {"a": [1, None, 2]}
    assert found.unread == {reason: {1: line}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "day.jsonl: expected rows, got an empty file"),
        (b"\n \n", "expected rows, got an empty file"),
        (b"{}\n{}\n", "expected columns, got objects without any"),
        (b'{"a": 1\n\n{"a": 1, "a": 2}\n3\n',
         r"got none in any: no JSON object in 2 \(rows 1, 3\); a key more than once in 1 "),
        (b'[{"a": 1}, {"a": 2}]\n', r"got none in any: no JSON object in 1 \(row 1\)"),
        (b'{"a": 1}\n{"a": "caf\xe9"}\n', r"expected UTF-8, .* \(first seen in line 2, byte 19\)"),
        ('{"a": 1}'.encode("utf-16"), "expected UTF-8"),
        (b'{"a": "\0"}', "got a NUL byte in line 1"),
        (b'a,b\n1,2\n', "one JSON object in each line"),
    ],
    ids=[
        "empty", "blank", "no-keys", "no-row", "array", "latin-1", "utf-16", "nul", "csv",
    ],
)  # fmt: skip
def test_a_file_without_rows_or_in_another_encoding_is_refused(
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
    with pytest.raises(DataRejected, match=r"row 1") as refusal:
        _read(tmp_path, line.encode())
    chain: Any = refusal.value
    assert "secret" not in f"{chain} {chain.__cause__}"


def test_half_a_gzip_file_is_refused(tmp_path: Path) -> None:
    content = gzip.compress(b'{"a": 1}\n' * 50)[:30]
    with pytest.raises(DataRejected, match="expected a whole gzip file"):
        _read(tmp_path, content, "day.jsonl.gz")


@pytest.mark.parametrize(("depth", "read"), [(399, True), (400, False)])
def test_a_line_may_be_so_deep_and_no_deeper(tmp_path: Path, depth: int, read: bool) -> None:
    deep = "[" * depth + '"]"' + "]" * depth
    found = _contents(tmp_path, f'{{"a": "]["}}\n{{"a": {deep}}}\n'.encode())
    assert (found.nested, found.unread) == (
        ({"a": {1: deep}}, {}) if read else ({}, {"no JSON object": {1: f'{{"a": {deep}}}'}})
    )


def test_no_depth_of_nesting_ends_the_reading() -> None:
    last = r'"b": "\ud83d\ude00"'
    most = sys.getrecursionlimit()
    for depth in (*range(most - 200, most + 2), 100_000):
        for opened, closed in (("[", "]"), ('{"a":', "}")):
            deep = opened * depth + "1" + closed * depth
            lines = '{"a": 1}\n{"a": ' + deep + ", " + last + "}\n"
            (found,) = json_lines.json_tables(lines.splitlines, "day.jsonl")
            assert found.unread or found.nested
