"""The owner's report: what, where, what to do; readable, complete beside, and never markup."""

from learning.reading.quarantine import ADVICE
from learning.reports.validation import ALL, MOST_LINES, findings_frame, validation_page
from schemas.findings import Finding
from schemas.validation import Validation

NUMBERS = Finding(
    object_name="a.csv",
    column="amount",
    expected="a number",
    got="other cells",
    count=12,
    rows=tuple(range(4, 16)),
    todo="Fix the export.",
)
BYTES = Finding(
    object_name="b.csv", expected="utf-8", got="other bytes", offsets=(17, 40), todo="Recode."
)
FLOOR = Finding(object_name="", column="y", expected="two classes", got="one")


def page(*findings: Finding, rejected: str = "") -> str:
    told = Validation(
        plan="p", run_id="r", rejected=rejected, objects=2, rows=90, findings=findings
    )
    return validation_page(told, "/home/me/findings.csv")


def test_a_line_tells_object_column_rule_count_rows_and_what_to_do() -> None:
    assert (
        "| a.csv | amount | a number | other cells | 12 "
        "| rows 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ... | Fix the export. |"
    ) in page(NUMBERS)


def test_bytes_that_are_no_text_are_told_by_offset() -> None:
    assert "| b.csv | - | utf-8 | other bytes | - | bytes 17, 40 | Recode. |" in page(BYTES)


def test_a_rule_of_all_objects_is_told_as_such_and_has_an_advice() -> None:
    assert f"| {ALL} | y | two classes | one | - | as a whole | {ADVICE} |" in page(FLOOR)


def test_a_night_that_went_on_tells_how_much_was_valid() -> None:
    assert page(NUMBERS).startswith(
        "# p: 12 faults in rows that were set aside; 90 valid rows of 2 objects"
    )


def test_a_rejection_tells_why_and_that_the_champion_stays() -> None:
    told = page(FLOOR, rejected="Too little to train on.\nAdd rows.")
    assert told.startswith("# p: data rejected")
    assert "The champion stays" in told
    assert "Too little to train on." in told
    assert "Add rows." in told


def test_what_broke_most_rows_comes_first_and_the_rest_is_in_the_file() -> None:
    findings = [NUMBERS.model_copy(update={"count": n, "column": f"c{n}"}) for n in range(1, 151)]
    told = page(*findings)
    lines = [line for line in told.splitlines() if line.startswith("| a.csv")]
    assert len(lines) == MOST_LINES
    assert lines[0].startswith("| a.csv | c150 |")
    assert "50 more findings, and all row numbers" in told
    assert "/home/me/findings.csv" in told


def test_a_hundred_thousand_findings_stay_readable() -> None:
    findings = [
        FLOOR.model_copy(update={"got": 400 * "x", "column": str(n)}) for n in range(100_000)
    ]
    assert len(page(*findings, rejected="\n".join(5000 * ["line"]))) < 100_000


def test_names_are_never_markup() -> None:
    name = "<img src=x>|[go](http://x) `*_\u202e"
    told = page(FLOOR.model_copy(update={"object_name": name, "column": name}), rejected=name)
    assert "<img" not in told
    assert "[go](" not in told
    assert "\u202e" not in told
    (line,) = (line for line in told.splitlines() if line.startswith("| &lt;img"))
    assert line.replace(r"\|", "").count("|") == 8


def test_the_table_has_a_line_for_each_finding_with_all_kept_rows() -> None:
    table = findings_frame([NUMBERS, BYTES, FLOOR])
    assert table["object"].tolist() == ["a.csv", "b.csv", ALL]
    assert table["rows"].tolist() == [12, 0, 0]
    assert table["row_numbers"][0] == "4 5 6 7 8 9 10 11 12 13 14 15"
    assert table["byte_offsets"][1] == "17 40"
    assert table["what_to_do"].tolist() == ["Fix the export.", "Recode.", ADVICE]
