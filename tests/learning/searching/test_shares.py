import pytest

from learning.searching.shares import Shares
from schemas.trials import TrialRecord


def _trial(score: float | None, state: str = "COMPLETE") -> TrialRecord:
    return TrialRecord(number=0, state=state, params={}, score=score)


@pytest.mark.parametrize(
    ("workers", "families", "share"),
    [(2, "ab", 1), (2, "a", 2), (8, "abc", 3), (1, "abc", 1)],
    ids=["even", "alone", "rounded up", "never none"],
)
def test_families_share_the_workers_evenly(workers, families, share):
    shares = Shares(workers, families)
    assert {shares.of(family) for family in families} == {share}


def test_who_leaves_makes_room():
    shares = Shares(4, ["lightgbm", "logistic-regression"])
    shares.leave("logistic-regression")
    assert shares.of("lightgbm") == 4


def test_a_family_that_is_behind_and_gains_no_more_gives_its_slots_up():
    shares = Shares(2, ["cheap", "costly"])
    shares.learn("costly", _trial(0.9))
    shares.learn("cheap", _trial(0.8))
    for _ in range(14):
        shares.learn("cheap", _trial(None, "PRUNED"))
    assert shares.of("cheap") == 1
    shares.learn("cheap", _trial(0.79))
    assert shares.of("cheap") == 0
    shares.leave("cheap")
    assert shares.of("costly") == 2


def test_a_gain_starts_the_patience_anew():
    shares = Shares(2, ["cheap", "costly"])
    shares.learn("costly", _trial(0.9))
    for _ in range(14):
        shares.learn("cheap", _trial(0.8))
    shares.learn("cheap", _trial(0.81))
    shares.learn("cheap", _trial(0.8))
    assert shares.of("cheap") == 1


def test_who_is_ahead_never_gives_up():
    shares = Shares(2, ["cheap", "costly"])
    shares.learn("costly", _trial(0.7))
    for _ in range(40):
        shares.learn("cheap", _trial(0.8))
    assert shares.of("cheap") == 1


def test_failures_cost_no_patience():
    shares = Shares(2, ["cheap", "costly"])
    shares.learn("costly", _trial(0.9))
    for _ in range(40):
        shares.learn("cheap", _trial(None, "FAIL"))
    assert shares.of("cheap") == 1


def test_a_lucky_fold_of_a_trial_that_was_cut_off_beats_nobody():
    shares = Shares(2, ["cheap", "costly"])
    shares.learn("costly", _trial(0.99).model_copy(update={"cut_off": True}))
    for _ in range(40):
        shares.learn("cheap", _trial(0.8))
    assert shares.of("cheap") == 1
