import numpy as np
import pytest
from sklearn import metrics as oracle

from learning.answers import Answers
from learning.deciding.metrics import class_calibration_errors
from learning.judging.evaluation import scorecard
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.objectives import AveragePrecision, BalancedAccuracy, MacroF1, Objective
from schemas.plan import Gate
from schemas.results import Scorecard
from tests.learning.worlds import World, world

NAMES = ("-1", "0", "1")
STANCE = targets(SingleLabel(column="stance", classes=NAMES))
BOTH = targets(MultiTaskLabel(columns={"stance": NAMES, "tone": ("dry", "warm")}))
MANY = targets(MultiLabel(columns=("sad", "calm")))


def _card(
    labels: np.ndarray,
    probabilities: np.ndarray,
    decisions: np.ndarray,
    asked: tuple[Target, ...] = STANCE,
) -> Scorecard:
    answers = Answers((probabilities,), decisions[:, None], latency_ms=0.5)
    return scorecard(labels[:, None], answers, asked, MacroF1(), Gate(), 0)


def _card_of(
    cases: tuple[World, ...], asked: tuple[Target, ...], objective: Objective
) -> Scorecard:
    decisions = np.stack([case.truth.argmax(1) for case in cases], axis=1)
    answers = Answers(tuple(case.truth for case in cases), decisions)
    labels = np.stack([case.labels for case in cases], axis=1)
    return scorecard(labels, answers, asked, objective, Gate(), 0)


def test_a_scorecard_agrees_with_scikit_learn() -> None:
    case = world(400, 3, 0)
    labels, decisions = case.labels, case.truth.argmax(1)
    whole = _card(labels, case.truth, decisions)
    (card,) = whole.targets
    assert whole.rows == card.rows == 400
    assert whole.macro_f1 == whole.score == card.score
    f1 = oracle.f1_score(labels, decisions, average="macro")
    assert whole.macro_f1.value == card.macro_f1 == pytest.approx(f1)
    assert whole.macro_f1.low < whole.macro_f1.value < whole.macro_f1.high
    precision = oracle.precision_score(labels, decisions, average="macro", zero_division=0)
    assert card.macro_precision == pytest.approx(precision)
    recall = oracle.recall_score(labels, decisions, average="macro")
    assert card.macro_recall == card.balanced_accuracy == pytest.approx(recall)
    assert card.accuracy == pytest.approx(oracle.accuracy_score(labels, decisions))
    assert [c.support for c in card.classes] == np.bincount(labels).tolist()
    assert [c.predicted for c in card.classes] == np.bincount(decisions).tolist()
    assert [c.hits for c in card.classes] == np.diagonal(card.confusion).tolist()
    areas = [oracle.roc_auc_score(labels == c, case.truth[:, c]) for c in range(3)]
    assert [c.roc_auc for c in card.classes] == pytest.approx(areas)
    assert card.class_ece == class_calibration_errors(case.truth, labels).max()
    assert whole.latency_ms == 0.5
    assert whole.exact_match is None


def test_figures_that_rows_cannot_give_are_none_not_zero() -> None:
    labels = np.array([0, 0, 0])
    (card,) = _card(labels, np.tile([0.8, 0.1, 0.1], (3, 1)), labels).targets
    absent = card.classes[2]
    assert (absent.precision, absent.recall, absent.f1) == (None,) * 3
    assert (absent.average_precision, absent.roc_auc, card.roc_auc) == (None,) * 3
    assert card.macro_f1 == card.accuracy == card.balanced_accuracy == 1.0
    assert card.macro_precision == card.macro_recall == 1.0


def test_a_class_never_decided_scores_zero() -> None:
    labels = np.array([0, 0, 1])
    two = targets(SingleLabel(column="y", classes=("no", "yes")))
    (card,) = _card(labels, np.tile([0.7, 0.3], (3, 1)), np.zeros(3, dtype=np.int64), two).targets
    assert card.classes[1].precision is None
    assert card.classes[1].recall == card.classes[1].f1 == 0.0
    assert card.macro_precision == pytest.approx(1 / 3)


def test_two_tasks_are_scored_each_and_by_their_mean() -> None:
    cases = (world(300, 3, 1), world(300, 2, 2))
    whole = _card_of(cases, BOTH, BalancedAccuracy())
    recalls, f1s = [], []
    for case, card in zip(cases, whole.targets, strict=True):
        decisions = case.truth.argmax(1)
        recalls.append(oracle.balanced_accuracy_score(case.labels, decisions))
        f1s.append(oracle.f1_score(case.labels, decisions, average="macro"))
        assert card.score.value == card.balanced_accuracy == pytest.approx(recalls[-1])
        assert card.macro_f1 == pytest.approx(f1s[-1])
        assert card.score.low < card.score.value < card.score.high
    assert whole.score.value == pytest.approx(np.mean(recalls))
    assert whole.macro_f1.value == pytest.approx(np.mean(f1s))
    right = [case.truth.argmax(1) == case.labels for case in cases]
    assert whole.exact_match == pytest.approx((right[0] & right[1]).mean())


def test_labels_of_many_are_scored_by_their_positive_rows() -> None:
    cases = (world(300, 2, 3, skew=-1.0), world(300, 2, 4))
    whole = _card_of(cases, MANY, AveragePrecision())
    labels = np.stack([case.labels for case in cases], axis=1)
    decisions = np.stack([case.truth.argmax(1) for case in cases], axis=1)
    for figure, score in (
        ("macro_f1", oracle.f1_score),
        ("macro_precision", oracle.precision_score),
        ("macro_recall", oracle.recall_score),
    ):
        ours = np.mean([getattr(card, figure) for card in whole.targets])
        assert ours == pytest.approx(score(labels, decisions, average="macro"))
    scores = np.stack([case.truth[:, 1] for case in cases], axis=1)
    area = oracle.average_precision_score(labels, scores, average="macro")
    assert whole.score.value == pytest.approx(area)
    assert [card.average_precision for card in whole.targets] == pytest.approx(
        [card.score.value for card in whole.targets]
    )
    assert whole.exact_match == pytest.approx(oracle.accuracy_score(labels, decisions))


def test_renaming_classes_moves_their_rows_and_nothing_else() -> None:
    case = world(300, 3, 1)
    order = np.array([2, 0, 1])
    (card,) = _card(case.labels, case.truth, case.truth.argmax(1)).targets
    probabilities, labels = case.truth[:, order], np.argsort(order)[case.labels]
    renamed = targets(SingleLabel(column="stance", classes=tuple(NAMES[c] for c in order)))
    (other,) = _card(labels, probabilities, probabilities.argmax(1), renamed).targets
    assert {c.name: c for c in other.classes} == {c.name: c for c in card.classes}
    same = {"name", "counted", "classes", "confusion", "score"}
    assert other.model_dump(exclude=same) == pytest.approx(card.model_dump(exclude=same))
    assert other.score.model_dump() == pytest.approx(card.score.model_dump())


def test_row_order_changes_no_figure_but_the_draws() -> None:
    case = world(300, 3, 5)
    order = np.random.default_rng(0).permutation(300)
    (card,) = _card(case.labels, case.truth, case.truth.argmax(1)).targets
    shuffled = case.truth[order]
    (other,) = _card(case.labels[order], shuffled, shuffled.argmax(1)).targets
    assert other.classes == card.classes
    assert other.confusion == card.confusion
    assert other.score.model_dump() == pytest.approx(card.score.model_dump(), abs=0.01)
