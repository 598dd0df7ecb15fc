"""Who may judge, and what a model of other classes or targets is heard on."""

import numpy as np
import pandas as pd
import pytest

from learning.answers import Answers
from learning.deciding.metrics import confusion
from learning.deciding.objectives import (
    MeanCost,
    MeanF,
    MeanRecall,
    aims,
    of_confusion,
    of_constants,
    overall,
)
from learning.judging.gate import judge
from learning.judging.holdout import (
    Holdout,
    answer,
    best_constant,
    constant_name,
    differences,
    untouched,
)
from schemas.faults import NightFailed
from schemas.label import ClassValue, MultiLabel, MultiTaskLabel, SingleLabel, targets
from schemas.objectives import (
    AveragePrecision,
    BalancedAccuracy,
    Cost,
    FBeta,
    MacroF1,
    Objective,
)
from schemas.plan import Gate
from tests.tasks.kept import COLUMNS, fitted


def _holdout(keys: list[int]) -> Holdout:
    n = len(keys)
    frame = pd.DataFrame(
        {
            "said": ["good"] * n,
            "amount": np.full(n, 2.0),
            "__row": [f"o#{i}" for i in range(n)],
        }
    )
    return Holdout(frame, (np.arange(n) % 2)[:, None], np.array(keys, dtype=np.uint64))


def test_a_row_whose_group_a_model_was_trained_on_never_judges_it() -> None:
    champion, challenger = np.array([1, 5], dtype=np.uint64), np.array([4], dtype=np.uint64)
    kept = untouched(_holdout([5, 6, 4, 7, 5]), [champion, challenger])
    assert kept.keys.tolist() == [6, 7]
    assert kept.frame["__row"].tolist() == ["o#1", "o#3"]
    assert kept.labels.tolist() == [[1], [1]]


def test_rows_that_nobody_saw_are_all_kept() -> None:
    holdout = _holdout([1, 2, 3])
    assert untouched(holdout, [np.array([9], dtype=np.uint64)]) is holdout


FIRE = targets(SingleLabel(column="alarm", classes=("ok", "fire")))
TEN_PERCENT = (np.arange(200) % 10 == 0).astype(np.int64)[:, None]
MISSED_FIRE = Cost(costs={"fire": {"ok": 50.0}})


@pytest.mark.parametrize(
    ("objective", "always"),
    [
        pytest.param(MacroF1(), "ok", id="macro-F1"),
        pytest.param(MISSED_FIRE, "fire", id="dear to miss"),
        pytest.param(Cost(costs={"fire": {"ok": 5.0}}), "ok", id="cheap to miss"),
        pytest.param(FBeta(of="fire", beta=2), "fire", id="F2"),
        pytest.param(FBeta(of="ok"), "ok", id="F1 of the common class"),
        pytest.param(BalancedAccuracy(), "ok", id="all alike: the most common"),
        pytest.param(AveragePrecision(), "ok", id="a ranking, as macro-F1"),
    ],
)
def test_the_floor_is_the_constant_that_the_objective_rates_highest(
    objective: Objective, always: str
) -> None:
    floor = best_constant(TEN_PERCENT, FIRE, aims(objective, FIRE))
    assert constant_name(floor, FIRE) == f"always '{always}'"
    np.testing.assert_allclose(floor.probabilities[0], np.tile([0.9, 0.1], (200, 1)))
    reached = [
        overall(aims(objective, FIRE), TEN_PERCENT, Answers(floor.probabilities, decisions))
        for decisions in (floor.decisions, 1 - floor.decisions)
    ]
    assert reached[0] >= reached[1] - 1e-12


def test_a_model_that_costs_more_than_the_constant_alarm_is_no_first_champion() -> None:
    decisions = TEN_PERCENT.copy()
    decisions[0] = 0
    decisions[TEN_PERCENT[:, 0] == 0] = 1  # always an alarm, and one fire missed
    goals = aims(MISSED_FIRE, FIRE)
    floor = best_constant(TEN_PERCENT, FIRE, goals)
    assert overall(goals, TEN_PERCENT, floor) == pytest.approx(-0.9)
    worse = Answers(floor.probabilities, decisions)
    verdict = judge(
        *(TEN_PERCENT, floor, worse, FIRE, MISSED_FIRE, Gate(), 0, constant_name(floor, FIRE)),
        harm=False,
    )
    assert verdict.decision == "HOLD"
    assert "not higher" in verdict.reasons[0]
    assert "against always 'fire'" in verdict.reasons[0]


def test_the_floor_of_many_labels_has_each_of_them() -> None:
    asked = targets(MultiLabel(columns=("sad", "calm")))
    labels = np.column_stack([np.arange(8) % 4 == 0, np.arange(8) % 2 == 0]).astype(np.int64)
    floor = best_constant(labels, asked, aims(MacroF1(), asked))
    assert floor.decisions.tolist() == [[1, 1]] * 8
    assert constant_name(floor, asked) == "every label on every row"


@pytest.mark.parametrize(
    ("decided", "name"),
    [([0, 0], "no label on any row"), ([1, 0], "the best constant decisions")],
)
def test_a_constant_of_many_labels_is_called_by_what_it_decides(
    decided: list[int], name: str
) -> None:
    asked = targets(MultiLabel(columns=("sad", "calm")))
    assert constant_name(Answers((), np.array([decided] * 8), 0.0), asked) == name


def test_a_constant_of_several_tasks_has_one_name_whatever_it_decides() -> None:
    asked = targets(MultiTaskLabel(columns={"mood": ("no", "yes"), "tone": ("no", "yes")}))
    assert constant_name(Answers((), np.array([[1, 1]] * 8), 0.0), asked) == (
        "the best constant decisions"
    )


@pytest.mark.parametrize("rows", [60, 7])
def test_a_constant_is_worth_what_its_confusion_says(rows: int) -> None:
    rng = np.random.default_rng(rows)
    labels = rng.integers(0, 4, rows)
    costs = tuple(tuple(float(cost) for cost in row) for row in rng.integers(0, 9, (4, 4)))
    for aim in (MeanF((0, 1, 2, 3)), MeanF((2,), 2.0), MeanRecall(), MeanCost(costs)):
        each = [of_confusion(aim, confusion(labels, np.full(rows, c), 4)).item() for c in range(4)]
        assert of_constants(aim, np.bincount(labels, minlength=4)) == pytest.approx(each)


def test_a_single_label_is_the_same_whatever_its_column_is_called() -> None:
    renamed = targets(SingleLabel(column="other", classes=(-1, 0, 1)))
    own = answer(fitted(), _holdout([1, 2]), fitted().targets)
    assert np.array_equal(answer(fitted(), _holdout([1, 2]), renamed).decisions, own.decisions)
    assert differences(fitted(), COLUMNS, renamed) == []


def test_a_model_of_other_classes_is_heard_on_those_it_shares() -> None:
    grown = targets(SingleLabel(column="label", classes=(1, 2, -1)))
    found = answer(fitted(), _holdout([1, 2]), grown)
    assert not found.probabilities[0][:, 1].any()
    np.testing.assert_allclose(found.probabilities[0].sum(axis=1), 1)
    assert found.decisions.tolist() == [[0], [0]]  # "good" is class 1, which stands first now
    assert differences(fitted(), COLUMNS, grown) == ["knows the classes -1, 0, 1"]


def test_of_a_target_that_it_does_not_know_a_model_says_that_all_is_as_likely() -> None:
    classes: tuple[ClassValue, ...] = (-1, 0, 1)
    known = targets(MultiTaskLabel(columns={"a": classes, "b": classes}))
    asked = targets(MultiTaskLabel(columns={"a": classes, "new": ("x", "y")}))
    found = answer(fitted(asked=known), _holdout([1, 2]), asked)
    assert found.probabilities[1].tolist() == [[0.5, 0.5]] * 2
    assert found.decisions[:, 1].tolist() == [0, 0]
    assert differences(fitted(asked=known), COLUMNS, asked) == [
        "knows the classes a: -1, 0, 1; b: -1, 0, 1"
    ]


def test_a_model_that_shares_nothing_is_told() -> None:
    asked = targets(MultiLabel(columns=("sad", "calm")))
    with pytest.raises(NightFailed, match="Expected a champion of some of the classes sad: 0, 1"):
        answer(fitted(), _holdout([1, 2]), asked)
