"""What speaks against a challenger beside a class or task that loses."""

import numpy as np
import pytest
from scipy.special import expit

from learning.answers import Answers
from learning.deciding import metrics
from learning.judging.gate import judge
from schemas.label import SingleLabel, Target, targets
from schemas.objectives import FBeta, MacroF1
from schemas.results import Verdict
from tests.learning.judging.verdicts import (
    GATE,
    LABELS,
    MANY,
    TARGETS,
    TONES,
    answered,
    beside,
    judged,
    judged_both,
    judged_one,
    toned,
    truthful,
    with_errors,
)
from tests.learning.worlds import world

TWO_OF_THREE = LABELS[LABELS != 2]


def test_a_class_that_the_holdout_lacks_and_nobody_decides_is_named_and_blocks_nothing() -> None:
    # With a thousand classes some lack rows every night: they would never see a champion.
    before = answered(with_errors(TWO_OF_THREE, 4) % 2)
    verdict = judged(TWO_OF_THREE, before, answered(TWO_OF_THREE))
    assert verdict.decision == "PROMOTE"
    assert verdict.reasons[1:] == ("Not judged, as the holdout has no row of it: class '1'.",)
    assert [change.more_rows for change in verdict.class_changes] == [None] * 3


def _deciding_the_absent(rows: slice) -> tuple[Answers, Answers]:
    """Half of the rows wrong, then few; `rows` are decided as the class without rows by both."""
    before, after = with_errors(TWO_OF_THREE, 2) % 2, TWO_OF_THREE.copy()
    before[rows] = after[rows] = 2
    return answered(before), answered(after)


def test_a_class_that_the_holdout_lacks_asks_for_rows_where_it_is_newly_decided() -> None:
    before, after = _deciding_the_absent(slice(0, 0))
    after.decisions[:5] = 2
    verdict = judged(TWO_OF_THREE, before, answered(after.decisions[:, 0]))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == (
        "The holdout has no row of class '1' (about 20 more rows of class '1').",
    )
    assert [change.more_rows for change in verdict.class_changes] == [None, None, 20]


def test_a_class_that_the_holdout_lacks_may_be_decided_where_the_champion_does() -> None:
    assert judged(TWO_OF_THREE, *_deciding_the_absent(slice(0, 5))).decision == "PROMOTE"


def test_against_no_model_a_class_that_the_holdout_lacks_never_blocks() -> None:
    decisions = TWO_OF_THREE.copy()
    decisions[:5] = 2
    constant, after = answered(np.zeros_like(decisions)), answered(decisions)
    labels = TWO_OF_THREE[:, None]
    verdict = judge(labels, constant, after, TARGETS, MacroF1(), GATE, 0, "always", harm=False)
    assert verdict.decision == "PROMOTE"
    assert "class '1'" in verdict.reasons[1]


def test_many_classes_that_the_holdout_lacks_are_counted_not_listed() -> None:
    (many,) = targets(SingleLabel(column="topic", classes=tuple(range(30))))
    before, after = (
        answered(decided, classes=30)
        for decided in (with_errors(TWO_OF_THREE, 4) % 2, TWO_OF_THREE)
    )
    verdict = judged_one(TWO_OF_THREE, before, after, many)
    assert verdict.decision == "PROMOTE"
    assert verdict.reasons[1].endswith("class '5', class '6' and 23 more.")


def test_an_objective_on_a_class_that_the_holdout_lacks_asks_for_its_rows() -> None:
    before, after = answered(with_errors(TWO_OF_THREE, 4) % 2), answered(TWO_OF_THREE)
    labels = TWO_OF_THREE[:, None]
    for harm in (True, False):
        verdict = judge(labels, before, after, TARGETS, FBeta(of="1"), GATE, 0, "it", harm=harm)
        assert verdict.decision == "INSUFFICIENT EVIDENCE"
        assert verdict.reasons[0].startswith("The holdout has no row of class '1'")


def test_dishonest_probabilities_are_held() -> None:
    before, after = with_errors(LABELS, 4), with_errors(LABELS, 20)
    verdict = judged(LABELS, answered(before, sure=0.75), answered(after, sure=0.6))
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


def _lazy(answers: Answers) -> Answers:
    """The same probabilities, but never deciding the rare class: what is easily gained upon."""
    return Answers(answers.probabilities, np.zeros_like(answers.decisions))


def test_class_weights_that_cancel_in_the_arg_max_are_held() -> None:
    for seed in range(10):
        labels, honest, bent = _weighted(seed)
        (probabilities,) = bent.probabilities
        arg_max = metrics.expected_calibration_error(probabilities, labels)
        assert arg_max < metrics.chance_calibration_error(probabilities) + GATE.max_ece_increase
        verdict = judged_one(labels, _lazy(honest), bent, WEIGHTED[0])
        assert verdict.decision == "HOLD"
        (reason,) = verdict.reasons
        assert "calibration error of class 'yes' is 0.2" in reason
        assert f"its share {labels.mean():.4f}" in reason
        assert "chance gives up to 0.0" in reason
        assert judged_one(labels, _lazy(honest), honest, WEIGHTED[0]).decision == "PROMOTE"


def test_renaming_two_classes_names_the_same_one_as_dishonest() -> None:
    labels, honest, bent = _weighted(0)
    (other,) = targets(SingleLabel(column="fraud", classes=("yes", "no")))
    there, then = (
        Answers((side.probabilities[0][:, ::-1],), 1 - side.decisions)
        for side in (_lazy(honest), bent)
    )
    plain = judged_one(labels, _lazy(honest), bent, WEIGHTED[0])
    assert judged_one(1 - labels, there, then, other).reasons == plain.reasons


def test_of_a_label_of_many_the_presence_is_looked_at() -> None:
    labels, honest, bent = _weighted(0)
    presence = Target(name="toxic", class_values=(0, 1), counted=(1,))
    (reason,) = judged_one(labels, _lazy(honest), bent, presence).reasons
    assert "calibration error of label 'toxic' is 0.2" in reason


def test_a_champion_that_was_as_far_off_is_no_reason_to_hold() -> None:
    labels, _, bent = _weighted(0)
    assert judged_one(labels, _lazy(bent), bent, WEIGHTED[0]).decision == "PROMOTE"


def test_confidence_too_high_in_many_classes_alike_shows_in_the_arg_max_alone() -> None:
    labels = np.tile(np.arange(20), 60)
    rng = np.random.default_rng(0)
    wrong = rng.random((2, 1200)) < [[0.6], [0.4]]
    before, after = (np.where(w, rng.permuted(labels), labels) for w in wrong)
    (many,) = targets(SingleLabel(column="topic", classes=tuple(range(20))))
    modest, sure = (answered(d, s, classes=20) for d, s in ((before, 0.43), (after, 0.8)))
    lenient = GATE.model_copy(update={"max_class_drop": 1.0})
    (reason,) = judged_one(labels, modest, sure, many, lenient).reasons
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
        verdict = judged_one(case.labels, constant, truthful(case.truth), target, quick)
        about = [reason for reason in verdict.reasons if "calibration error" in reason]
        gained += verdict.decision == "PROMOTE" or bool(about)
        by_arg_max += any("The expected calibration" in reason for reason in about)
        by_class += any("of class" in reason for reason in about)
    assert gained >= 150
    assert by_arg_max <= 10
    assert by_class <= 2


def test_no_model_at_all_has_neither_classes_nor_calibration_to_lose() -> None:
    before, after = with_errors(LABELS, 4), with_errors(LABELS, 20)
    answers = (answered(before, sure=0.75), answered(after, sure=0.6))
    verdict = judge(LABELS[:, None], *answers, TARGETS, MacroF1(), GATE, 0, "no model", harm=False)
    assert verdict.decision == "PROMOTE"


def test_chance_in_a_small_holdout_is_not_called_dishonest() -> None:
    held = 0
    for seed in range(40):
        case = world(90, 3, seed, spread=3.0, skew=0.0)
        constant = truthful(np.full((90, 3), 1 / 3))
        reasons = judged(case.labels, constant, truthful(case.truth)).reasons
        held += any("calibration" in reason for reason in reasons)
    assert held <= 4


def test_a_slow_challenger_is_held() -> None:
    before, after = with_errors(LABELS, 4), with_errors(LABELS, 20)
    verdict = judged(LABELS, answered(before), answered(after, latency_ms=250.0))
    assert verdict.decision == "HOLD"
    assert verdict.reasons == ("A row takes 250.0000 ms; expected at most 100.0000 ms.",)


def test_every_objection_is_told() -> None:
    labels = np.repeat([0, 1, 2], (400, 400, 60))
    before, after = labels.copy(), labels.copy()
    before[:800:3] = 1 - labels[:800:3]
    after[800:820] = 0
    slow = answered(after, sure=0.5, latency_ms=500.0)
    verdict = judged(labels, answered(before), slow)
    assert verdict.decision == "HOLD"
    assert len(verdict.reasons) == 3


def test_calibration_of_each_task_is_looked_at() -> None:
    before = beside(answered(with_errors(LABELS, 4), sure=0.75), toned(30, sure=0.97))
    after = beside(answered(LABELS, sure=0.97), toned(30, sure=0.6))
    (reason,) = judged_both(before, after).reasons
    assert "calibration error of 'tone' is 0.3" in reason


def test_a_label_without_holdout_rows_asks_for_rows_where_it_is_newly_decided() -> None:
    labels = np.stack([TONES, np.zeros_like(TONES)], axis=1)
    never = answered(np.zeros_like(TONES), classes=2)
    once = answered((np.arange(600) == 7).astype(np.int64), classes=2)

    def judged(after: Answers) -> Verdict:
        before = beside(toned(3), never)
        return judge(labels, before, after, MANY, MacroF1(), GATE, 0, "champion 3")

    assert judged(beside(toned(30), never)).decision == "PROMOTE"
    verdict = judged(beside(toned(30), once))
    assert verdict.decision == "INSUFFICIENT EVIDENCE"
    assert verdict.reasons == (
        "The holdout has no row of label 'calm' (about 20 more rows of label 'calm').",
    )
    assert [change.more_rows for change in verdict.class_changes] == [None, 20]


def test_a_label_on_every_row_lacks_nothing() -> None:
    labels = np.stack([TONES, np.ones_like(TONES)], axis=1)
    always = answered(np.ones_like(TONES), classes=2)
    before, after = beside(toned(3), always), beside(toned(30), always)
    verdict = judge(labels, before, after, MANY, MacroF1(), GATE, 0, "champion 3")
    assert verdict.decision == "PROMOTE"
