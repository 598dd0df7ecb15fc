import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from learning.answers import Answers
from learning.deciding import metrics
from learning.judging.gate import judge
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.objectives import AveragePrecision, BalancedAccuracy, Cost, FBeta, MacroF1, Objective
from schemas.plan import Gate
from schemas.results import Verdict
from tests.learning.worlds import world

NAMES = ("-1", "0", "1")
TARGETS = targets(SingleLabel(column="stance", classes=NAMES))
GATE = Gate(resamples=500)


def _answers(
    decisions: np.ndarray, sure: float = 0.9, latency_ms: float | None = None, classes: int = 3
) -> Answers:
    """Decisions with the same confidence everywhere."""
    rest = (1 - sure) / (classes - 1)
    probabilities = np.full((len(decisions), classes), rest)
    probabilities[np.arange(len(decisions)), decisions] = sure
    return Answers((probabilities,), decisions[:, None], latency_ms)


def _truthful(probabilities: np.ndarray) -> Answers:
    return Answers((probabilities,), probabilities.argmax(1)[:, None])


def _beside(*answers: Answers) -> Answers:
    """Answers to one target each, as the answers of one model to all of them."""
    parts = tuple(part for each in answers for part in each.probabilities)
    return Answers(parts, np.hstack([each.decisions for each in answers]))


def _with_errors(labels: np.ndarray, every: int, start: int = 0) -> np.ndarray:
    """Every so many-th row decided as the next class."""
    decisions = labels.copy()
    decisions[start::every] = (labels[start::every] + 1) % 3
    return decisions


def _judge(labels: np.ndarray, before: Answers, after: Answers, gate: Gate = GATE) -> Verdict:
    return judge(labels[:, None], before, after, TARGETS, MacroF1(), gate, 0, "champion 3")


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


def test_no_holdout_row_at_all_asks_for_rows_of_every_class() -> None:
    none = LABELS[:0]
    verdict = _judge(none, _answers(none), _answers(none))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == tuple(
        f"The holdout has no row of class '{name}' (about 20 more rows of class '{name}')."
        for name in NAMES
    )


TWO_OF_THREE = LABELS[LABELS != 2]


def test_a_class_that_the_holdout_lacks_and_nobody_decides_is_named_and_blocks_nothing() -> None:
    # With a thousand classes some lack rows every night: they would never see a champion.
    before = _answers(_with_errors(TWO_OF_THREE, 4) % 2)
    verdict = _judge(TWO_OF_THREE, before, _answers(TWO_OF_THREE))
    assert verdict.decision == "PROMOTE"
    assert verdict.reasons[1:] == ("Not judged, as the holdout has no row of it: class '1'.",)
    assert [change.more_rows for change in verdict.class_changes] == [None] * 3


def _deciding_the_absent(rows: slice) -> tuple[Answers, Answers]:
    """Half of the rows wrong, then few; `rows` are decided as the class without rows by both."""
    before, after = _with_errors(TWO_OF_THREE, 2) % 2, TWO_OF_THREE.copy()
    before[rows] = after[rows] = 2
    return _answers(before), _answers(after)


def test_a_class_that_the_holdout_lacks_asks_for_rows_where_it_is_newly_decided() -> None:
    before, after = _deciding_the_absent(slice(0, 0))
    after.decisions[:5] = 2
    verdict = _judge(TWO_OF_THREE, before, _answers(after.decisions[:, 0]))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == (
        "The holdout has no row of class '1' (about 20 more rows of class '1').",
    )
    assert [change.more_rows for change in verdict.class_changes] == [None, None, 20]


def test_a_class_that_the_holdout_lacks_may_be_decided_where_the_champion_does() -> None:
    assert _judge(TWO_OF_THREE, *_deciding_the_absent(slice(0, 5))).decision == "PROMOTE"


def test_against_no_model_a_class_that_the_holdout_lacks_never_blocks() -> None:
    decisions = TWO_OF_THREE.copy()
    decisions[:5] = 2
    constant, after = _answers(np.zeros_like(decisions)), _answers(decisions)
    labels = TWO_OF_THREE[:, None]
    verdict = judge(labels, constant, after, TARGETS, MacroF1(), GATE, 0, "always", harm=False)
    assert verdict.decision == "PROMOTE"
    assert "class '1'" in verdict.reasons[1]


def test_many_classes_that_the_holdout_lacks_are_counted_not_listed() -> None:
    (many,) = targets(SingleLabel(column="topic", classes=tuple(range(30))))
    before, after = (
        _answers(decided, classes=30)
        for decided in (_with_errors(TWO_OF_THREE, 4) % 2, TWO_OF_THREE)
    )
    verdict = _judge_one(TWO_OF_THREE, before, after, many)
    assert verdict.decision == "PROMOTE"
    assert verdict.reasons[1].endswith("class '5', class '6' and 23 more.")


def test_an_objective_on_a_class_that_the_holdout_lacks_asks_for_its_rows() -> None:
    before, after = _answers(_with_errors(TWO_OF_THREE, 4) % 2), _answers(TWO_OF_THREE)
    labels = TWO_OF_THREE[:, None]
    for harm in (True, False):
        verdict = judge(labels, before, after, TARGETS, FBeta(of="1"), GATE, 0, "it", harm=harm)
        assert verdict.decision == "INSUFFICIENT EVIDENCE"
        assert verdict.reasons[0].startswith("The holdout has no row of class '1'")


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


WEIGHTED = targets(SingleLabel(column="fraud", classes=("no", "yes")))


def _weighted(seed: int) -> tuple[np.ndarray, Answers, Answers]:
    """Labels with 5 % positives; true probabilities and those of full class weights of them.

    Offsets decide both alike.
    """
    rng = np.random.default_rng(seed)
    true = expit(rng.normal(size=4000) * 2 - 4.2)
    labels = (rng.random(4000) < true).astype(np.int64)
    decisions = (true > 0.25).astype(np.int64)[:, None]
    honest, bent = (
        Answers((np.stack([1 - p, p], axis=1),), decisions)
        for p in (true, 19 * true / (1 + 18 * true))
    )
    return labels, honest, bent


def _judge_one(
    labels: np.ndarray, before: Answers, after: Answers, target: Target, gate: Gate = GATE
) -> Verdict:
    return judge(labels[:, None], before, after, (target,), MacroF1(), gate, 0, "champion 3")


def _lazy(answers: Answers) -> Answers:
    """The same probabilities, but never deciding the rare class: what is easily gained upon."""
    return Answers(answers.probabilities, np.zeros_like(answers.decisions))


def test_class_weights_that_cancel_in_the_arg_max_are_held() -> None:
    for seed in range(10):
        labels, honest, bent = _weighted(seed)
        (probabilities,) = bent.probabilities
        arg_max = metrics.expected_calibration_error(probabilities, labels)
        assert arg_max < metrics.chance_calibration_error(probabilities) + GATE.max_ece_increase
        verdict = _judge_one(labels, _lazy(honest), bent, WEIGHTED[0])
        assert verdict.decision == "HOLD"
        (reason,) = verdict.reasons
        assert "calibration error of class 'yes' is 0.2" in reason
        assert f"its share {labels.mean():.4f}" in reason
        assert "chance gives up to 0.0" in reason
        assert _judge_one(labels, _lazy(honest), honest, WEIGHTED[0]).decision == "PROMOTE"


def test_renaming_two_classes_names_the_same_one_as_dishonest() -> None:
    labels, honest, bent = _weighted(0)
    (other,) = targets(SingleLabel(column="fraud", classes=("yes", "no")))
    there, then = (
        Answers((side.probabilities[0][:, ::-1],), 1 - side.decisions)
        for side in (_lazy(honest), bent)
    )
    plain = _judge_one(labels, _lazy(honest), bent, WEIGHTED[0])
    assert _judge_one(1 - labels, there, then, other).reasons == plain.reasons


def test_of_a_label_of_many_the_presence_is_looked_at() -> None:
    labels, honest, bent = _weighted(0)
    presence = Target(name="toxic", class_values=(0, 1), counted=(1,))
    (reason,) = _judge_one(labels, _lazy(honest), bent, presence).reasons
    assert "calibration error of label 'toxic' is 0.2" in reason


def test_a_champion_that_was_as_far_off_is_no_reason_to_hold() -> None:
    labels, _, bent = _weighted(0)
    assert _judge_one(labels, _lazy(bent), bent, WEIGHTED[0]).decision == "PROMOTE"


def test_confidence_too_high_in_many_classes_alike_shows_in_the_arg_max_alone() -> None:
    labels = np.tile(np.arange(20), 60)
    rng = np.random.default_rng(0)
    wrong = rng.random((2, 1200)) < [[0.6], [0.4]]
    before, after = (np.where(w, rng.permuted(labels), labels) for w in wrong)
    (many,) = targets(SingleLabel(column="topic", classes=tuple(range(20))))
    modest, sure = (_answers(d, s, classes=20) for d, s in ((before, 0.43), (after, 0.8)))
    lenient = GATE.model_copy(update={"max_class_drop": 1.0})
    (reason,) = _judge_one(labels, modest, sure, many, lenient).reasons
    assert reason.startswith("The expected calibration error is 0.")
    assert metrics.class_calibration_errors(sure.probabilities[0], labels).max() < 0.05


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("rows", [90, 400])
def test_true_probabilities_are_hardly_ever_called_dishonest(rows: int, classes: int) -> None:
    (target,) = targets(SingleLabel(column="kind", classes=tuple(range(classes))))
    quick = GATE.model_copy(update={"resamples": 200, "max_class_drop": 1.0})
    gained, by_arg_max, by_class = 0, 0, 0
    for seed in range(200):
        case = world(rows, classes, seed, spread=3.0)
        constant = Answers((np.full((rows, classes), 1 / classes),), np.zeros((rows, 1), dtype=int))
        verdict = _judge_one(case.labels, constant, _truthful(case.truth), target, quick)
        about = [reason for reason in verdict.reasons if "calibration error" in reason]
        gained += verdict.decision == "PROMOTE" or bool(about)
        by_arg_max += any("The expected calibration" in reason for reason in about)
        by_class += any("of class" in reason for reason in about)
    assert gained >= 150
    assert by_arg_max <= 10
    assert by_class <= 2


def test_no_model_at_all_has_neither_classes_nor_calibration_to_lose() -> None:
    before, after = _with_errors(LABELS, 4), _with_errors(LABELS, 20)
    answers = (_answers(before, sure=0.75), _answers(after, sure=0.6))
    verdict = judge(LABELS[:, None], *answers, TARGETS, MacroF1(), GATE, 0, "no model", harm=False)
    assert verdict.decision == "PROMOTE"


def test_chance_in_a_small_holdout_is_not_called_dishonest() -> None:
    held = 0
    for seed in range(40):
        case = world(90, 3, seed, spread=3.0, skew=0.0)
        constant = _truthful(np.full((90, 3), 1 / 3))
        reasons = _judge(case.labels, constant, _truthful(case.truth)).reasons
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
    before, after = _truthful(bent), _truthful(case.truth)
    there, then = (
        Answers((a.probabilities[0][:, order],), np.argsort(order)[a.decisions])
        for a in (before, after)
    )
    plain = _judge(case.labels, before, after)
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
    verdict = _judge(case.labels, constant, _truthful(case.truth))
    assert verdict.decision == "PROMOTE"


def test_no_gain_by_chance_alone_is_promoted_often() -> None:
    promoted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before, after = (np.where(rng.random(600) < 0.1, (LABELS + 1) % 3, LABELS) for _ in "ab")
        verdict = _judge(LABELS, _answers(before), _answers(after))
        promoted += verdict.decision == "PROMOTE"
    assert promoted <= 6


BOTH = targets(MultiTaskLabel(columns={"stance": NAMES, "tone": ("dry", "warm")}))
MANY = targets(MultiLabel(columns=("sad", "calm")))
TONES = np.tile([0, 1], 300)


def _toned(every: int, sure: float = 0.9) -> Answers:
    """Answers to the tones, every so many-th of them wrong."""
    decisions = TONES.copy()
    decisions[::every] = 1 - TONES[::every]
    return _answers(decisions, sure, classes=2)


def _judge_both(
    before: Answers, after: Answers, asked: tuple[Target, ...] = BOTH, gate: Gate = GATE
) -> Verdict:
    firsts = LABELS if asked is BOTH else TONES
    labels = np.stack([firsts, TONES], axis=1)
    return judge(labels, before, after, asked, MacroF1(), gate, 0, "champion 3")


def test_two_tasks_that_gain_are_promoted_and_each_is_told() -> None:
    before = _beside(_answers(_with_errors(LABELS, 4)), _toned(5))
    after = _beside(_answers(_with_errors(LABELS, 20)), _toned(30))
    verdict = _judge_both(before, after)
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
    verdict = _judge(LABELS, _answers(_with_errors(LABELS, 4)), _answers(LABELS))
    assert verdict.target_changes == ()


def test_a_task_that_pays_for_the_other_is_named() -> None:
    before = _beside(_answers(_with_errors(LABELS, 2)), _toned(30))
    after = _beside(_answers(LABELS), _toned(6))
    verdict = _judge_both(before, after)
    assert verdict.decision == "HOLD"
    assert verdict.reasons[0].startswith("'tone' may lose more than 0.0500 of macro-F1: -0.")
    assert any(reason.startswith("Class 'dry' of 'tone' may") for reason in verdict.reasons)


def test_a_task_may_pay_what_the_gate_allows() -> None:
    before = _beside(_answers(_with_errors(LABELS, 2)), _toned(30))
    after = _beside(_answers(LABELS), _toned(6))
    generous = GATE.model_copy(
        update={"max_task_drop": 0.3, "max_class_drop": 0.3, "max_ece_increase": 0.3}
    )
    assert _judge_both(before, after, gate=generous).decision == "PROMOTE"


def test_calibration_of_each_task_is_looked_at() -> None:
    before = _beside(_answers(_with_errors(LABELS, 4), sure=0.75), _toned(30, sure=0.97))
    after = _beside(_answers(LABELS, sure=0.97), _toned(30, sure=0.6))
    (reason,) = _judge_both(before, after).reasons
    assert "calibration error of 'tone' is 0.3" in reason


def test_of_many_labels_the_label_is_named_and_no_task_is() -> None:
    before = _beside(_toned(2), _toned(30))
    after = _beside(_toned(600), _toned(6))
    verdict = _judge_both(before, after, MANY, GATE.model_copy(update={"max_ece_increase": 0.3}))
    assert verdict.decision == "HOLD"
    assert [reason[:23] for reason in verdict.reasons] == ["Label 'calm' may lose m"]
    assert [(change.target, change.name) for change in verdict.class_changes] == [
        ("sad", "1"),
        ("calm", "1"),
    ]


def test_a_label_without_holdout_rows_asks_for_rows_where_it_is_newly_decided() -> None:
    labels = np.stack([TONES, np.zeros_like(TONES)], axis=1)
    never = _answers(np.zeros_like(TONES), classes=2)
    once = _answers((np.arange(600) == 7).astype(np.int64), classes=2)

    def judged(after: Answers) -> Verdict:
        before = _beside(_toned(3), never)
        return judge(labels, before, after, MANY, MacroF1(), GATE, 0, "champion 3")

    assert judged(_beside(_toned(30), never)).decision == "PROMOTE"
    verdict = judged(_beside(_toned(30), once))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == (
        "The holdout has no row of label 'calm' (about 20 more rows of label 'calm').",
    )
    assert [change.more_rows for change in verdict.class_changes] == [None, 20]


def test_a_label_on_every_row_lacks_nothing() -> None:
    labels = np.stack([TONES, np.ones_like(TONES)], axis=1)
    always = _answers(np.ones_like(TONES), classes=2)
    before, after = _beside(_toned(3), always), _beside(_toned(30), always)
    verdict = judge(labels, before, after, MANY, MacroF1(), GATE, 0, "champion 3")
    assert verdict.decision == "PROMOTE"


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
    worse, better = _truthful((case.truth + 2 * noise) / 3), _truthful(case.truth)
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
    before = _beside(_truthful(np.roll(first.truth, 1, axis=0)), _truthful(second.truth))
    after = _beside(_truthful(first.truth), _truthful(np.roll(second.truth, 3, axis=0)))
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
            return _answers(decisions, classes=classes)

        before, after = (_beside(wrong(LABELS, 3, rng), wrong(TONES, 2, rng)) for _ in "ab")
        promoted += _judge_both(before, after).decision == "PROMOTE"
    assert promoted <= 4


MANY_CLASSES = targets(SingleLabel(column="intent", classes=tuple(range(40))))


def _forty(seed: int, errors: float) -> tuple[np.ndarray, np.ndarray]:
    """800 rows of 40 classes, and decisions of which this share is wrong."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(40), 20)
    wrong = np.random.default_rng(seed + 1).random(len(labels)) < errors
    return labels, np.where(wrong, random.integers(0, 40, len(labels)), labels)


def _judge_forty(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> Verdict:
    first, second = (_answers(each, sure=0.85, classes=40) for each in (before, after))
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
        _answers(before, sure=0.85, classes=40),
        _answers(np.where(labels < 30, after, labels), sure=0.85, classes=40),
        MANY_CLASSES,
        MacroF1(),
        GATE,
        0,
        "champion 3",
    )
    assert verdict.decision == "HOLD"
    assert any("The 30 classes that are too rare" in reason for reason in verdict.reasons)
