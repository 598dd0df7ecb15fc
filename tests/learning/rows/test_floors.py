"""Too little of any class of any label rejects the data, with counts and what to do."""

import numpy as np
import pytest

from learning.rows.floors import class_counts, label_notes, refuse_too_little
from schemas.dataset import Floors
from schemas.faults import DataRejected
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.manifest import Rows

MOOD = SingleLabel(column="mood", classes=("bad", "good"))
TWO = MultiTaskLabel(columns={"mood": ("bad", "good"), "pace": ("slow", "fast", "wild")})
MANY = MultiLabel(columns=("sad", "calm", "odd"))


def rows(*counts: tuple[int, ...], holdout: int = 9) -> Rows:
    held = tuple((holdout, *(0 for _ in of[1:])) for of in counts)
    return Rows(digest="x", train="", holdout="", train_counts=counts, holdout_counts=held)


def test_counts_are_of_every_class_of_every_target() -> None:
    labels = np.array([[0, 2], [1, 2], [0, 0]], dtype=np.int16)
    assert class_counts(labels, targets(TWO)) == ((2, 1), (1, 0, 2))
    assert class_counts(labels[:0], targets(TWO)) == ((0, 0), (0, 0, 0))


def test_enough_of_everything_passes() -> None:
    refuse_too_little(rows((10, 10), (10, 8, 2)), targets(TWO), Floors())


@pytest.mark.parametrize(
    ("asked", "counts", "told"),
    [
        (targets(MOOD), [(30, 0)], r"at least two classes, got bad; .*of each class \("),
        (targets(MOOD), [(30, 1)], r"at least 2 rows of each class \(dataset.*: 'good' has 1\."),
        (targets(MOOD), [(9, 9)], r"at least 20 rows \(dataset\.floors\.rows\)"),
        (targets(TWO), [(15, 15), (0, 29, 1)], r"of each class of 'pace' .*'slow' has 0, 'wild' h"),
        (targets(MANY), [(20, 10), (0, 30), (29, 1)], r"classes of 'calm', got 1; .*'0' has 0; "),
        (targets(MANY), [(20, 10), (20, 10), (29, 1)], r"each class of 'odd' .*: '1' has 1\."),
        (targets(MANY), [(20, 10), (20, 10), (30, 0)], r"two classes of 'odd', got 0"),
    ],
    ids=["one class", "rare class", "few rows", "task", "always on", "rare label", "always off"],
)
def test_too_little_is_told_by_label_and_class(
    asked: tuple[Target, ...], counts: list[tuple[int, ...]], told: str
) -> None:
    with pytest.raises(DataRejected, match=f"Too little to train on: .*{told}"):
        refuse_too_little(rows(*counts), asked, Floors())


def test_a_single_label_is_not_named_where_there_is_no_other() -> None:
    with pytest.raises(DataRejected, match="of each class") as fault:
        refuse_too_little(rows((30, 1)), targets(MOOD), Floors())
    assert "mood" not in str(fault.value)


def test_a_holdout_without_rows_is_told() -> None:
    with pytest.raises(DataRejected, match=r"rows on the holdout, got none"):
        refuse_too_little(rows((30, 30), holdout=0), targets(MOOD), Floors())


def test_one_class_of_two_is_too_little_by_any_floor() -> None:
    lax = Floors(rows=0, rows_per_class=0)
    with pytest.raises(DataRejected, match="at least two classes"):
        refuse_too_little(rows((30, 0)), targets(MOOD), lax)


def one_hot(rows: int, several: int = 0, none: int = 0) -> np.ndarray:
    """One label a row of three, but for the first rows: two of them, then none."""
    labels = np.eye(3, dtype=np.int16)[np.arange(rows) % 3]
    labels[:several] = [1, 1, 0]
    labels[several : several + none] = 0
    return labels


@pytest.mark.parametrize(
    ("several", "none", "advised"),
    [(0, 0, True), (10, 10, True), (20, 0, True), (11, 10, False), (30, 0, False), (0, 21, False)],
)
def test_many_labels_that_are_one_are_advised_to_be_one(
    several: int, none: int, advised: bool
) -> None:
    notes = label_notes(MANY, one_hot(1000, several, none))
    assert len(notes) == advised


def test_the_advice_has_its_figures() -> None:
    [note] = label_notes(MANY, one_hot(1000, several=10))
    assert "99.0% of 1,000 rows have exactly one of the 3 labels (mean 1.01)" in note
    assert "label.kind: single" in note


def test_other_kinds_of_label_are_what_they_are() -> None:
    labels = np.column_stack([np.arange(100) % 2, 1 - np.arange(100) % 2])
    assert label_notes(MOOD, labels[:, :1]) == ()
    assert label_notes(TWO, labels) == ()
