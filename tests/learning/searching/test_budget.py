from learning.searching.budget import Budget


def test_the_search_ends_before_the_budget_does():
    budget = Budget(10, folds=3, clock=lambda: 100.0)
    assert 100.0 < budget.deadline() < 100.0 + 600


def test_a_costly_winner_raises_the_reserve():
    budget = Budget(10, folds=3, clock=lambda: 0.0)
    before = budget.reserve_s
    budget.learn("lightgbm", 0.9, 30.0)  # a fold trains on two thirds: 45 s on all rows
    assert budget.reserve_s >= before + 45.0


def test_a_costly_loser_does_not():
    budget = Budget(10, folds=3, clock=lambda: 0.0)
    budget.learn("lightgbm", 0.9, 3.0)
    before = budget.reserve_s
    budget.learn("lightgbm", 0.8, 300.0)
    assert budget.reserve_s == before


def test_trials_under_way_compare_with_each_other_only():
    budget = Budget(10, folds=3, clock=lambda: 0.0)
    budget.learn("lightgbm", 0.9, 3.0)
    before = budget.reserve_s
    budget.learn("lightgbm", 0.7, 30.0, whole=False)  # an early score; the whole one may win
    assert budget.reserve_s >= before + 40.0
    raised = budget.reserve_s
    budget.learn("lightgbm", 0.6, 60.0, whole=False)
    assert budget.reserve_s == raised


def test_the_reserve_never_takes_more_than_half_the_night():
    budget = Budget(1, folds=2, clock=lambda: 0.0)
    budget.learn("lightgbm", 0.9, 1e6)
    assert budget.deadline() == 30.0
