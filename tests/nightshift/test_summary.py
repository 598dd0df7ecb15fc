import pytest

from nightshift.summary import MOST_LINES, night_summary
from schemas.ledger import Record
from schemas.results import ClassChange, Interval, TargetChange, Verdict
from tests.nightshift.records import printed, record

FIGURES = {
    "challenger_score": 0.95,
    "challenger_score_low": 0.9,
    "challenger_score_high": 0.99,
    "baseline_score": 0.93,
}


def verdict(classes=(), targets=()) -> Verdict:
    return Verdict(
        decision="PROMOTE",
        reference="champion (version 1)",
        reasons=(),
        target_changes=tuple(TargetChange(name=n, score=around(v)) for n, v in targets),
        class_changes=tuple(ClassChange(target=t, name=n, f1=around(v)) for t, n, v in classes),
    )


def around(value: float) -> Interval:
    return Interval(value=value, low=value - 0.01, high=value + 0.01)


def summary(night: Record) -> str:
    return printed(night_summary(night))


def test_a_promoted_night_is_told_with_its_figures_and_classes():
    told = summary(
        record(champion_after=2, verdict=verdict([("y", "[bold]yes", 0.02)]), figures=FIGURES)
    )
    for part in (
        "version 2 is the champion", "0.9500", "0.9000 to 0.9900", "baseline", "+0.0200",
        "macro-F1 on the holdout",
    ):  # fmt: skip
        assert part in told
    assert "[bold]yes" in told  # class names are never markup


def test_another_objective_is_named():
    assert "F2 of '[b]' on the holdout" in summary(record(objective="F2 of '[b]'", figures=FIGURES))


def test_a_record_of_before_there_were_objectives_is_told_by_its_macro_f1():
    figures = {name.replace("score", "macro_f1"): figure for name, figure in FIGURES.items()}
    assert "0.9000 to 0.9900" in summary(record(figures=figures))


def test_several_targets_have_a_line_each_with_their_change():
    told = summary(
        record(
            figures=FIGURES
            | {f"{r}_{t}_score": 0.5 for r in ("challenger", "baseline") for t in ("mood", "tone")},
            verdict=verdict(
                [("mood", "sad", 0.1), ("tone", "sad", -0.2)], [("mood", 0.03), ("tone", -0.04)]
            ),
        )
    )
    lines = [
        line.split() for line in told.splitlines() if line.strip().startswith(("mood", "tone"))
    ]
    assert lines[0] == ["mood", "0.5000", "0.5000", "+0.0300", "(+0.0200", "to", "+0.0400)"]
    assert lines[1][:4] == ["tone", "0.5000", "0.5000", "-0.0400"]
    assert lines[3][:3] == ["tone", "sad", "-0.2000"]


def test_a_change_of_a_target_says_against_whom():
    told = summary(
        record(
            figures=FIGURES | {f"challenger_{t}_score": 0.5 for t in ("mood", "tone")},
            verdict=verdict(targets=[("mood", 0.03), ("tone", -0.04)]),
        )
    )
    (head,) = [line for line in told.splitlines() if line.strip().startswith("target")]
    assert head.split("baseline")[1].strip() == "against champion (version 1)"


def test_labels_whose_f1_is_their_score_are_not_told_twice():
    figures = FIGURES | {f"challenger_{t}_score": 0.5 for t in ("sad", "calm")}
    same = verdict([("sad", "1", 0.03), ("calm", "1", 0.04)], [("sad", 0.03), ("calm", 0.04)])
    other = verdict([("sad", "1", 0.03), ("calm", "1", 0.01)], [("sad", 0.03), ("calm", 0.04)])
    assert "F1 against" not in summary(record(figures=figures, verdict=same))
    assert "F1 against" in summary(record(figures=figures, verdict=other))
    asking = [change.model_copy(update={"more_rows": 30}) for change in same.class_changes]
    asked = same.model_copy(update={"class_changes": tuple(asking)})
    assert "about 30" in summary(record(figures=figures, verdict=asked))


def test_of_a_hundred_labels_those_that_lost_most_are_shown():
    names = [f"label{n}" for n in range(100)]
    told = summary(
        record(
            figures=FIGURES | {f"challenger_{name}_score": 0.5 for name in names},
            verdict=verdict(
                [(name, "1", -n / 50) for n, name in enumerate(names)],
                [(name, -n / 100) for n, name in enumerate(names)],
            ),
        )
    )
    shown = [line.split()[0] for line in told.splitlines() if line.strip().startswith("label")]
    assert shown == 2 * [f"label{n}" for n in range(99, 99 - MOST_LINES, -1)]
    assert told.count(f"{100 - MOST_LINES} more: all stand in metrics.json of the MLflow run") == 2


def test_rows_in_quarantine_are_told():
    told = summary(record(quarantined={"column 'x': a number": 1203}))
    assert "1,203 rows in quarantine: column 'x': a number" in told


@pytest.mark.parametrize("contender", ["class-weighted logistic regression", "lightgbm trial 3"])
def test_a_baseline_that_contends_is_told_once(contender):
    told = summary(record(figures=FIGURES, contender=contender))
    assert (f"challenger: {contender}" in told) is True
    assert ("\n baseline" in told) == (contender == "lightgbm trial 3")


def test_a_held_night_tells_that_the_champion_stays():
    told = summary(record(outcome="held", champion_before=1, champion_after=1))
    assert "version 1 stays the champion" in told
