"""Files that can't be read as the plan's table: refused whole, told, and no harm is done."""

import re
from collections.abc import Iterator

import pytest

from tests.faults import bad_files
from tests.faults.standing import BAD, Standing, Told, as_csv, fine_without, refused, rows

pytestmark = pytest.mark.filterwarnings("default")

GOOD = as_csv(rows()).decode()
HEADER = GOOD.splitlines()[0]
LATIN = GOOD.replace("red", "r\u00e9d").encode("latin-1")

CASES: dict[str, tuple[bytes, str, str]] = {  # content, got, what to do
    "empty.csv": (b"", "empty file", "Fill or remove it"),
    "header.csv": (f"{HEADER}\n".encode(), "no rows", "Add rows, or remove it"),
    "latin.csv": (LATIN, "another encoding", "UTF-8"),
    "utf16.csv": (GOOD.encode("utf-16"), "another encoding|UTF-16", "UTF-8|dataset.encoding"),
    "nul.csv": (GOOD.replace("red", "r\x00d", 1).encode(), "NUL byte", "Export it"),
    "long.csv": (GOOD.replace("blue", "blue,more", 1).encode(), r"8 in 1 .*row 2", "quotes"),
    "short.csv": (GOOD.replace("blue,", "", 1).encode(), r"6 in 1 .*row 2", "quotes"),
    "twice.csv": (
        GOOD.replace("id,x,", "id,id,", 1).encode(),
        r"more than once .*columns 1, 2",
        "Rename",
    ),
    "renamed.csv": (GOOD.replace(",note,", ",remark,", 1).encode(), "'remark'", "Correct the"),
    "truncated.parquet": (bad_files.parquet()[:-20], "can't be read", "Export it again"),
    "words.jsonl": (b"no json\n", "no rows|JSON", ""),
}


@pytest.fixture(scope="module")
def night(shared_world: Standing) -> Iterator[Told]:
    """All of them at once."""
    for name, (content, _, _) in CASES.items():
        shared_world.put(content, name)
    yield refused(shared_world)
    fine_without(shared_world, *CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(night: Told, name: str) -> None:
    _, got, todo = CASES[name]
    finding = night.of(name)
    assert finding["rows"] == 0
    assert re.search(got, finding["got"]), finding
    assert re.search(todo, finding["what_to_do"]), finding


def test_bytes_of_another_encoding_are_told_by_offset(night: Told) -> None:
    assert night.of("latin.csv")["byte_offsets"].split()[0] == str(LATIN.index(b"\xe9"))


def test_the_message_names_the_first_objects_and_counts_the_others(night: Told) -> None:
    told = night.record.reasons[0]
    assert sum(name in told for name in CASES) == 10
    assert "and 1 more object" in told


def test_a_mended_object_is_read_and_its_rows_are_learned_from(world: Standing) -> None:
    world.put(b"")
    refused(world)
    world.put(b"\xef\xbb\xbf" + as_csv(rows()))  # with the mark that spreadsheets put first
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}, record.reasons
    assert record.changes.new == (BAD,)
    assert record.figures["train_rows"] + record.figures["holdout_rows"] == 660
