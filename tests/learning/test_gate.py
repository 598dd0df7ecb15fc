import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.gate import Answers, judge
from schemas.plan import Gate
from schemas.results import Verdict
from tests.learning.worlds import world

NAMES = ("-1", "0", "1")
GATE = Gate(resamples=500)


def _answers(
    decisions: np.ndarray, sure: float = 0.9, latency_ms: float | None = None, classes: int = 3
) -> Answers:
    """Decisions with the same confidence everywhere."""
    rest = (1 - sure) / (classes - 1)
    probabilities = np.full((len(decisions), classes), rest)
    probabilities[np.arange(len(decisions)), decisions] = sure
    return Answers(probabilities, decisions, latency_ms)


def _with_errors(labels: np.ndarray, every: int, start: int = 0) -> np.ndarray:
    """Every so many-th row decided as the next class."""
    decisions = labels.copy()
    decisions[start::every] = (labels[start::every] + 1) % 3
    return decisions


def _judge(labels: np.ndarray, before: Answers, after: Answers, gate: Gate = GATE) -> Verdict:
    return judge(labels, before, after, NAMES, gate, 0, "champion 3")


LABELS = np.tile([0, 1, 2, 0, 0], 120)


def test_a_clear_gain_is_promoted() -> None:
    verdict = _judge(LABELS, _answers(_with_errors(LABELS, 4)), _answers(_with_errors(LABELS, 20)))
    assert verdict.decision == "PROMOTE"
    assert verdict.reference == "champion 3"
    assert verdict.difference is not None
    assert verdict.difference.low > 0
    assert [change.name for change in verdict.class_changes] == list(NAMES)
    assert "against champion 3 on 600 rows" in verdict.reasons[0]


def test_a_tie_keeps_the_champion() -> None:
    same = _with_errors(LABELS, 10)
    verdict = _judge(LABELS, _answers(same, sure=0.8), _answers(same.copy(), sure=0.9))
    assert verdict.decision == "HOLD"
    assert "tie" in verdict.reasons[0]


def test_equal_scores_by_other_errors_keep_the_champion() -> None:
    labels = np.tile([0, 1, 2], 60)
    before, after = _with_errors(labels, 9, 0), _with_errors(labels, 9, 3)
    verdict = _judge(labels, _answers(before), _answers(after))
    assert not np.array_equal(before, after)
    assert verdict.decision == "HOLD"
    assert "not higher" in verdict.reasons[0]


def test_a_worse_challenger_is_held() -> None:
    verdict = _judge(LABELS, _answers(_with_errors(LABELS, 20)), _answers(_with_errors(LABELS, 4)))
    assert verdict.decision == "HOLD"
    assert "not higher" in verdict.reasons[0]


@pytest.mark.parametrize(
    "labels",
    [pytest.param(LABELS[LABELS != 2], id="one class"), pytest.param(LABELS[:0], id="all")],
)
def test_a_class_without_holdout_rows_asks_for_rows(labels: np.ndarray) -> None:
    verdict = _judge(labels, _answers(_with_errors(labels, 2) % 2), _answers(labels))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert any("(about 20 more rows of class '1')" in reason for reason in verdict.reasons)


def test_a_gain_within_chance_asks_for_rows_of_the_least_certain_class() -> None:
    labels = np.repeat([0, 1, 2], (300, 200, 12))
    before, after = _with_errors(labels, 10), _with_errors(labels, 10)
    before[-2:], after[-2:] = 0, 2
    verdict = _judge(labels, _answers(before), _answers(after))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    asked = verdict.class_changes[2].more_rows
    assert asked is not None
    assert 1 <= asked <= 120
    assert f"(about {asked} more rows of class '1')" in verdict.reasons[0]
    assert [change.more_rows for change in verdict.class_changes[:2]] == [None, None]


def test_the_rows_asked_for_settle_it() -> None:
    labels = np.repeat([0, 1, 2], (300, 200, 12))
    before, after = _with_errors(labels, 10), _with_errors(labels, 10)
    before[-2:], after[-2:] = 0, 2
    asked = _judge(labels, _answers(before), _answers(after)).class_changes[2].more_rows
    assert asked is not None
    times = 1 + -(-asked // 12)
    more, b, a = (np.tile(each, times) for each in (labels, before, after))
    assert _judge(more, _answers(b), _answers(a)).decision == "PROMOTE"


def test_a_difference_too_small_to_tell_apart_is_held() -> None:
    labels = np.tile([0, 1, 2], 200)
    before, after = _with_errors(labels, 5, 0), _with_errors(labels, 5, 2)
    after[2] = labels[2]
    verdict = _judge(labels, _answers(before), _answers(after))
    assert verdict.difference is not None
    assert 0 < verdict.difference.value < 0.01
    assert verdict.decision == "HOLD"
    assert "too small to tell apart" in verdict.reasons[0]


def _one_class_pays(rows: int, wrong: int, right: int) -> Verdict:
    """Classes 0 and 1 gain much; of class 2 `wrong` rows are lost and `right` rows are won."""
    labels = np.repeat([0, 1, 2], (400, 400, rows))
    before, after = labels.copy(), labels.copy()
    before[:800:3] = 1 - labels[:800:3]
    before[800 : 800 + right] = 0
    after[800 + right : 800 + right + wrong] = 0
    return _judge(labels, _answers(before), _answers(after))


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


def test_dishonest_probabilities_are_held() -> None:
    before, after = _with_errors(LABELS, 4), _with_errors(LABELS, 20)
    verdict = _judge(LABELS, _answers(before, sure=0.75), _answers(after, sure=0.6))
    assert verdict.decision == "HOLD"
    assert "calibration error is 0.3500" in verdict.reasons[0]


def test_no_model_at_all_has_neither_classes_nor_calibration_to_lose() -> None:
    before, after = _with_errors(LABELS, 4), _with_errors(LABELS, 20)
    answers = (_answers(before, sure=0.75), _answers(after, sure=0.6))
    verdict = judge(LABELS, *answers, NAMES, GATE, 0, "no model", harm=False)
    assert verdict.decision == "PROMOTE"


def test_chance_in_a_small_holdout_is_not_called_dishonest() -> None:
    held = 0
    for seed in range(40):
        case = world(90, 3, seed, spread=3.0, skew=0.0)
        constant = Answers(np.full((90, 3), 1 / 3), np.zeros(90, dtype=np.int64))
        after = Answers(case.truth, case.truth.argmax(1))
        reasons = _judge(case.labels, constant, after).reasons
        held += any("calibration" in reason for reason in reasons)
    assert held <= 4


def test_a_slow_challenger_is_held() -> None:
    before, after = _with_errors(LABELS, 4), _with_errors(LABELS, 20)
    verdict = _judge(LABELS, _answers(before), _answers(after, latency_ms=250.0))
    assert verdict.decision == "HOLD"
    assert verdict.reasons == ("A row takes 250.0000 ms; expected at most 100.0000 ms.",)


def test_every_objection_is_told() -> None:
    labels = np.repeat([0, 1, 2], (400, 400, 60))
    before, after = labels.copy(), labels.copy()
    before[:800:3] = 1 - labels[:800:3]
    after[800:820] = 0
    slow = _answers(after, sure=0.5, latency_ms=500.0)
    verdict = _judge(labels, _answers(before), slow)
    assert verdict.decision == "HOLD"
    assert len(verdict.reasons) == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 400), st.floats(0.2, 3))
def test_renaming_classes_changes_no_verdict(seed: int, rows: int, bend: float) -> None:
    case = world(rows, 3, seed)
    bent = case.truth**bend * np.array([1.0, 2.0, 4.0])
    bent /= bent.sum(1, keepdims=True)
    order = np.random.default_rng(seed).permutation(3)
    before, after = (Answers(p, p.argmax(1)) for p in (bent, case.truth))
    there, then = (
        Answers(a.probabilities[:, order], np.argsort(order)[a.decisions]) for a in (before, after)
    )
    plain = judge(case.labels, before, after, NAMES, GATE, seed, "champion 1")
    names = [NAMES[c] for c in order]
    other = judge(np.argsort(order)[case.labels], there, then, names, GATE, seed, "champion 1")
    assert other.decision == plain.decision
    assert sorted(other.reasons) == sorted(plain.reasons)


def test_better_than_always_the_most_common_class_is_promoted() -> None:
    case = world(800, 3, 3, spread=4.0, skew=2.0)
    common = np.bincount(case.labels).argmax()
    shares = np.bincount(case.labels) / 800
    constant = Answers(np.tile(shares, (800, 1)), np.full(800, common))
    verdict = _judge(case.labels, constant, Answers(case.truth, case.truth.argmax(1)))
    assert verdict.decision == "PROMOTE"


def test_no_gain_by_chance_alone_is_promoted_often() -> None:
    promoted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before, after = (np.where(rng.random(600) < 0.1, (LABELS + 1) % 3, LABELS) for _ in "ab")
        verdict = judge(LABELS, _answers(before), _answers(after), NAMES, GATE, seed, "champion 1")
        promoted += verdict.decision == "PROMOTE"
    assert promoted <= 6
