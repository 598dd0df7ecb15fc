"""The classes of each target within each class of the others."""

import numpy as np

from learning.judging.within import MOST_TARGETS, within
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, targets
from schemas.results import WithinScore

BOTH = targets(MultiTaskLabel(columns={"mood": ("sad", "glad"), "tone": ("dry", "warm", "loud")}))
LABELS = np.array([[0, 0], [0, 0], [1, 0], [0, 1], [1, 1], [1, 1]])
DECIDED = np.array([[0, 0], [1, 0], [1, 1], [1, 1], [1, 1], [1, 0]])


def _scores() -> dict[tuple[str, str, str], WithinScore]:
    found = within(LABELS, DECIDED, BOTH)
    return {(each.target, each.name, each.given_class): each for each in found}


def test_figures_are_of_the_rows_of_the_other_class_alone() -> None:
    sad = _scores()["mood", "sad", "dry"]
    assert (sad.support, sad.predicted, sad.hits) == (2, 1, 1)
    assert (sad.precision, sad.recall, sad.f1) == (1.0, 0.5, 2 / 3)
    never = _scores()["mood", "sad", "warm"]
    assert (never.support, never.precision, never.recall, never.f1) == (1, None, 0.0, 0.0)


def test_rows_of_each_class_are_told_once_over_all_classes_of_the_other() -> None:
    found = _scores()
    for c, name in enumerate(BOTH[0].class_texts):
        own = [each for (target, of, _), each in found.items() if (target, of) == ("mood", name)]
        assert sum(each.support for each in own) == np.count_nonzero(LABELS[:, 0] == c)
        assert sum(each.predicted for each in own) == np.count_nonzero(DECIDED[:, 0] == c)


def test_a_class_with_neither_rows_nor_decisions_there_is_left_out() -> None:
    assert not [key for key in _scores() if key[2] == "loud" or key[1] == "loud"]


def test_one_target_has_no_company() -> None:
    alone = targets(SingleLabel(column="mood", classes=("sad", "glad")))
    assert within(LABELS[:, :1], DECIDED[:, :1], alone) == ()


def test_of_a_hundred_labels_the_first_are_paired_and_only_their_presence_counts() -> None:
    names = tuple(f"label {n}" for n in range(MOST_TARGETS + 5))
    table = np.ones((4, len(names)), dtype=int)
    found = within(table, table, targets(MultiLabel(columns=names)))
    assert len(found) == MOST_TARGETS * (MOST_TARGETS - 1)
    assert {(each.name, each.given_class) for each in found} == {("1", "1")}
