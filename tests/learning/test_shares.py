import pytest

from learning.shares import Shares


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
