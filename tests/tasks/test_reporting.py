from typing import Any

import pytest

import tasks.reporting
from schemas.label import Target
from tasks.reporting import report, tags
from tests.learning.records import LABELS, MOOD, POLARITY, night


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ((POLARITY,), "<img onerror=x>"),
        ((MOOD,), ""),
        ((POLARITY, MOOD), "polarity: <img onerror=x>"),
        (LABELS, "toxic: 1; threat: 1"),
    ],
    ids=["two classes", "three", "tasks", "labels"],
)
def test_the_tags_say_whose_hits_are_the_true_positives(targets: tuple[Target, ...], told: str):
    assert tags(night(*targets))["positive_class"] == told


def test_the_tags_say_what_was_aimed_at_and_who_won():
    told = tags(night(POLARITY, objective="PR-AUC"))
    assert told["objective"] == "PR-AUC"
    assert told["verdict"] == "HOLD"
    assert told["champion_before"] == "1"


def test_no_class_in_an_artifact_is_taken_for_markup(monkeypatch: pytest.MonkeyPatch):
    told: list[Any] = []
    for kind in ("markdown", "table", "link"):
        monkeypatch.setattr(
            tasks.reporting, f"create_{kind}_artifact", lambda **artifact: told.append(artifact)
        )
    report.fn(night(POLARITY, objective="F2 of '<img onerror=x>'"))
    assert len(told) == 2
    assert "<img" not in str(told)
    assert told[1]["table"][0]["F2 of '&lt;img onerror=x&gt;'"] == "0.8000"


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ((MOOD,), "temperature after a prior shift"),
        ((POLARITY, MOOD), "polarity: temperature after a prior shift; mood: temperature"),
    ],
    ids=["one", "tasks"],
)
def test_the_tags_say_which_calibration_was_chosen(targets: tuple[Target, ...], told: str):
    assert tags(night(*targets))["calibration"] == told
