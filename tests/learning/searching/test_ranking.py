"""A trial with few folds is compared on those folds only, and leaves when it is done again."""

from learning.searching.ranking import beats, best, current, margin
from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.samplers import NoResampling
from schemas.trials import Candidate, TrialRecord


def trial(number: int, folds: dict[int, float], score: float | None = None) -> TrialRecord:
    return TrialRecord(
        number=number,
        state="COMPLETE",
        params={},
        candidate=Candidate(
            features=Features(),
            imbalance=NoResampling(),
            classifier=LogisticRegression(C=number % 10 + 1.0),
        ),
        score=sum(folds.values()) / len(folds) if score is None else score,
        fold_scores=tuple(folds.values()),
        oof={fold: f"{fold}.npy" for fold in folds},
        cut_off=len(folds) < 3,
    )


FULL = trial(0, {0: 0.9, 1: 0.6, 2: 0.6})


def test_an_easy_fold_alone_wins_nothing() -> None:
    lucky = trial(1, {0: 0.85})
    assert (lucky.score or 0) > (FULL.score or 0)
    assert not beats(lucky, FULL)
    assert best([lucky, FULL]) == FULL


def test_a_cut_off_trial_that_is_ahead_on_its_own_folds_wins() -> None:
    ahead, further = trial(1, {1: 0.65}), trial(2, {1: 0.7, 2: 0.68})
    assert beats(ahead, FULL)
    assert (ahead.score or 0) < (FULL.score or 0)
    assert best([FULL, ahead, further]) == further


def test_without_a_whole_trial_most_folds_are_the_measure() -> None:
    short, longer = trial(1, {0: 0.88}), trial(2, {0: 0.9, 1: 0.5})
    assert best([short, longer]) == longer
    assert best([trial(3, {0: 0.95}), longer]) == trial(3, {0: 0.95})


def test_whole_trials_are_ranked_by_score_then_log_loss_then_age() -> None:
    same = [FULL.model_copy(update={"number": n, "log_loss": loss}) for n, loss in enumerate("322")]
    same = [t.model_copy(update={"log_loss": float(t.log_loss or 0)}) for t in same]
    assert best(same) == same[1]
    assert best([*same, trial(7, {0: 0.1, 1: 0.2, 2: 0.3}, score=0.99)]).number == 7  # type: ignore[union-attr]


def test_nothing_scored_is_nothing_best() -> None:
    assert best([]) is None
    assert best([TrialRecord(number=0, state="FAIL", params={})]) is None


def test_trials_that_share_no_fold_are_compared_by_their_scores() -> None:
    assert margin(trial(1, {0: 0.75}), trial(2, {1: 0.5})) == 0.25


def test_a_trial_taken_up_again_takes_the_place_of_what_was_cut_off() -> None:
    short = trial(1, {0: 0.9})
    whole = trial(11, {0: 0.9, 1: 0.5, 2: 0.5})
    pruned = TrialRecord(number=21, state="PRUNED", params={}, candidate=short.candidate)
    assert current([short, FULL]) == [short, FULL]
    assert current([short, FULL, whole]) == [FULL, whole]
    assert current([short, pruned]) == [pruned]


def test_of_two_that_were_cut_off_the_one_with_more_folds_stays() -> None:
    short, longer = trial(1, {0: 0.9}), trial(11, {0: 0.9, 1: 0.5})
    assert current([short, longer]) == [longer]
    assert current([longer, trial(21, {0: 0.9})]) == [longer]
