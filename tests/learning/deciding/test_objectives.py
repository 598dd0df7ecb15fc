import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from learning.answers import Answers
from learning.deciding.metrics import confusion
from learning.deciding.objectives import (
    MeanF,
    MeanRanking,
    aim,
    aims,
    decisive,
    of_confusion,
    overall,
    value,
)
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.objectives import (
    AveragePrecision,
    BalancedAccuracy,
    Cost,
    FBeta,
    MacroF1,
    Objective,
)
from tests.learning.worlds import world

SEEDS = st.integers(0, 10_000)
CLASSES = st.integers(2, 6)


def _target(classes: int) -> Target:
    return targets(SingleLabel(column="y", classes=tuple(range(classes))))[0]


@settings(max_examples=25, deadline=None)
@given(SEEDS, CLASSES, st.floats(0.2, 5))
def test_values_are_scikit_learns(seed: int, classes: int, beta: float) -> None:
    case = world(400, classes, seed)
    target, labels, decisions = _target(classes), case.labels, case.truth.argmax(1)

    def ours(objective: Objective) -> float:
        return value(aim(objective, target), labels, decisions, case.truth)

    assert ours(MacroF1()) == pytest.approx(oracle.f1_score(labels, decisions, average="macro"))
    f_betas = oracle.fbeta_score(
        labels, decisions, beta=beta, average=None, labels=range(classes), zero_division=0
    )
    for c in range(classes):
        assert ours(FBeta(of=c, beta=beta)) == pytest.approx(f_betas[c])
    present = np.unique(labels)
    recalls = oracle.recall_score(labels, decisions, average=None, labels=present)
    assert ours(BalancedAccuracy()) == pytest.approx(recalls.mean())
    areas = {c: oracle.average_precision_score(labels == c, case.truth[:, c]) for c in present}
    for c in present:
        assert ours(AveragePrecision(of=int(c))) == pytest.approx(areas[c])
    if classes > 2:
        assert ours(AveragePrecision()) == pytest.approx(np.mean(list(areas.values())))


def test_balanced_accuracy_is_scikit_learns() -> None:
    case = world(500, 4, 1)
    decisions = case.truth.argmax(1)
    ours = value(aim(BalancedAccuracy(), _target(4)), case.labels, decisions, case.truth)
    assert ours == pytest.approx(oracle.balanced_accuracy_score(case.labels, decisions))


def test_unlisted_costs_are_one_where_wrong() -> None:
    target = targets(SingleLabel(column="y", classes=("no", "yes")))[0]
    labels, decisions = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 0, 0, 1])
    plain = aim(Cost(costs={"no": {"no": 0.0}}), target)
    dear = aim(Cost(costs={"yes": {"no": 10.0}, "no": {"no": 0.5}}), target)
    nothing = np.full((5, 2), 0.5)
    assert value(plain, labels, decisions, nothing) == pytest.approx(-2 / 5)
    assert value(dear, labels, decisions, nothing) == pytest.approx(-(0.5 + 1 + 0.5 + 10) / 5)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_rarer_of_two_is_ranked(flipped: bool) -> None:
    case = world(300, 2, 3)
    labels, truth = (1 - case.labels, case.truth[:, ::-1]) if flipped else (case.labels, case.truth)
    rare = int(np.argmin(np.bincount(labels)))
    expected = oracle.average_precision_score(labels == rare, truth[:, rare])
    ours = aim(AveragePrecision(), _target(2))
    assert value(ours, labels, truth.argmax(1), truth) == pytest.approx(expected)


def test_of_two_equally_rare_both_are_ranked() -> None:
    labels = np.array([0, 1] * 20)
    scores = np.random.default_rng(0).random(40)
    truth = np.column_stack([1 - scores, scores])
    each = [oracle.average_precision_score(labels == c, truth[:, c]) for c in range(2)]
    ours = value(MeanRanking((0, 1)), labels, truth.argmax(1), truth)
    assert ours == pytest.approx(np.mean(each))


def test_a_label_of_many_is_judged_by_its_positive_rows() -> None:
    target = targets(MultiLabel(columns=("sad", "calm")))[0]
    case = world(300, 2, 4, skew=-1.0)
    decisions = case.truth.argmax(1)
    f1 = value(aim(MacroF1(), target), case.labels, decisions, case.truth)
    assert f1 == pytest.approx(oracle.f1_score(case.labels, decisions))
    area = value(aim(AveragePrecision(), target), case.labels, decisions, case.truth)
    assert area == pytest.approx(oracle.average_precision_score(case.labels, case.truth[:, 1]))
    recall = value(aim(BalancedAccuracy(), target), case.labels, decisions, case.truth)
    assert recall == pytest.approx(oracle.balanced_accuracy_score(case.labels, decisions))


def test_the_overall_figure_is_the_mean_over_targets() -> None:
    both = targets(MultiTaskLabel(columns={"a": ("x", "y"), "b": ("p", "q", "r")}))
    first, second = world(300, 2, 5), world(300, 3, 6)
    answers = Answers(
        (first.truth, second.truth), np.stack([first.truth.argmax(1), second.truth.argmax(1)], 1)
    )
    labels = np.stack([first.labels, second.labels], 1)
    each = [
        oracle.f1_score(case.labels, case.truth.argmax(1), average="macro")
        for case in (first, second)
    ]
    assert overall(aims(MacroF1(), both), labels, answers) == pytest.approx(np.mean(each))


@settings(max_examples=20, deadline=None)
@given(SEEDS, CLASSES)
def test_renaming_classes_and_permuting_rows_changes_no_value(seed: int, classes: int) -> None:
    case, target = world(150, classes, seed), _target(classes)
    rng = np.random.default_rng(seed)
    rows, order = rng.permutation(150), rng.permutation(classes)
    there, labels = case.truth[rows][:, order], np.argsort(order)[case.labels[rows]]
    costs = rng.integers(0, 9, (classes, classes)).astype(float)
    table = {str(i): {str(j): float(costs[i, j]) for j in range(classes)} for i in range(classes)}
    moved = {
        str(i): {str(j): float(costs[order[i], order[j]]) for j in range(classes)}
        for i in range(classes)
    }
    of = int(np.argsort(order)[1])
    pairs: list[tuple[Objective, Objective]] = [
        (MacroF1(), MacroF1()),
        (BalancedAccuracy(), BalancedAccuracy()),
        (AveragePrecision(), AveragePrecision()),
        (AveragePrecision(of=1), AveragePrecision(of=of)),
        (FBeta(of=1, beta=2), FBeta(of=of, beta=2)),
        (Cost(costs=table), Cost(costs=moved)),
    ]
    for plain, renamed in pairs:
        before = value(aim(plain, target), case.labels, case.truth.argmax(1), case.truth)
        after = value(aim(renamed, target), labels, there.argmax(1), there)
        assert after == pytest.approx(before)


def test_many_confusions_score_as_one_by_one() -> None:
    many = np.random.default_rng(0).integers(0, 4, (5, 3, 3))
    costs = aim(Cost(costs={"0": {"2": 7.0}}), _target(3))
    for one in (MeanF((0, 2), 2.0), aim(BalancedAccuracy(), _target(3)), costs):
        climbed = decisive(one)
        each = [float(of_confusion(climbed, matrix)) for matrix in many]
        assert np.allclose(of_confusion(climbed, many), each)


def test_no_rows_are_worth_nothing() -> None:
    nothing = np.empty(0, dtype=np.int64)
    for objective in (MacroF1(), BalancedAccuracy(), AveragePrecision(), FBeta(of=1)):
        one = aim(objective, _target(3))
        assert value(one, nothing, nothing, np.empty((0, 3))) == 0.0
    assert float(of_confusion(MeanF((0,)), confusion(nothing, nothing, 3))) == 0.0


def test_decisions_for_a_ranking_climb_macro_f1_of_the_counted() -> None:
    target = targets(MultiLabel(columns=("sad", "calm")))[0]
    assert decisive(aim(AveragePrecision(), target)) == MeanF((1,))
    assert decisive(aim(BalancedAccuracy(), target)) == aim(BalancedAccuracy(), target)
