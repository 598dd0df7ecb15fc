"""What is promoted, what is held, and what is left open."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.answers import Answers
from learning.judging.gate import judge
from learning.reading.wording import amount
from schemas.label import SingleLabel, Target, targets
from schemas.objectives import AveragePrecision, BalancedAccuracy, Cost, FBeta, MacroF1, Objective
from schemas.results import Verdict
from tests.learning.judging.verdicts import (
    BOTH,
    GATE,
    LABELS,
    NAMES,
    TARGETS,
    TONES,
    answered,
    beside,
    judged,
    judged_both,
    toned,
    truthful,
    with_errors,
)
from tests.learning.worlds import world


def test_a_clear_gain_is_promoted() -> None:
    verdict = judged(LABELS, answered(with_errors(LABELS, 4)), answered(with_errors(LABELS, 20)))
    assert verdict.decision == "PROMOTE"
    assert verdict.reference == "champion 3"
    assert verdict.difference is not None
    assert verdict.difference.low > 0
    assert [change.name for change in verdict.class_changes] == list(NAMES)
    assert "against champion 3 on 600 rows" in verdict.reasons[0]


def test_a_tie_keeps_the_champion() -> None:
    same = with_errors(LABELS, 10)
    verdict = judged(LABELS, answered(same, sure=0.8), answered(same.copy(), sure=0.9))
    assert verdict.decision == "HOLD"
    assert "tie" in verdict.reasons[0]


def test_equal_scores_by_other_errors_keep_the_champion() -> None:
    labels = np.tile([0, 1, 2], 60)
    before, after = with_errors(labels, 9, 0), with_errors(labels, 9, 3)
    verdict = judged(labels, answered(before), answered(after))
    assert not np.array_equal(before, after)
    assert verdict.decision == "HOLD"
    assert "not higher" in verdict.reasons[0]


def test_a_worse_challenger_is_held() -> None:
    verdict = judged(LABELS, answered(with_errors(LABELS, 20)), answered(with_errors(LABELS, 4)))
    assert verdict.decision == "HOLD"
    assert "not higher" in verdict.reasons[0]


def test_no_holdout_row_at_all_asks_for_rows_of_every_class() -> None:
    none = LABELS[:0]
    verdict = judged(none, answered(none), answered(none))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == tuple(
        f"The holdout has no row of class '{name}' (about 20 more rows of class '{name}')."
        for name in NAMES
    )


def test_a_gain_within_chance_asks_for_rows_of_the_least_certain_class() -> None:
    labels = np.repeat([0, 1, 2], (300, 200, 12))
    before, after = with_errors(labels, 10), with_errors(labels, 10)
    before[-2:], after[-2:] = 0, 2
    verdict = judged(labels, answered(before), answered(after))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    asked = verdict.class_changes[2].more_rows
    assert asked is not None
    assert 1 <= asked <= 120
    assert f"(about {amount(asked, 'more row')} of class '1')" in verdict.reasons[0]
    assert [change.more_rows for change in verdict.class_changes[:2]] == [None, None]


def test_the_rows_asked_for_settle_it() -> None:
    labels = np.repeat([0, 1, 2], (300, 200, 12))
    before, after = with_errors(labels, 10), with_errors(labels, 10)
    before[-2:], after[-2:] = 0, 2
    asked = judged(labels, answered(before), answered(after)).class_changes[2].more_rows
    assert asked is not None
    times = 1 + -(-asked // 12)
    more, b, a = (np.tile(each, times) for each in (labels, before, after))
    assert judged(more, answered(b), answered(a)).decision == "PROMOTE"


def test_a_difference_too_small_to_tell_apart_is_held() -> None:
    labels = np.tile([0, 1, 2], 200)
    before, after = with_errors(labels, 5, 0), with_errors(labels, 5, 2)
    after[2] = labels[2]
    verdict = judged(labels, answered(before), answered(after))
    assert verdict.difference is not None
    assert 0 < verdict.difference.value < 0.01
    assert verdict.decision == "HOLD"
    assert "too small to tell apart" in verdict.reasons[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 400), st.floats(0.2, 3))
def test_renaming_classes_changes_no_verdict(seed: int, rows: int, bend: float) -> None:
    case = world(rows, 3, seed)
    bent = case.truth**bend * np.array([1.0, 2.0, 4.0])
    bent /= bent.sum(1, keepdims=True)
    order = np.random.default_rng(seed).permutation(3)
    before, after = truthful(bent), truthful(case.truth)
    there, then = (
        Answers((a.probabilities[0][:, order],), np.argsort(order)[a.decisions])
        for a in (before, after)
    )
    plain = judged(case.labels, before, after)
    (renamed,) = targets(SingleLabel(column="stance", classes=tuple(NAMES[c] for c in order)))
    labels = np.argsort(order)[case.labels][:, None]
    other = judge(labels, there, then, (renamed,), MacroF1(), GATE, 0, "champion 3")
    assert other.decision == plain.decision
    assert sorted(other.reasons) == sorted(plain.reasons)


def test_better_than_always_the_same_class_is_promoted() -> None:
    case = world(800, 3, 3, spread=4.0, skew=2.0)
    common = np.bincount(case.labels).argmax()
    shares = np.bincount(case.labels) / 800
    constant = Answers((np.tile(shares, (800, 1)),), np.full((800, 1), common))
    verdict = judged(case.labels, constant, truthful(case.truth))
    assert verdict.decision == "PROMOTE"


def test_no_gain_by_chance_alone_is_promoted_often() -> None:
    promoted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before, after = (np.where(rng.random(600) < 0.1, (LABELS + 1) % 3, LABELS) for _ in "ab")
        verdict = judged(LABELS, answered(before), answered(after))
        promoted += verdict.decision == "PROMOTE"
    assert promoted <= 6


def test_two_tasks_that_gain_are_promoted_and_each_is_told() -> None:
    before = beside(answered(with_errors(LABELS, 4)), toned(5))
    after = beside(answered(with_errors(LABELS, 20)), toned(30))
    verdict = judged_both(before, after)
    assert verdict.decision == "PROMOTE"
    assert [change.name for change in verdict.target_changes] == ["stance", "tone"]
    assert verdict.difference is not None
    mean = np.mean([change.score.value for change in verdict.target_changes])
    assert verdict.difference.value == pytest.approx(mean)
    assert [(change.target, change.name) for change in verdict.class_changes] == [
        *(("stance", name) for name in NAMES),
        ("tone", "dry"),
        ("tone", "warm"),
    ]


def test_one_target_has_no_target_changes() -> None:
    verdict = judged(LABELS, answered(with_errors(LABELS, 4)), answered(LABELS))
    assert verdict.target_changes == ()


OBJECTIVES: list[tuple[Objective, str]] = [
    (MacroF1(), "Macro-F1 is"),
    (FBeta(of="1", beta=2), "F2 of '1' is"),
    (BalancedAccuracy(), "Balanced accuracy is"),
    (AveragePrecision(), "PR-AUC is"),
    (AveragePrecision(of="1"), "PR-AUC of '1' is"),
    (Cost(costs={"1": {"0": 5.0}}), "Minus cost a row is"),
]


@pytest.mark.parametrize(
    ("objective", "told"), [pytest.param(o, told, id=told) for o, told in OBJECTIVES]
)
def test_reasons_name_the_objective(objective: Objective, told: str) -> None:
    case = world(900, 3, 7, spread=3.0, skew=0.3)
    noise = np.random.default_rng(1).dirichlet(np.ones(3), 900)
    worse, better = truthful((case.truth + 2 * noise) / 3), truthful(case.truth)
    lenient = GATE.model_copy(update={"max_ece_increase": 1.0})

    def against(before: Answers, after: Answers) -> Verdict:
        labels = case.labels[:, None]
        return judge(labels, before, after, TARGETS, objective, lenient, 0, "champion 3")

    gained = against(worse, better)
    assert gained.decision == "PROMOTE", gained.reasons
    assert gained.reasons[0].startswith(f"{told} +")
    lost = against(better, worse)
    assert lost.decision == "HOLD"
    assert lost.reasons[0].startswith(f"{told} not higher: -")


def test_a_better_ranking_is_no_tie_though_all_decisions_are_equal() -> None:
    case = world(900, 2, 8, spread=2.0, skew=2.0)
    two = targets(SingleLabel(column="y", classes=("no", "yes")))
    shuffled = case.truth[np.random.default_rng(0).permutation(900)]
    never = np.zeros((900, 1), dtype=np.int64)
    before, after = Answers((shuffled,), never), Answers((case.truth,), never)

    def judged(objective: Objective, second: Answers) -> Verdict:
        labels = case.labels[:, None]
        return judge(labels, before, second, two, objective, GATE, 0, "champion 3")

    assert judged(AveragePrecision(), after).decision == "PROMOTE"
    assert "decided as champion 3" in judged(MacroF1(), after).reasons[0]
    bent = Answers((shuffled**2 / (shuffled**2).sum(1, keepdims=True),), 1 - never)
    assert "ranked as champion 3" in judged(AveragePrecision(), bent).reasons[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 300), st.sampled_from([o for o, _ in OBJECTIVES]))
def test_renaming_classes_of_two_targets_changes_no_verdict(
    seed: int, rows: int, objective: Objective
) -> None:
    first, second = world(rows, 3, seed), world(rows, 2, seed + 1)
    order = np.random.default_rng(seed).permutation(3)
    labels = np.stack([first.labels, second.labels], axis=1)
    before = beside(truthful(np.roll(first.truth, 1, axis=0)), truthful(second.truth))
    after = beside(truthful(first.truth), truthful(np.roll(second.truth, 3, axis=0)))
    if not isinstance(objective, MacroF1):
        # Those that name classes are for one label a row.
        labels, before, after = (
            labels[:, :1],
            Answers(before.probabilities[:1], before.decisions[:, :1]),
            Answers(after.probabilities[:1], after.decisions[:, :1]),
        )

    def moved(answers: Answers) -> Answers:
        parts = (answers.probabilities[0][:, order], *answers.probabilities[1:])
        decisions = answers.decisions.copy()
        decisions[:, 0] = np.argsort(order)[decisions[:, 0]]
        return Answers(parts, decisions)

    there = labels.copy()
    there[:, 0] = np.argsort(order)[labels[:, 0]]
    names = tuple(NAMES[c] for c in order)
    asked = BOTH[: labels.shape[1]]
    renamed = (Target(name="stance", class_values=names, counted=(0, 1, 2)), *asked[1:])
    plain = judge(labels, before, after, asked, objective, GATE, seed, "champion 1")
    other = judge(there, moved(before), moved(after), renamed, objective, GATE, seed, "champion 1")
    assert other.decision == plain.decision
    assert sorted(other.reasons) == sorted(plain.reasons)


def test_no_gain_of_two_targets_by_chance_alone_is_promoted_often() -> None:
    promoted = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)

        def wrong(labels: np.ndarray, classes: int, rng: np.random.Generator) -> Answers:
            decisions = np.where(rng.random(600) < 0.1, (labels + 1) % classes, labels)
            return answered(decisions, classes=classes)

        before, after = (beside(wrong(LABELS, 3, rng), wrong(TONES, 2, rng)) for _ in "ab")
        promoted += judged_both(before, after).decision == "PROMOTE"
    assert promoted <= 4
