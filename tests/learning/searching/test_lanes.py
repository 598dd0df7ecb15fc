"""A share of the workers is used up, and never more than it."""

import pytest

from learning.searching.lanes import Lanes


@pytest.mark.parametrize("share", range(1, 33))
@pytest.mark.parametrize("folds", [2, 3, 5])
def test_a_network_uses_the_cores_of_its_share_and_no_more(share: int, folds: int) -> None:
    lanes = Lanes(lambda: share, folds, whole_trials=True)
    assert lanes.threads * lanes.units <= share
    assert lanes.threads * (lanes.units + 1) > share
    assert lanes.rounds(folds) == -(-folds // min(folds, lanes.units))


def test_other_fits_have_a_worker_each_and_their_folds_in_a_row() -> None:
    lanes = Lanes(lambda: 8, folds=3)
    assert (lanes.threads, lanes.units, lanes.rounds(3)) == (1, 8, 3)


@pytest.mark.parametrize("whole_trials", [False, True])
def test_without_a_share_nothing_starts(whole_trials: bool) -> None:
    assert Lanes(lambda: 0, folds=3, whole_trials=whole_trials).units == 0
