"""CSV is read cell by cell, or refused where another reader would guess."""

import csv
from pathlib import Path

import pytest

from learning.reading.csv_files import csv_header, exact_csv
from learning.reading.tables import Read
from learning.reading.texts import text_file
from schemas.dataset import Caps
from schemas.faults import DataRejected
from schemas.label import targets
from tests.learning.reading.tables import LABEL, features, whole


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
