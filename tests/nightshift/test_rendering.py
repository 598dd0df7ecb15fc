import json

import pytest

from nightshift.rendering import (
    exit_code,
    nights_table,
    show,
    show_json,
    versions_table,
)
from schemas.ledger import Champion, Record, Version
from schemas.manifest import Changes
from schemas.results import Interval
from tests.nightshift.records import START, printed, record


def version(number: int) -> Version:
    return Version(
        plan="quickstart",
        number=number,
        digest=f"{number}" * 64,
        family="lightgbm trial 3",
        run_id="abc",
        created_at=START,
        score=Interval(value=0.9, low=0.85, high=0.95),
        holdout_rows=1234,
    )


@pytest.mark.parametrize(
    ("outcome", "note", "code"),
    [
        ("promoted", "", 0),
        ("held", "", 0),
        ("insufficient-evidence", "", 0),
        ("skipped", "", 0),
        ("rolled-back", "", 0),
        ("rejected-data", "", 3),
        ("failed", "", 4),
        ("failed", "killed", 4),
        ("failed", "bad-plan", 2),
    ],
)
def test_an_outcome_has_its_exit_code(outcome, note, code):
    assert exit_code(record(outcome=outcome, note=note)) == code


def test_a_line_of_the_ledger_tells_when_what_and_why():
    told = printed(
        nights_table(
            [
                record(
                    champion_before=1,
                    champion_after=2,
                    changes=Changes(new=("a", "b"), changed=("c",)),
                    figures={"challenger_macro_f1": 0.91234},
                )
            ]
        )
    )
    for part in (
        "2026-01-02 02:00",
        "promoted",
        "1 -> 2",
        "2, 1 changed",
        "0.9123",
        "1 min 15 s",
        "rose",
    ):
        assert part in told


def test_without_a_terminal_a_night_is_one_line_with_its_whole_reason(capsys):
    reasons = ("rejected:\n  column 'x': " + "long " * 100 + "end", "and one more")
    show(nights_table([record(reasons=reasons), record()]))
    _, _, *lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2
    assert lines[0].rstrip().endswith("long end and one more")


def test_a_terminal_cuts_a_reason_to_its_width():
    told = printed(nights_table([record(reasons=("long " * 100 + "end",))]))
    assert max(map(len, told.splitlines())) <= 160
    assert "\u2026" in told


def test_the_champion_is_marked_among_versions():
    champion = Champion(plan="quickstart", version=2, digest="2" * 64, since=START, run_id="abc")
    lines = printed(versions_table([version(1), version(2)], champion)).splitlines()
    assert [("champion" in line) for line in lines if "lightgbm" in line] == [False, True]
    assert "0.9000 (0.8500 to 0.9500)" in lines[-1] + lines[-2]


def test_the_score_says_by_what_where_it_is_not_macro_f1():
    figures = {"challenger_score": 0.7, "challenger_score_low": 0.6, "challenger_score_high": 0.8}
    other = record(figures=figures, objective="F2 of '[b]'")
    told = printed(nights_table([record(figures=figures), other]))
    assert told.count("0.7000") == 2
    assert told.count("0.7000 F2 of '[b]'") == 1


def test_json_is_a_list_of_whole_records(capsys):
    show_json([record()])
    (told,) = json.loads(capsys.readouterr().out)
    assert Record.model_validate(told) == record()
