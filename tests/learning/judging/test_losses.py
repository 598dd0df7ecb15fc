"""A class or a task that pays for the others is found, and chance is not taken for one."""

import numpy as np
import pytest

from learning.judging.gate import judge
from schemas.label import SingleLabel, targets
from schemas.objectives import MacroF1
from schemas.results import Verdict
from tests.learning.judging.verdicts import (
    GATE,
    LABELS,
    MANY,
    answered,
    beside,
    judged,
    judged_both,
    toned,
    with_errors,
)


def _one_class_pays(rows: int, wrong: int, right: int) -> Verdict:
    """Classes 0 and 1 gain much; of class 2 `wrong` rows are lost and `right` rows are won."""
    labels = np.repeat([0, 1, 2], (400, 400, rows))
    before, after = labels.copy(), labels.copy()
    before[:800:3] = 1 - labels[:800:3]
    before[800 : 800 + right] = 0
    after[800 + right : 800 + right + wrong] = 0
    return judged(labels, answered(before), answered(after))


def test_a_class_that_pays_for_the_gain_is_named() -> None:
    verdict = _one_class_pays(rows=60, wrong=20, right=0)
    assert verdict.decision == "HOLD"
    assert "Class '1' may lose more than 0.0500 of F1" in verdict.reasons[0]
    assert verdict.class_changes[2].more_rows is None


def test_a_class_with_too_little_support_is_undecided_not_passed() -> None:
    verdict = _one_class_pays(rows=20, wrong=2, right=3)
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    asked = verdict.class_changes[2].more_rows
    assert asked is not None
    assert f"(about {asked} more rows of class '1')" in verdict.reasons[0]


def test_a_task_that_pays_for_the_other_is_named() -> None:
    before = beside(answered(with_errors(LABELS, 2)), toned(30))
    after = beside(answered(LABELS), toned(6))
    verdict = judged_both(before, after)
    assert verdict.decision == "HOLD"
    assert verdict.reasons[0].startswith("'tone' may lose more than 0.0500 of macro-F1: -0.")
    assert any(reason.startswith("Class 'dry' of 'tone' may") for reason in verdict.reasons)


def test_a_task_may_pay_what_the_gate_allows() -> None:
    before = beside(answered(with_errors(LABELS, 2)), toned(30))
    after = beside(answered(LABELS), toned(6))
    generous = GATE.model_copy(
        update={"max_task_drop": 0.3, "max_class_drop": 0.3, "max_ece_increase": 0.3}
    )
    assert judged_both(before, after, gate=generous).decision == "PROMOTE"


def test_of_many_labels_the_label_is_named_and_no_task_is() -> None:
    before = beside(toned(2), toned(30))
    after = beside(toned(600), toned(6))
    verdict = judged_both(before, after, MANY, GATE.model_copy(update={"max_ece_increase": 0.3}))
    assert verdict.decision == "HOLD"
    assert [reason[:23] for reason in verdict.reasons] == ["Label 'calm' may lose m"]
    assert [(change.target, change.name) for change in verdict.class_changes] == [
        ("sad", "1"),
        ("calm", "1"),
    ]


MANY_CLASSES = targets(SingleLabel(column="intent", classes=tuple(range(40))))


def _forty(seed: int, errors: float) -> tuple[np.ndarray, np.ndarray]:
    """800 rows of 40 classes, and decisions of which this share is wrong."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(40), 20)
    wrong = np.random.default_rng(seed + 1).random(len(labels)) < errors
    return labels, np.where(wrong, random.integers(0, 40, len(labels)), labels)


def _judge_forty(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> Verdict:
    first, second = (answered(each, sure=0.85, classes=40) for each in (before, after))
    return judge(labels[:, None], first, second, MANY_CLASSES, MacroF1(), GATE, 0, "champion 3")


@pytest.mark.parametrize("seed", range(5))
def test_a_gain_over_many_rare_classes_is_promoted(seed: int) -> None:
    labels, before = _forty(seed, errors=0.25)
    _, after = _forty(seed + 100, errors=0.12)
    verdict = _judge_forty(labels, before, after)
    assert verdict.decision == "PROMOTE", verdict.reasons


def test_one_of_many_rare_classes_that_is_surely_lost_still_holds() -> None:
    labels, before = _forty(0, errors=0.25)
    _, after = _forty(100, errors=0.05)
    after = np.where(labels == 7, 8, after)
    verdict = _judge_forty(labels, before, after)
    assert verdict.decision == "HOLD"
    assert verdict.reasons[0].startswith("Class '7' may lose more than 0.0500 of F1: -0.")


def test_many_rare_classes_that_lose_together_hold() -> None:
    labels, after = _forty(0, errors=0.25)
    labels, after = (
        np.repeat(labels, [1] * 600 + [8] * 200),
        np.repeat(after, [1] * 600 + [8] * 200),
    )
    before = np.where(labels < 30, labels, (labels + 1) % 40)
    before[::7] = labels[::7]
    verdict = judge(
        labels[:, None],
        answered(before, sure=0.85, classes=40),
        answered(np.where(labels < 30, after, labels), sure=0.85, classes=40),
        MANY_CLASSES,
        MacroF1(),
        GATE,
        0,
        "champion 3",
    )
    assert verdict.decision == "HOLD"
    assert any("The 30 classes that are too rare" in reason for reason in verdict.reasons)
