import pytest

from schemas.label import Target
from tasks.reporting import tags
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
