import subprocess
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.reading.tables import read_table, read_unlabelled, to_arrow
from schemas.dataset import Dataset
from schemas.faults import DataRejected
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, targets
from tests.learning.reading.tables import (
    HEADER,
    MIXED,
    TEXT_ONLY,
    features,
    read,
    read_all,
    rejection,
)
from tests.real_data import COMMENTS

MIXED_ROWS = (
    f"{HEADER}\n"
    "570306133677760513,2026-01-31T09:30:00Z,So good,1.5,a,,1\n"
    "570306133677760514,2026-01-31T09:31:00Z,,,,x,-1\n"
)


def test_rows_come_typed_and_in_file_order(tmp_path: Path) -> None:
    frame = read(tmp_path, MIXED_ROWS, MIXED)
    kinds = {column: str(kind) for column, kind in frame.dtypes.items()}
    assert kinds == {
        "said": "str", "size": "float64", "kind": "str", "__label0": "int16", "__key": "uint64",
        "__cells": "uint64", "__blank": "bool", "__time": "datetime64[us, UTC]", "__row": "int64",
    }  # fmt: skip
    assert frame["__label0"].tolist() == [2, 0]
    assert frame["__row"].tolist() == [1, 2]
    assert frame["__blank"].tolist() == [False, True]
    assert frame.loc[1, ["said", "size", "kind"]].isna().all()


def test_csv_gzip_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    pd.DataFrame({"said": ["a b", None], "label": [1, -1]}, index=[7, 8]).to_parquet(path)
    stored = read(tmp_path, path.read_bytes(), name="day.parquet")
    written = read(tmp_path, "said,label\na b,1\n,-1\n")
    pd.testing.assert_frame_equal(stored, written)


def test_the_class_na_is_a_class(tmp_path: Path) -> None:
    label = SingleLabel(column="label", classes=("NA", "null"))
    assert read(tmp_path, "said,label\nx,NA\ny,null\n", label=label)["__label0"].tolist() == [0, 1]


def test_neighbouring_large_ids_are_two_cases(tmp_path: Path) -> None:
    assert read(tmp_path, MIXED_ROWS, MIXED)["__key"].nunique() == 2


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    dataset = Dataset.model_validate(
        {
            "source": "x",
            "columns": {
                "said": {"role": "text", "max_chars": 5},
                "size": {"role": "number", "low": 0, "required": True},
                "kind": {"role": "category", "levels": ["a", "b"]},
            },
            "key": "id",
            "time": "at",
        }
    )
    content = (
        "id,at,said,size,kind,label\n"
        "1,2026-01-31T09:30:00Z,fine,1,a,1\n"
        ",2026-01-31T09:30:00,far too long,-1,c,9\n"
        "3,,fine,many,a,\n"
        "4,2026-01-31T09:30:00Z,fine,,,1\n"
        "5,2026-01-31T09:30:00Z,fine,inf,b,x\n"
    )
    told = rejection(read_all(tmp_path, content, dataset)).splitlines()
    assert told[0] == "day.csv: 11 faults in 5 rows:"
    assert sorted(told[1:-1]) == sorted(
        [
            "  column 'size': expected a number, with a decimal point and without separators, "
            "got other cells in 1 (row 3)",
            "  column 'at': expected a time with its offset from UTC, such as "
            "2026-01-31T09:30:00Z, got other cells in 1 (row 2)",
            "  column 'said': expected at most 5 characters (max_chars), "
            "got text of 12 characters in 1 (row 2)",
            "  column 'size': expected a value in every row, got missing cells in 1 (row 4)",
            "  column 'size': expected at least 0, got other numbers in 1 (row 2)",
            "  column 'size': expected a finite number, got infinite numbers in 1 (row 5)",
            "  column 'kind': expected one of 'a', 'b', got text of 1 character in 1 (row 2)",
            "  column 'label': expected a value in every row, got missing cells in 1 (row 3)",
            "  column 'label': expected one of '-1', '0', '1', got '9', 'x' in 2 (rows 2, 5)",
            "  column 'id': expected a value in every row, got missing cells in 1 (row 2)",
            "  column 'at': expected a value in every row, got missing cells in 1 (row 3)",
        ]
    )


def test_cells_that_are_too_long_are_told_by_their_length(tmp_path: Path) -> None:
    told = rejection(read_all(tmp_path, f"said,label\n{'x' * 3_000_000},1\nfine,1\n"))
    assert "got text of 3,000,000 characters in 1 (row 1)" in told
    long = "".join(f"{'x' * size},1\n" for size in (200_000, 300_000))
    told = rejection(read_all(tmp_path, f"said,label\n{long}"))
    assert "got text of up to 300,000 characters in 2" in told


def test_what_is_told_quotes_no_text(tmp_path: Path) -> None:
    dataset = Dataset.model_validate(
        {"source": "x", "columns": {"said": {"role": "text", "max_chars": 3}}}
    )
    told = rejection(read_all(tmp_path, "said,label\nmy secret,1\n", dataset))
    assert "at most 3 characters" in told
    assert "secret" not in told


def test_the_first_unknown_labels_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"x,{label}\n" for label in "abcdefg")
    told = rejection(read_all(tmp_path, f"said,label\n{rows}"))
    assert "got 'a', 'b', 'c', 'd', 'e', ... in 7" in told


def test_a_misspelt_column_gets_its_likely_name(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="Did you mean 'siad' for 'said'"):
        read(tmp_path, "siad,label\nx,1\n")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("day.csv", "my secret,1\nso,1\n"),
        ("day.csv", "my secret,my secret\nso,1\n"),
        ("day.jsonl", '{"my secret": 1, "saids": 2}\n'),
    ],
    ids=["no-header", "equal-cells", "other-keys"],
)
def test_what_seems_no_header_is_not_shown(tmp_path: Path, name: str, content: str) -> None:
    told = r"other names: is its first|more than once"
    with pytest.raises(DataRejected, match=told) as refusal:
        read(tmp_path, content, name=name)
    assert "secret" not in f"{refusal.value}{refusal.value.findings}"
    with pytest.raises(DataRejected, match=told) as refusal:
        read_unlabelled(tmp_path / name, name, TEXT_ONLY)
    assert "secret" not in f"{refusal.value}{refusal.value.findings}"


@pytest.mark.parametrize("others", ['"said": "x"', '"SAID ": "x"'], ids=["unknown", "misspelt"])
def test_of_a_long_name_only_the_start_is_shown(tmp_path: Path, others: str) -> None:
    line = f'{{{others}, "label": 1, "Dear Dr. Smith, I write about my secret illness": 1}}'
    with pytest.raises(
        DataRejected, match=r"'Dear Dr\. Smith, I write about my secr\.\.\.'"
    ) as told:
        read(tmp_path, line, name="day.jsonl")
    assert "secret" not in f"{told.value}{told.value.findings}"


def test_a_column_that_the_plan_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"beyond the plan's, got 'extra'\. Add each to"):
        read(tmp_path, "said,label,extra\nx,1,2\n")


def test_a_text_column_stored_as_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    pd.DataFrame({"said": [1, 2], "label": [1, 0]}).to_parquet(path)
    with pytest.raises(DataRejected, match=r"'said': expected text, got int64\n"):
        read(tmp_path, path.read_bytes(), name="day.parquet")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([[1.0], [2.0, 3.0]], "list<double>"),
        ([[1.0], None], "list<double>"),
        ([{"a": 1}, {"a": 2}], "struct<a: int64>"),
    ],
)
def test_nested_cells_are_refused_by_their_type(
    tmp_path: Path, cells: list[object], kind: str
) -> None:
    dataset = Dataset.model_validate(
        {"source": "x", "columns": {"x": {"role": "number", "low": 0}, "y": "category"}}
    )
    pq.write_table(pa.table({"x": cells, "y": cells, "label": [1, 0]}), tmp_path / "a")
    with pytest.raises(DataRejected, match="2 faults in 2 rows") as rejected:
        read(tmp_path, (tmp_path / "a").read_bytes(), dataset, name="day.parquet")
    assert f"\n  column 'x': expected a number, got {kind}\n" in str(rejected.value)
    assert f"\n  column 'y': expected text, a number or true/false, got {kind}\n" in str(
        rejected.value
    )


def test_each_label_of_a_row_becomes_an_index_of_its_own_classes(tmp_path: Path) -> None:
    label = MultiTaskLabel(columns={"mood": ("sad", "calm", "glad"), "sure": (False, True)})
    content = "said,sure,mood\na,True,glad\nb,false,sad\n"
    frame = read(tmp_path, content, label=label)
    assert frame[["__label0", "__label1"]].to_numpy().tolist() == [[2, 1], [0, 0]]
    assert (frame[["__label0", "__label1"]].dtypes == np.int16).all()


@pytest.mark.parametrize("yes", ["1", "true", "1.0", "True"])
def test_many_labels_are_zero_and_one_however_they_are_written(tmp_path: Path, yes: str) -> None:
    label = MultiLabel(columns=("sad", "calm"))
    frame = read(tmp_path, f"said,calm,sad\na,{yes},0\nb,0,{yes}\n", label=label)
    assert frame[["__label0", "__label1"]].to_numpy().tolist() == [[0, 1], [1, 0]]


def test_a_label_that_is_left_out_is_told_with_its_likely_name(tmp_path: Path) -> None:
    label = MultiLabel(columns=("sad", "calm"))
    with pytest.raises(DataRejected, match=r"the columns 'calm', got .* 'clam' for 'calm'"):
        read(tmp_path, "said,sad,clam\na,0,1\n", label=label)


ROLES = features(
    paid="boolean",
    born={"role": "time", "format": "%d.%m.%Y", "zone": "Europe/Berlin"},
    face={"role": "embedding", "dimension": 2},
)
WITH_TIME_AND_WEIGHT = ROLES.model_copy(
    update={"time": "at", "time_format": "%Y-%m-%d", "time_zone": "UTC", "weight": "times"}
)
ROLE_ROWS = (
    "paid,born,face,at,times,label\n"
    'yes,31.01.1990,"[1, 2]",2026-01-31,0.5,1\n'
    ',,"[0.25, -2]",2026-02-01,2,0\n'
)


def test_every_role_has_its_type(tmp_path: Path) -> None:
    frame = read(tmp_path, ROLE_ROWS, WITH_TIME_AND_WEIGHT)
    kinds = {column: str(kind) for column, kind in frame.dtypes.items()}
    assert kinds == {
        "paid": "float64", "born": "datetime64[us, UTC]", "face": "object", "__label0": "int16",
        "__key": "uint64", "__cells": "uint64", "__time": "datetime64[us, UTC]",
        "__weight": "float64", "__row": "int64",
    }  # fmt: skip
    assert frame["paid"][0] == 1
    assert frame["born"][0] == pd.Timestamp("1990-01-30T23:00Z")
    assert frame.loc[1, ["paid", "born"]].isna().all()
    assert np.array_equal(np.stack(frame["face"]), np.float32([[1, 2], [0.25, -2]]))
    assert np.stack(frame["face"]).dtype == np.float32
    assert frame["__time"][1] == pd.Timestamp("2026-02-01T00:00Z")
    assert frame["__weight"].tolist() == [0.5, 2.0]


def test_prepared_rows_survive_parquet(tmp_path: Path) -> None:
    frame = read(tmp_path, ROLE_ROWS, WITH_TIME_AND_WEIGHT)
    pq.write_table(to_arrow(frame), tmp_path / "rows")
    stored = pq.read_table(tmp_path / "rows")
    assert stored.column_names == list(frame.columns)
    assert {name: str(stored[name].type) for name in ("paid", "born", "face", "__time")} == {
        "paid": "double",
        "born": "timestamp[us, tz=UTC]",
        "face": "list<element: float>",
        "__time": "timestamp[us, tz=UTC]",
    }
    pd.testing.assert_frame_equal(stored.to_pandas(), frame)
    parts = pd.concat([stored.to_pandas(), frame], ignore_index=True)
    assert to_arrow(parts).equals(pa.concat_tables([to_arrow(frame)] * 2).combine_chunks())


def test_no_rows_and_rows_set_aside_have_their_arrow_types_too(tmp_path: Path) -> None:
    found = read_all(tmp_path, ROLE_ROWS + 'x,,"[1]",2026-02-01,2,0\n', WITH_TIME_AND_WEIGHT)
    assert to_arrow(found.frame.head(0)).schema.equals(to_arrow(found.frame).schema)
    aside = to_arrow(found.quarantined)
    assert aside["row"].to_pylist() == [3]
    assert aside["face"].to_pylist() == ["[1]"]
    assert to_arrow(found.quarantined.head(0)).schema.equals(aside.schema)


def test_all_kinds_of_file_give_the_same_rows_of_every_role(tmp_path: Path) -> None:
    lines = (
        '{"paid": true, "born": "31.01.1990", "face": [1, 2], "at": "2026-01-31", "times": 0.5, '
        '"label": 1}\n'
        '{"face": [0.25, -2], "at": "2026-02-01", "times": 2, "label": 0}\n'
    )
    table = pa.table(
        {
            "paid": [True, None],
            "born": [pd.Timestamp("1990-01-30T23:00Z"), None],
            "face": pa.array([[1, 2], [0.25, -2]], pa.list_(pa.float32(), 2)),
            "at": ["2026-01-31", "2026-02-01"],
            "times": [0.5, 2.0],
            "label": [1, 0],
        }
    )
    pq.write_table(table, tmp_path / "stored")
    written = read(tmp_path, ROLE_ROWS, WITH_TIME_AND_WEIGHT)
    for name, content in (
        ("day.jsonl", lines.encode()),
        ("day.parquet", (tmp_path / "stored").read_bytes()),
    ):
        frame = read(tmp_path, content, WITH_TIME_AND_WEIGHT, name=name)
        pd.testing.assert_frame_equal(frame, written)


@pytest.mark.parametrize("column", ["__row", "__label0", "__mine"])
def test_a_column_that_begins_as_ours_do_is_refused(tmp_path: Path, column: str) -> None:
    with pytest.raises(DataRejected, match=f"do not begin with '__', .* got '{column}'"):
        read(tmp_path, f"{column},label\nx,1\n", features(**{column: "text"}))
    label = SingleLabel(column=column, classes=(0, 1))
    with pytest.raises(DataRejected, match=f"got '{column}'"):
        read(tmp_path, f"said,{column}\nx,1\n", label=label)


@pytest.mark.parametrize("other", ["so good", " So\t GOOD ", "\uff53\uff4f good", "so\u00a0good"])
def test_texts_that_a_person_calls_the_same_are_one_case(tmp_path: Path, other: str) -> None:
    frame = read(tmp_path, f'said,label\nso good,1\n"{other}",1\nso bad,1\n')
    assert frame["__key"][0] == frame["__key"][1] != frame["__key"][2]


def test_without_text_equal_cells_are_one_case(tmp_path: Path) -> None:
    dataset = Dataset.model_validate(
        {"source": "x", "columns": {"size": "number", "kind": "category"}}
    )
    content = "size,kind,label\n0,a,1\n-0.0,a,0\n,a,1\nnan,a,1\n0,,1\n0,b,1\n"
    keys = read(tmp_path, content, dataset)["__key"]
    assert (keys[0], keys[2]) == (keys[1], keys[3])
    assert keys.nunique() == 4


def test_a_table_of_numbers_alone_has_cases(tmp_path: Path) -> None:
    dataset = Dataset.model_validate({"source": "x", "columns": {"size": "number"}})
    assert read(tmp_path, "size,label\n1,1\n2,1\n1,0\n", dataset)["__key"].nunique() == 2


@pytest.mark.parametrize(
    ("column", "same", "others"),
    [
        ("paid", ("yes", "1"), ("no", "")),
        ("born", ("31.01.1990", " 31.01.1990"), ("01.02.1990", "")),
        ("face", ('"[0, 2]"', '"[-0.0, 2e0]"'), ('"[2, 0]"', '"[0, 3]"')),
    ],
)
def test_cells_of_every_role_tell_cases_apart(
    tmp_path: Path, column: str, same: tuple[str, str], others: tuple[str, str]
) -> None:
    cells = {"paid": "no", "born": "02.02.2002", "face": '"[5, 5]"'}
    rows = [",".join((cells | {column: cell}).values()) for cell in (*same, *others)]
    content = "paid,born,face,label\n" + "".join(f"{row},1\n" for row in rows)
    keys = read(tmp_path, content, ROLES)["__key"]
    assert keys[0] == keys[1]
    assert keys.nunique() == 3


def test_keys_are_the_same_in_another_process_and_for_ever() -> None:
    program = (
        "import pandas as pd; from learning.reading.marks import group_keys;"
        "from tests.learning.reading.tables import TEXT_ONLY;"
        "print(*group_keys(pd.DataFrame({'said': ['So good', None]}), TEXT_ONLY))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["15443623310052296182", "10704732026174063865"]


def test_new_rows_need_no_label_and_may_bring_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("extra,kind,said,size,id\n1,a,So good,2,007\n")
    frame = read_unlabelled(path, "new.csv", MIXED)
    assert list(frame.columns) == ["said", "size", "kind", "__key", "__row"]
    assert frame["__key"].tolist() == ["007"]
    assert frame["size"].dtype == np.float64


def test_new_rows_are_held_to_the_same_limits(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("said,size,kind\nx,many,a\n")
    with pytest.raises(DataRejected, match="'size': expected a number"):
        read_unlabelled(path, "new.csv", MIXED)


def test_new_rows_without_a_feature_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("text\nx\n")
    with pytest.raises(DataRejected, match="expected the columns 'said', got a header of 1 other"):
        read_unlabelled(path, "new.csv", TEXT_ONLY)


@pytest.mark.real_data
@pytest.mark.skipif(not COMMENTS.exists(), reason="there are no real data here")
def test_thirty_thousand_comments_are_read_in_seconds(tmp_path: Path) -> None:
    dataset = Dataset.model_validate({"source": "x", "columns": {"clean_comment": "text"}})
    label = SingleLabel(column="category", classes=(-1, 0, 1))
    started = process_time()
    parts = [
        part.frame["__label0"]
        for part in read_table(COMMENTS, COMMENTS.name, dataset, targets(label), tmp_path)
    ]
    assert process_time() - started < 5
    assert pd.concat(parts).value_counts().to_dict() == {2: 15830, 1: 13142, 0: 8277}
