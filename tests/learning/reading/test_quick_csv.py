"""CSV by all cores is the same as CSV cell by cell, or it is declined."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.reading.quick_csv import Declined
from schemas.dataset import Dataset
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
    assert quick.quarantined["reasons"].tolist() == exact.quarantined["reasons"].tolist()
    assert quick.findings == exact.findings


def test_both_readers_tell_faults_in_the_order_of_their_first_rows(tmp_path: Path) -> None:
    good = ("fine", "1", "a", "yes", "", "1", "1")
    faults = {4: (6, "9"), 11: (5, "-1"), 12: (1, "1e400"), 25: (3, "perhaps"), 31: (6, "8")}
    rows = [
        tuple(faults[at][1] if at in faults and place == faults[at][0] else cell
              for place, cell in enumerate(good))
        for at in range(1, 41)
    ]  # fmt: skip
    both = [
        _found(tmp_path, _written(rows, bare=True), quick=quick, block=block)
        for quick, block in ((False, 2**20), (True, 2**20), (True, 64), (True, 150))
    ]
    exact = both[0]
    assert isinstance(exact, Found)
    assert [finding.rows for finding in exact.findings] == [(4, 31), (11,), (12,), (25,)]
    for quick in both[1:]:
        assert isinstance(quick, Found)
        assert quick.findings == exact.findings


def test_plain_rows_are_not_declined(tmp_path: Path) -> None:
    first = ('so, "good"\nday', "1.5", "a", "yes", "", "1", "1")
    rows = [first, ("b", "NA", "", "", "", "2", "0")]
    found = _found(tmp_path, _written(rows * 50, bare=False), quick=True, block=300)
    assert isinstance(found, Found)
    assert len(found.frame) == 100
    assert len(found.parts) > 1
    assert found.frame["__row"].tolist() == list(range(1, 101))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("quoted", [True, False])
def test_rows_are_whole_wherever_a_piece_ends(
    tmp_path: Path, mark: str, end: str, quoted: bool
) -> None:
    path = tmp_path / "day.csv"
    said = [f'"{"n" * (row % 7)}\n,""{row}"""' if quoted else f"n{row}" for row in range(60)]
    rows = [f"{cell},{row}.5,1" for row, cell in enumerate(said)]
    path.write_text(mark + end.join(["said,size,label", *rows]), newline="")
    asked = features(said="text", size="number"), targets(LABEL)
    exact = whole(path, "day.csv", *asked)
    for block in (41, 64, 100, 333, 2**20):
        quick = whole(path, "day.csv", *asked, quick=True, block=block)
        pd.testing.assert_frame_equal(quick.frame, exact.frame)


@pytest.mark.parametrize(
    "cell",
    ['5" disk', '"a"b"c"', 'x"\n"y', f'"{"long " * 30}"', f'"{"rows " * 30}\n"'],
    ids=["inside", "after a quoted one", "around an end", "a long cell", "a long cell of lines"],
)
def test_what_quotes_do_not_tell_for_certain_is_declined(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "day.csv"
    path.write_text("said,label\n" + "a,1\n" * 20 + f"{cell},1\n" + "a,1\n" * 20)
    with pytest.raises(Declined, match=r"^$"):
        whole(path, "day.csv", features(said="text"), targets(LABEL), quick=True, block=100)
