import stat
from pathlib import Path

import pandas as pd
import pytest

from learning.rows.exports import harmless, set_aside_in


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@sum", "\tx", "\rx", "-1+1", "=A()"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert harmless(pd.DataFrame({"a": [cell, None]}))["a"].tolist()[0] == "'" + cell


def test_a_name_that_a_spreadsheet_would_run_is_quoted() -> None:
    frame = pd.DataFrame({"=A()": ["=1"], "-5": [1], "said": ["x"]})
    assert list(harmless(frame)) == ["'=A()", "-5", "said"]
    assert frame.columns[0] == "=A()"


@pytest.mark.parametrize("cell", ["-5", "+5", "-.5e-3", "so", "a=b", "", " =x"])
def test_plain_numbers_and_texts_stay(cell: str) -> None:
    assert harmless(pd.DataFrame({"a": [cell]}))["a"].tolist() == [cell]


def test_rows_are_added_below_and_appear_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "aside" / "day.csv"
    with set_aside_in(path) as aside:
        aside.add(pd.DataFrame({"row": [1], "said": ["=a"]}))
        aside.clear()
        aside.add(pd.DataFrame({"row": [2], "said": ["b"]}))
        aside.add(pd.DataFrame({"row": [3], "said": ["=c"]}))
        assert not path.exists()
    assert path.read_text() == "row,said\n2,b\n3,'=c\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_rows_are_no_file_and_a_fault_leaves_none(tmp_path: Path) -> None:
    with set_aside_in(tmp_path / "a.csv"):
        pass
    with pytest.raises(ValueError, match="halfway"):
        _half(tmp_path / "b.csv")
    assert list(tmp_path.iterdir()) == []


def _half(path: Path) -> None:
    with set_aside_in(path) as aside:
        aside.add(pd.DataFrame({"row": [1]}))
        raise ValueError("halfway")
