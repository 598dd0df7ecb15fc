"""CSV by all cores is the same as CSV cell by cell, or it is declined."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.reading.csv_files import Declined, csv_header, exact_csv
from learning.reading.tables import Read
from learning.reading.texts import text_file
from schemas.dataset import Caps, Dataset
from schemas.faults import DataRejected
from schemas.label import targets
from tests.learning.reading.tables import LABEL, Found, features, whole

ALL_KINDS = Dataset.model_validate(
    {
        "source": "x",
        "columns": {"said": "text", "size": "number", "kind": "category", "paid": "boolean"},
        "ignore": {"note": "unused"},
        "weight": "times",
    }
)
HEADER = "said,size,kind,paid,note,times,label"

NUMBERS = st.sampled_from(
    [
        *("", "1", "-0.5", "1e3", "NA", "nan", "-nan", "Null", " 2 ", "\t3", "+5", ".5", "5."),
        *("inf", "-Infinity", "1e400", "0x1", "1_0", "1,5", "many", " ", " NA", "\u00a04"),
        *('"7"', '""', "9" * 30),
    ]
)
TEXTS = st.text(alphabet='ab ,"\n\r\té€=', max_size=6)
CELLS = st.tuples(
    TEXTS,
    NUMBERS,
    st.sampled_from(["a", "b", "", "NA", "c d"]),
    st.sampled_from(["yes", "0", "", "TRUE", "perhaps"]),
    TEXTS,
    st.sampled_from(["1", "0.5", "2.0", "-1", ""]),
    st.sampled_from(["1", "0", "-1", "1.0", "+1", "", "9"]),
)


def _written(rows: list[tuple[str, ...]], bare: bool) -> str:
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    plain = (",".join(row) for row in rows)
    return "\n".join([HEADER, *(plain if bare else quoted)]) + "\n"


def _found(folder: Path, content: str, *, quick: bool, block: int) -> Found | str:
    path = folder / "day.csv"
    path.write_bytes(content.encode())
    try:
        return whole(path, "day.csv", ALL_KINDS, targets(LABEL), quick=quick, block=block)
    except DataRejected as fault:
        return str(fault)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(CELLS, max_size=8), bare=st.booleans(), block=st.sampled_from([64, 300, 4096]))
def test_the_quick_reader_gives_what_the_exact_one_gives_or_declines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], bare: bool, block: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    content = _written(rows, bare)
    exact = _found(folder, content, quick=False, block=2**20)
    try:
        quick = _found(folder, content, quick=True, block=block)
    except Declined:
        return
    if isinstance(exact, str) or isinstance(quick, str):
        assert quick == exact
        return
    pd.testing.assert_frame_equal(quick.frame, exact.frame)
    assert quick.quarantined["row"].tolist() == exact.quarantined["row"].tolist()
    assert _reasons(quick) == _reasons(exact)
    assert {(f.reason, f.rows) for f in quick.findings} == {
        (f.reason, f.rows) for f in exact.findings
    }


def _reasons(found: Found) -> list[set[str]]:
    return [set(told.split("; ")) for told in found.quarantined["reasons"]]


def test_plain_rows_are_not_declined(tmp_path: Path) -> None:
    first = ('so, "good"\nday', "1.5", "a", "yes", "", "1", "1")
    rows = [first, ("b", "NA", "", "", "", "2", "0")]
    found = _found(tmp_path, _written(rows * 50, bare=False), quick=True, block=300)
    assert isinstance(found, Found)
    assert len(found.frame) == 100
    assert len(found.parts) > 1
    assert found.frame["__row"].tolist() == list(range(1, 101))


@pytest.mark.parametrize("block", [40, 200, 2**20])
def test_blocks_change_nothing_and_rows_of_a_wrong_width_keep_their_numbers(
    tmp_path: Path, block: int
) -> None:
    path = tmp_path / "object"
    path.write_text("a,b\n" + "1,2\n" * 30 + "3\n" + "1,2\n" * 30 + "4,5,6\n")
    text = text_file(path, "day.csv", "utf-8", Caps(), tmp_path)
    assert csv_header(text, "day.csv", Caps()) == ["a", "b"]
    with pytest.raises(DataRejected, match=r"got 1 or 3 in 2 \(rows 31, 62\)"):
        list(exact_csv(text, ["a"], 2, "day.csv", Caps(), block))


def test_a_row_may_be_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_text("a,b\n" + "1,2\n" * 30 + f'"{"x" * 5_000}",2\n' + "3,4\n")
    text = text_file(path, "day.csv", "utf-8", Caps(), tmp_path)
    cells = [c for t in exact_csv(text, ["a"], 2, "x", Caps(), 64) for c in t["a"].to_pylist()]
    assert cells == ["1"] * 30 + ["x" * 5_000, "3"]


def test_an_odd_number_of_quotes_is_no_fault_of_a_long_cell(tmp_path: Path) -> None:
    path, before = tmp_path / "object", csv.field_size_limit()
    path.write_text(f'a,b\n5" disk,"{"x" * 200_000}"\n')
    text = text_file(path, "day.csv", "utf-8", Caps(), tmp_path)
    assert csv_header(text, "day.csv", Caps()) == ["a", "b"]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("quick", [True, False])
def test_a_formula_is_kept_as_it_stands(tmp_path: Path, quick: bool) -> None:
    path = tmp_path / "day.csv"
    path.write_text('said,label\n"=HYPERLINK(""x"")",1\n')
    found = whole(path, "day.csv", features(said="text"), targets(LABEL), quick=quick)
    assert found.frame["said"].tolist() == ['=HYPERLINK("x")']


def test_parts_say_how_many_rows_came_before(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("size,label\n" + "1,1\n" * 20 + "x,1\n")
    found = whole(path, "day.csv", features(size="number"), targets(LABEL), block=30)
    assert found.quarantined["row"].tolist() == [21]
    assert found.findings[0].rows == (21,)
    parts: list[Read] = found.parts
    assert [part.start for part in parts] == [
        sum(part.rows for part in parts[:place]) for place in range(len(parts))
    ]
