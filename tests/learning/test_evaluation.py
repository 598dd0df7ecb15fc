import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from learning.evaluation import scorecard
from schemas.plan import Gate
from tests.learning.worlds import world

NAMES = ("-1", "0", "1")


def test_a_scorecard_agrees_with_scikit_learn() -> None:
    case = world(400, 3, 0)
    decisions = case.truth.argmax(1)
    card = scorecard(case.labels, case.truth, decisions, NAMES, Gate(), 0, latency_ms=0.5)
    assert card.rows == 400
    assert card.macro_f1.value == pytest.approx(f1_score(case.labels, decisions, average="macro"))
    assert card.macro_f1.low < card.macro_f1.value < card.macro_f1.high
    assert card.accuracy == pytest.approx(accuracy_score(case.labels, decisions))
    assert card.balanced_accuracy == pytest.approx(balanced_accuracy_score(case.labels, decisions))
    assert [c.support for c in card.classes] == np.bincount(case.labels).tolist()
    assert [c.predicted for c in card.classes] == np.bincount(decisions).tolist()
    assert card.latency_ms == 0.5


def test_figures_that_rows_cannot_give_are_none_not_zero() -> None:
    labels = np.array([0, 0, 0])
    probabilities = np.tile([0.8, 0.1, 0.1], (3, 1))
    card = scorecard(labels, probabilities, labels, NAMES, Gate(), 0)
    absent = card.classes[2]
    assert (absent.precision, absent.recall, absent.f1, absent.average_precision) == (None,) * 4
    assert card.roc_auc is None
    assert card.macro_f1.value == card.accuracy == card.balanced_accuracy == 1.0


def test_a_class_never_decided_scores_zero() -> None:
    labels = np.array([0, 0, 1])
    decisions = np.array([0, 0, 0])
    card = scorecard(labels, np.tile([0.7, 0.3], (3, 1)), decisions, ("no", "yes"), Gate(), 0)
    assert card.classes[1].precision is None
    assert card.classes[1].recall == card.classes[1].f1 == 0.0


def test_renaming_classes_moves_their_rows_and_nothing_else() -> None:
    case = world(300, 3, 1)
    order = np.array([2, 0, 1])
    card = scorecard(case.labels, case.truth, case.truth.argmax(1), NAMES, Gate(), 0)
    probabilities, labels = case.truth[:, order], np.argsort(order)[case.labels]
    names = [NAMES[c] for c in order]
    other = scorecard(labels, probabilities, probabilities.argmax(1), names, Gate(), 0)
    assert {c.name: c for c in other.classes} == {c.name: c for c in card.classes}
    same = {"classes", "confusion", "macro_f1"}
    assert other.model_dump(exclude=same) == pytest.approx(card.model_dump(exclude=same))
    assert other.macro_f1.model_dump() == pytest.approx(card.macro_f1.model_dump())
