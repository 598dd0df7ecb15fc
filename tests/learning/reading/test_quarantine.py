import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.reading.contents import Contents
from learning.reading.quarantine import Fault, Tally, broken_rows, message, set_aside
from learning.reading.tables import read_unlabelled
from learning.rows.shards import write_shard
from schemas.dataset import Dataset
from schemas.faults import DataRejected
from schemas.label import MultiTaskLabel, SingleLabel
from tests.learning.reading.tables import faults, features, joined, read_all, rejection

BINARY = SingleLabel(column="label", classes=(0, 1))

WIDE = Dataset.model_validate(
    {
        "source": "x",
        "columns": {
            "said": {"role": "text", "max_chars": 9},
            "size": {"role": "number", "low": 0, "high": 9, "required": True},
            "rest": {"role": "number"},
            "kind": {"role": "category", "levels": ["a", "b"]},
            "paid": {"role": "boolean", "required": True},
            "born": {"role": "time", "zone": "Europe/Berlin", "required": True},
            "face": {"role": "embedding", "dimension": 2},
        },
        "key": "id",
        "time": "at",
        "weight": "times",
    }
)
GOOD = {
    "said": "fine", "size": 1, "rest": None, "kind": "a", "paid": True, "born": "1990-01-31",
    "face": [1.0, 2.0], "id": "one", "at": "2026-01-31T09:30:00Z", "times": 2.5, "label": 1,
}  # fmt: skip

BREAKS: dict[str, tuple[str, object, str]] = {
    "long-text": ("said", "my secret is long", "at most 9 characters (max_chars)"),
    "word-for-number": ("size", "many", "a number, with a decimal point and without separators"),
    "missing-number": ("size", None, "a value in every row"),
    "low-number": ("size", -1, "at least 0"),
    "high-number": ("size", 10, "at most 9"),
    "endless-number": ("rest", float("inf"), "a finite number"),
    "unknown-level": ("kind", "c", "one of 'a', 'b'"),
    "no-truth": ("paid", "maybe", "true or false, 1 or 0, yes or no"),
    "missing-truth": ("paid", None, "a value in every row"),
    "no-time": (
        "born",
        "soon",
        "a time that clocks of Europe/Berlin show once, such as 2026-01-31T09:30:00",
    ),
    "time-shown-twice": (
        "born",
        "2026-10-25T02:30:00",
        "a time that clocks of Europe/Berlin show once, such as 2026-01-31T09:30:00",
    ),
    "missing-time": ("born", None, "a value in every row"),
    "short-embedding": ("face", [1.0], "a list of 2 finite numbers"),
    "holey-embedding": ("face", [1.0, None], "a list of 2 finite numbers"),
    "no-embedding": ("face", "x", "a list of 2 finite numbers"),
    "missing-embedding": ("face", None, "a value in every row"),
    "missing-key": ("id", "", "a value in every row"),
    "missing-instant": ("at", None, "a value in every row"),
    "instant-without-offset": (
        "at",
        "2026-01-31T09:30:00",
        "a time with its offset from UTC, such as 2026-01-31T09:30:00Z",
    ),
    "missing-weight": ("times", None, "a value in every row"),
    "no-weight": ("times", 0, "above 0 and finite"),
    "negative-weight": ("times", -1, "above 0 and finite"),
    "endless-weight": ("times", float("inf"), "above 0 and finite"),
    "missing-label": ("label", None, "a value in every row"),
    "unknown-label": ("label", 7, "one of '0', '1'"),
}


def _lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _csv(*rows: dict[str, object]) -> str:
    plain = [{k: json.dumps(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows]
    return pd.DataFrame(plain).to_csv(index=False)


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("name", ["day.jsonl", "day.csv"])
def test_a_row_that_breaks_a_rule_is_set_aside_and_the_others_stay(
    tmp_path: Path, name: str, kind: str
) -> None:
    column, cell, expected = BREAKS[kind]
    rows = (GOOD, GOOD | {column: cell}, GOOD)
    content = _csv(*rows) if name == "day.csv" else _lines(*rows)
    found = read_all(tmp_path, content, WIDE, BINARY, name)
    reason = f"column {column!r}: expected {expected}"
    assert found.frame["__row"].tolist() == [1, 3]
    assert found.quarantined["row"].tolist() == [2]
    assert found.quarantined["reasons"].tolist() == [reason]
    assert faults(found) == {reason: 1}
    assert f"\n  {reason}, got " in rejection(found)
    assert "secret" not in rejection(found)


def test_good_rows_are_as_if_the_others_had_never_been(tmp_path: Path) -> None:
    broken = [GOOD | {column: cell} for column, cell, _ in BREAKS.values()]
    whole = read_all(tmp_path, _lines(GOOD, *broken, GOOD), WIDE, BINARY, "day.jsonl").frame
    alone = read_all(tmp_path, _lines(GOOD, GOOD), WIDE, BINARY, "day.jsonl").frame
    pd.testing.assert_frame_equal(whole.drop(columns="__row"), alone.drop(columns="__row"))


def test_a_file_without_fault_sets_nothing_aside(tmp_path: Path) -> None:
    found = read_all(tmp_path, _lines(GOOD), WIDE, BINARY, "day.jsonl")
    assert found.findings == ()
    assert found.quarantined.empty
    assert list(found.quarantined)[:2] == ["row", "reasons"]


def test_a_row_has_all_its_reasons_and_its_own_cells(tmp_path: Path) -> None:
    broken = GOOD | {"size": "many", "face": [1, None], "label": 7, "paid": False, "times": 0.5}
    found = read_all(tmp_path, _lines(GOOD, broken), WIDE, BINARY, "day.jsonl")
    (row,) = found.quarantined.astype(object).replace({np.nan: None}).to_dict("records")
    assert sorted(row.pop("reasons").split("; ")) == sorted(faults(found))
    assert len(faults(found)) == 3
    assert row == {
        "row": 2, "said": "fine", "size": "many", "rest": None, "kind": "a", "paid": "false",
        "born": "1990-01-31", "face": "[1.0, null]", "label": "7", "id": "one",
        "at": "2026-01-31T09:30:00Z", "times": "0.5",
    }  # fmt: skip


def test_columns_that_the_plan_ignores_are_not_set_aside(tmp_path: Path) -> None:
    dataset = features(size="number").model_copy(update={"ignore": {"name": "private"}})
    found = read_all(tmp_path, "size,name,label\n1,Ann,1\nx,Bob,1\n", dataset)
    assert list(found.quarantined) == ["row", "reasons", "size", "label"]


def test_a_column_called_row_keeps_its_cells_under_another_name(tmp_path: Path) -> None:
    found = read_all(tmp_path, "row,label\n7,1\nx,1\n", features(row="number"))
    assert found.quarantined.to_dict("list")["row (cell)"] == ["x"]
    assert found.quarantined["row"].tolist() == [2]


def test_stored_times_and_bytes_are_set_aside_as_text() -> None:
    moment = pd.Timestamp("2026-01-31T09:30", tz="UTC")
    table = pa.table({"at": [moment, moment], "raw": [b"\xff", None]})
    frame = set_aside(Contents(table), ["at", "raw"], [Fault("at", "x", "y", np.array([0]))])
    assert frame["at"].tolist() == ["2026-01-31 09:30:00.000000Z"]
    assert isinstance(frame["raw"][0], str)


def test_faults_are_counted_by_reason(tmp_path: Path) -> None:
    content = "said,size,label\nfine,-1,1\nfine,-2,x\nfine,1,1\nfine,many,y\n"
    dataset = features(said="text", size={"role": "number", "low": 0})
    found = read_all(tmp_path, content, dataset)
    assert faults(found) == {
        "column 'size': expected a number, with a decimal point and without separators": 1,
        "column 'size': expected at least 0": 2,
        "column 'label': expected one of '-1', '0', '1'": 2,
    }
    assert "column 'label': expected one of '-1', '0', '1', got 'x', 'y' in 2 (rows 2, 4)" in (
        rejection(found)
    )


@pytest.mark.parametrize("name", ["day.jsonl", "day.csv"])
def test_a_file_of_broken_rows_alone_has_no_rows_of_the_right_types(
    tmp_path: Path, name: str
) -> None:
    written = _csv if name == "day.csv" else _lines
    broken = GOOD | {"size": -1}
    found = read_all(tmp_path, written(broken, GOOD | {"label": 7}), WIDE, BINARY, name)
    assert re.search(r"at least 0, got other numbers in 1 \(row 1\)", rejection(found))
    assert found.quarantined["row"].tolist() == [1, 2]
    assert len(found.frame) == 0
    good = read_all(tmp_path, written(GOOD), WIDE, BINARY, name)
    paths = [tmp_path / "empty.parquet", tmp_path / "good.parquet"]
    for read, path in zip((found, good), paths, strict=True):
        write_shard(read.parts, path)
    assert pq.read_schema(paths[0]).equals(pq.read_schema(paths[1]))
    pd.testing.assert_frame_equal(joined(paths), joined([paths[1]]))


def test_a_column_of_a_wrong_type_rejects_the_file_with_all_else_that_is_wrong(
    tmp_path: Path,
) -> None:
    path = tmp_path / "day.parquet"
    pq.write_table(pa.table({"said": [1, 2, 3], "size": [1, -1, 1], "label": [1, 1, 9]}), path)
    dataset = features(said="text", size={"role": "number", "low": 0})
    with pytest.raises(DataRejected, match="3 faults in 3 rows") as rejected:
        read_all(tmp_path, path.read_bytes(), dataset, name="day.parquet")
    assert "'said': expected text, got int64\n" in str(rejected.value)


def test_a_column_of_objects_rejects_the_file_unless_it_is_ignored(tmp_path: Path) -> None:
    dataset = features(size="number").model_copy(update={"ignore": {"more": "unused"}})
    fine = '{"size": 1, "more": {"secret": 1}, "label": 1}\n'
    assert len(read_all(tmp_path, fine, dataset, name="day.jsonl").frame) == 1
    with pytest.raises(DataRejected, match="'size': expected a number, got nested objects") as told:
        read_all(tmp_path, '{"size": {"secret": 1}, "label": 1}\n', dataset, name="day.jsonl")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("column", [*WIDE.columns, "id", "at", "times", "label"])
def test_an_object_among_plain_cells_is_a_broken_row_whatever_its_column(
    tmp_path: Path, column: str
) -> None:
    rows = (GOOD, GOOD | {column: {"secret": [1]}}, GOOD)
    found = read_all(tmp_path, _lines(*rows), WIDE, BINARY, "day.jsonl")
    assert found.frame["__row"].tolist() == [1, 3]
    (row,) = found.quarantined.to_dict("records")
    assert row["row"] == 2
    assert row["reasons"].startswith(f"column {column!r}: expected ")
    assert ";" not in row["reasons"]
    assert row[column] == '{"secret": [1]}'
    assert "got other cells in 1 (row 2)" in rejection(found)
    assert "secret" not in rejection(found)


def test_a_line_that_is_no_row_is_set_aside_as_it_stands(tmp_path: Path) -> None:
    cut = _lines(GOOD)[:-20] + "secret"
    content = f"{_lines(GOOD)}{cut}\n\n{_lines(GOOD | {'size': -1}, GOOD)}"
    found = read_all(tmp_path, content, WIDE, BINARY, "day.jsonl")
    assert found.frame["__row"].tolist() == [1, 4]
    assert found.quarantined["row"].tolist() == [2, 3]
    assert found.quarantined["reasons"].tolist() == [
        "no JSON object",
        "column 'size': expected at least 0",
    ]
    assert found.quarantined["line"].fillna("").tolist() == [cut, ""]
    assert found.quarantined["size"].isna().tolist() == [True, False]
    assert (
        "\n  expected one JSON object in each line, got no JSON object in 1 (row 2)"
        in rejection(found)
    )
    assert "secret" not in rejection(found)


def test_a_line_that_is_no_row_refuses_rows_to_be_answered(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    path.write_text(_lines(GOOD) + "secret\n")
    with pytest.raises(DataRejected, match=r"1 fault in 2 .*\n.*object in 1 \(row 2\)") as rejected:
        read_unlabelled(path, "new.jsonl", WIDE)
    assert "secret" not in str(rejected.value)


def test_each_label_of_a_row_can_break_it(tmp_path: Path) -> None:
    label = MultiTaskLabel(columns={"mood": ("sad", "calm"), "sure": (True, False)})
    content = "size,mood,sure\n1,sad,true\n1,angry,false\n1,calm,perhaps\n1,,\n"
    found = read_all(tmp_path, content, features(size="number"), label)
    assert found.frame[["__label0", "__label1"]].to_numpy().tolist() == [[0, 0]]
    assert found.quarantined["row"].tolist() == [2, 3, 4]
    assert found.quarantined["reasons"][2] == (
        "column 'mood': expected a value in every row; column 'sure': expected a value in every row"
    )


def test_rows_to_be_answered_are_refused_with_all_faults_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    path.write_text(_lines(GOOD, GOOD | {"size": -1}, GOOD | {"face": [1]}))
    with pytest.raises(DataRejected, match=r"new\.jsonl: 2 faults in 3 rows") as rejected:
        read_unlabelled(path, "new.jsonl", WIDE)
    assert "at least 0, got other numbers in 1 (row 2)" in str(rejected.value)
    assert "a list of 2 finite numbers, got other cells in 1 (row 3)" in str(rejected.value)


def test_a_fault_of_a_column_is_one_of_every_row() -> None:
    assert broken_rows([Fault("a", "text", "int64")], 2).tolist() == [True, True]
    assert broken_rows([Fault("a", "x", "y", np.array([1]))], 2).tolist() == [False, True]


def test_a_message_names_the_first_rows_only() -> None:
    tally = Tally("day.csv")
    tally.add([Fault("a", "x", "y", np.arange(4_000))])
    (finding,) = tally.findings
    assert (finding.count, finding.rows) == (4_000, tuple(range(1, 101)))
    told = message([finding], 9_000)
    assert "column 'a': expected x, got y in 4,000 (rows 1, 2, 3, 4, 5, ...)" in told
    assert told.startswith("day.csv: 1 fault in 9,000 rows:")


def test_a_finding_says_what_the_row_is_told(tmp_path: Path) -> None:
    found = read_all(
        tmp_path, "said,size,label\nx,many,1\nx,1,9\nx,1,8\n", features(said="text", size="number")
    )
    assert [(f.object_name, f.column, f.got, f.count, f.rows) for f in found.findings] == [
        ("day.csv", "size", "other cells", 1, (1,)),
        ("day.csv", "label", "'9', '8'", 2, (2, 3)),
    ]
    assert [f.reason for f in found.findings] == list(faults(found))
