import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from nightshift.rendering import (
    exit_code,
    night_summary,
    nights_table,
    show,
    show_json,
    versions_table,
)
from schemas.ledger import Champion, Record, Version
from schemas.manifest import Changes
from schemas.results import ClassChange, Interval, Verdict

START = datetime(2026, 1, 2, 2, 0, tzinfo=UTC)


def record(**facts) -> Record:
    facts = {
        "plan": "quickstart",
        "outcome": "promoted",
        "run_id": "abc",
        "started_at": START,
        "ended_at": START + timedelta(seconds=75),
        "reasons": ("macro-F1 rose",),
        "plan_digest": "d",
        "code_version": "1",
        **facts,
    }
    return Record(**facts)


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


def printed(told) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(told)
    return console.export_text()


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
    for part in ("2026-01-02 02:00", "promoted", "1 -> 2", " 3 ", "0.9123", "1 min 15 s", "rose"):
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


def test_a_promoted_night_is_told_with_its_figures_and_classes():
    verdict = Verdict(
        decision="PROMOTE",
        reference="champion (version 1)",
        reasons=(),
        class_changes=(
            ClassChange(name="[bold]yes", f1=Interval(value=0.02, low=-0.01, high=0.05)),
        ),
    )
    told = printed(
        night_summary(
            record(
                champion_after=2,
                verdict=verdict,
                figures={
                    "challenger_macro_f1": 0.95,
                    "challenger_macro_f1_low": 0.9,
                    "challenger_macro_f1_high": 0.99,
                    "baseline_macro_f1": 0.93,
                },
            )
        )
    )
    for part in ("version 2 is the champion", "0.9500", "0.9000 to 0.9900", "baseline", "+0.0200"):
        assert part in told
    assert "[bold]yes" in told  # class names are never markup


def test_a_held_night_tells_that_the_champion_stays():
    told = printed(night_summary(record(outcome="held", champion_before=1, champion_after=1)))
    assert "version 1 stays the champion" in told


def test_json_is_a_list_of_whole_records(capsys):
    show_json([record()])
    (told,) = json.loads(capsys.readouterr().out)
    assert Record.model_validate(told) == record()
