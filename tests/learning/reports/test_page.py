"""The page is rendered from the night's record alone; these records are made by hand."""

import html

import numpy as np
import pytest

from learning.reports.markdown import MOST_LINES
from learning.reports.page import headline, page
from learning.reports.trials import leaderboard
from schemas.label import Target
from schemas.night import BASELINE
from schemas.profile import Move
from tests.learning.records import CONFUSIONS, LABELS, MOOD, POLARITY, about, night, trial


def _tables(told: str) -> list[list[str]]:
    """The lines of each table."""
    blocks = (block.splitlines() for block in told.split("\n\n"))
    return [block for block in blocks if block[0].startswith("|")]


def test_trials_of_all_families_are_ranked_together_and_failed_ones_left_out():
    rows = leaderboard(night(POLARITY).studies, "macro-F1")
    assert [(row["family"], row["trial"], row["macro-F1"]) for row in rows] == [
        ("logistic-regression", "0", "0.8000"),
        ("lightgbm", "0", "0.7000"),
        ("logistic-regression", "1", "0.6000"),
    ]


def test_a_trial_on_fewer_folds_stands_behind_all_that_finished():
    study = night(POLARITY).studies[0]
    trials = (trial(0, 0.9, cut_off=True), trial(1, 0.2))
    rows = leaderboard([study.model_copy(update={"trials": trials})], "PR-AUC")
    assert [row["PR-AUC"] for row in rows] == ["0.2000", "0.9000"]


def test_the_page_says_what_was_new_what_was_dropped_and_who_stays():
    told = night(POLARITY)
    for words in (
        "3 objects: 1 new, 0 changed, 0 vanished",
        "80 rows to train on, 8 in the holdout",
        "4 rows dropped: text missing or blank",
        "3 rows in quarantine: column 'x': a number",
        "2 holdout rows set aside",
        "lightgbm is left out",
        "Champion: version 1, unchanged.",
        headline(told),
    ):
        assert words in page(told)


def test_what_the_rows_say_stands_once():
    assert page(night(POLARITY)).count("mood has 20 rows of 'sad'") == 1


@pytest.mark.parametrize(
    "targets", [(POLARITY,), (POLARITY, MOOD), LABELS], ids=["one", "tasks", "labels"]
)
def test_nothing_in_the_page_is_taken_for_markup(targets):
    told = page(night(*targets, objective="F2 of '<b>|\nx'"))
    for markup in ("<img", "<small>", "<b>"):
        assert markup not in told
    assert html.escape("<b>") in told
    for lines in _tables(told):
        assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("objective", "heads"),
    [
        ("balanced accuracy", "| model | balanced accuracy | macro-F1 | on its training rows |"),
        ("macro-F1", "| model | macro-F1 | on its training rows |"),
    ],
)
def test_the_objective_names_the_score_and_macro_f1_stands_beside_another(objective, heads):
    told = page(night(POLARITY, objective=objective))
    models = next(lines for lines in _tables(told) if lines[0].startswith("| model"))
    assert models[0].startswith(heads)
    assert "| ECE | worst class ECE |" in models[0]
    assert "| 0.1000 | 0.1500 |" in models[2]


def test_several_targets_have_a_table_of_their_own_each():
    told = page(night(POLARITY, MOOD))
    assert told.index("### polarity") < told.index("### mood")
    targets = next(lines for lines in _tables(told) if lines[0].startswith("| target | chall"))
    assert targets[0].endswith("| macro-F1 change against version 1 |")
    assert [line.split(" | ")[0] for line in targets[2:]] == ["| polarity", "| mood"]
    confusions = [lines for lines in _tables(told) if "is / decided as" in lines[0]]
    assert confusions[1][-1] == "| glad | 1 | 1 | 1 |"


def test_many_labels_are_told_in_one_table_by_what_counts():
    told = page(night(*LABELS))
    assert "###" not in told
    assert "is / decided as" not in told
    labels = next(lines for lines in _tables(told) if lines[0].startswith("| label"))
    assert [line.split(" | ")[:4] for line in labels[2:]] == [
        ["| toxic", "2", "2", "1"],
        ["| threat", "1", "0", "0"],
    ]


def test_recalls_are_told_of_methods_that_have_figures():
    told = page(night(POLARITY, MOOD))
    recalls = next(lines for lines in _tables(told) if lines[0].startswith("| target | class | sm"))
    assert recalls[0] == "| target | class | smote k=5 |"
    assert len(recalls) == 2 + 5
    assert "| adasyn | - | - |" in told


def test_a_change_says_how_many_rows_would_tell():
    assert "+0.0000 (-0.1000 to +0.1000); about 40 more rows would tell" in page(night(MOOD))


def test_a_link_to_mlflow_stands_where_there_is_one():
    told = night(POLARITY).model_copy(update={"mlflow_link": "http://x/#/r", "champion_after": 2})
    assert "version 2, before version 1. [This night in MLflow](http://x/#/r)." in page(told)


def test_the_page_tells_the_settings_and_the_calibration_of_what_contends():
    told = page(night(POLARITY, MOOD))
    assert f"- {BASELINE}: imbalance.kind=none, classifier.C=0.3333\n" in told
    assert (
        "- polarity: calibration: the prior of resampling or weights taken out, then temperature; "
        "ECE out of fold 0.2000 before, 0.0500 after\n"
    ) in told
    assert "- mood: calibration: temperature; ECE" in told


def _many(classes: int, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target of which class 3 is taken for class 4 nine times, and each class has its rows."""
    counts = np.diag(np.arange(classes, 0, -1))
    counts[3, 4] = 9
    monkeypatch.setitem(CONFUSIONS, "many", counts.tolist())
    names = tuple(f"class {c}" for c in range(classes))
    return Target(name="many", class_values=names, counted=tuple(range(classes)))


def test_of_a_thousand_classes_the_page_tells_thirty_and_where_the_others_are(monkeypatch):
    told = page(night(_many(1000, monkeypatch)))
    assert len(told) < 30_000
    classes = next(lines for lines in _tables(told) if lines[0].startswith("| class | rows"))
    assert len(classes) == 2 + MOST_LINES
    assert classes[-1].startswith("| class 999 | 1 |")  # the rarest, as nothing changed
    assert "\n970 more: see challenger/classes.csv" in told
    mistakes = next(lines for lines in _tables(told) if lines[0].startswith("| is | decided as"))
    assert mistakes[2:] == ["| class 3 | class 4 | 9 |"]


def test_of_a_thousand_classes_the_page_tells_what_changed_most(monkeypatch):
    told = night(_many(1000, monkeypatch))
    verdict = told.judgement.verdict
    changed = tuple(
        change.model_copy(update={"f1": about(0.5)}) if change.name == "class 7" else change
        for change in verdict.class_changes
    )
    verdict = verdict.model_copy(update={"class_changes": changed})
    judgement = told.judgement.model_copy(update={"verdict": verdict})
    lines = page(told.model_copy(update={"judgement": judgement})).splitlines()
    (line,) = (line for line in lines if line.startswith("| class 7 | 993 | 993 | 993 |"))
    assert "+0.5000" in line


def test_thirty_classes_have_their_whole_confusion(monkeypatch):
    told = page(night(_many(MOST_LINES, monkeypatch)))
    confusion = next(lines for lines in _tables(told) if "is / decided as" in lines[0])
    assert len(confusion) == 2 + MOST_LINES
    assert "more: see" not in told


def test_what_moved_since_the_last_accepted_night_is_a_table_and_told_once() -> None:
    move = Move(
        column="y",
        figure="the share of class 'b'",
        accepted="16.0% of 900",
        arrived="50.0% of 200",
        where="b.csv",
    )
    plain = night(POLARITY)
    told = page(plain.model_copy(update={"moves": (move,), "notes": (*plain.notes, move.note)}))
    assert "| the share of class 'b' | 16.0% of 900 | 50.0% of 200 | b.csv |" in told
    assert move.note not in told
    assert "drift of" not in page(plain)
