import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as PlainLogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from learning.families.classifiers import classifier
from schemas.classifiers import (
    BalancedRandomForest,
    LightGBM,
    LogisticRegression,
    NaiveBayesSVM,
    RandomForest,
    XGBoost,
)
from schemas.knobs import open_knobs, settle


def _blobs(rows: int, classes: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    return rng.normal(size=(rows, 5)) + np.eye(classes, 5)[labels], labels


def test_iterations_that_run_out_warn_nobody() -> None:
    rng = np.random.default_rng(0)
    matrix, labels = rng.normal(size=(60, 20)) * 100, rng.integers(0, 2, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec = LogisticRegression(C=1e6, max_iter=1)
        fitted = classifier(spec, None, 0, 1).fit(matrix, labels)
    assert fitted.n_iter_.max() == 1


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_liblinear_takes_three_classes_one_against_the_rest(penalty: Any) -> None:
    matrix, labels = _blobs(90, 3)
    spec = LogisticRegression(C=0.5, penalty=penalty, solver="liblinear")
    ours = classifier(spec, None, 0, 1).fit(matrix, labels)
    alone = PlainLogisticRegression(
        C=0.5, l1_ratio=float(penalty == "l1"), solver="liblinear", tol=1e-3, random_state=0
    )
    theirs = OneVsRestClassifier(alone).fit(matrix, labels)
    np.testing.assert_allclose(
        ours.predict_proba(matrix), theirs.predict_proba(matrix), rtol=0, atol=1e-12
    )
    assert ours.predict(matrix).tolist() == theirs.predict(matrix).tolist()


def test_two_classes_of_liblinear_are_one_model() -> None:
    matrix, labels = _blobs(60, 2)
    spec = LogisticRegression(C=1.0, solver="liblinear")
    ours = classifier(spec, None, 0, 1).fit(matrix, labels)
    theirs = PlainLogisticRegression(C=1.0, solver="liblinear", tol=1e-3).fit(matrix, labels)
    np.testing.assert_allclose(
        ours.predict_proba(matrix), theirs.predict_proba(matrix), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("solver", ["liblinear", "saga"])
def test_l1_leaves_columns_out_that_l2_keeps(solver: Any) -> None:
    matrix, labels = _blobs(90, 3)
    noise = np.random.default_rng(1).normal(size=(90, 40))
    zeros = [
        (classifier(LogisticRegression(C=0.1, penalty=penalty, solver=solver), None, 0, 1)
         .fit(np.hstack([matrix, noise]), labels).coef_ == 0).mean()
        for penalty in ("l1", "l2")
    ]  # fmt: skip
    assert zeros[0] > 0.5
    assert zeros[1] == 0


def test_l1_by_lbfgs_is_told_with_what_to_do() -> None:
    spec = LogisticRegression(C=1.0, penalty="l1", solver="lbfgs")
    with pytest.raises(ValueError, match="expected the solver liblinear or saga for the penalty"):
        classifier(spec, None, 0, 1)


def test_the_solvers_agree_where_they_solve_the_same_problem() -> None:
    matrix, labels = _blobs(90, 3)
    lbfgs, saga = (
        classifier(LogisticRegression(C=1.0, solver=solver), None, 0, 1)
        .fit(matrix, labels)
        .predict_proba(matrix)
        for solver in ("lbfgs", "saga")
    )
    np.testing.assert_allclose(lbfgs, saga, atol=0.01)


def test_a_grid_of_sixteen_points_can_be_written_down() -> None:
    spec = LogisticRegression.model_validate(
        {"C": [0.1, 1, 10, 100], "penalty": ["l1", "l2"], "solver": ["liblinear", "saga"]}
    )
    knobs = open_knobs(spec)
    assert np.prod([len(choices) for choices in knobs.values()]) == 16  # type: ignore[arg-type]
    settled = settle(spec, {"C": 10, "penalty": "l1", "solver": "saga"})
    classifier(settled, None, 0, 1)


def test_a_random_search_of_xgboost_can_be_written_down() -> None:
    spec = XGBoost.model_validate(
        {
            "rounds": {"low": 100, "high": 1000},
            "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
            "max_depth": {"low": 3, "high": 10},
            "subsample": {"low": 0.5, "high": 1.0},
            "colsample_bytree": {"low": 0.5, "high": 1.0},
            "gamma": {"low": 0.0, "high": 5.0},
            "reg_alpha": {"low": 0.0, "high": 1.0},
            "reg_lambda": {"low": 0.0, "high": 1.0},
        }
    )
    assert set(open_knobs(spec)) == {
        "rounds", "learning_rate", "max_depth", "min_child_weight", "subsample",
        "colsample_bytree", "gamma", "reg_alpha", "reg_lambda",
    }  # fmt: skip


FAMILIES = (
    LogisticRegression,
    NaiveBayesSVM,
    LightGBM,
    XGBoost,
    RandomForest,
    BalancedRandomForest,
)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family().kind)
def test_the_first_points_settle_every_knob_and_fit(family: Any) -> None:
    matrix, labels = _blobs(40, 3)
    assert len(family().first) == 2
    for point in family().first:
        assert set(point) == set(open_knobs(family()))
        quick = {name: 3 for name in ("rounds", "trees") if hasattr(family(), name)}
        settled = settle(family(), {**point, **quick})
        assert classifier(settled, None, 0, 1).fit(matrix, labels).classes_.tolist() == [0, 1, 2]


def test_lightgbm_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    # Three rows make it complain about everything: too few rows, no feature of use.
    classifier(LightGBM(rounds=2, learning_rate=0.1, num_leaves=4, min_child_samples=20,
                        colsample_bytree=1.0, reg_lambda=0.1), None, 0, 1).fit(
        np.ones((3, 1)), np.array([0, 1, 1])
    )  # fmt: skip
    assert capfd.readouterr() == ("", "")


def test_xgboost_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    spec = settle(XGBoost(), {**XGBoost().first[0], "rounds": 2})
    fitted = classifier(spec, None, 0, 1).fit(np.ones((3, 1)), np.array([0, 1, 1]))
    assert fitted.predict_proba(np.ones((1, 1))).shape == (1, 2)
    assert capfd.readouterr() == ("", "")


def test_rows_are_left_out_of_rounds_only_where_the_plan_says_so() -> None:
    matrix, labels = _blobs(200, 2)
    settled = settle(LightGBM(), {**LightGBM().first[0], "rounds": 20})
    whole, shared = (
        classifier(spec, None, 0, 1).fit(matrix, labels).predict_proba(matrix)
        for spec in (settled, settled.model_copy(update={"subsample": 0.5}))
    )
    assert np.abs(whole - shared).max() > 1e-3
    assert LightGBM().subsample == 1.0


def test_an_open_knob_is_a_fault_of_the_caller() -> None:
    with pytest.raises(TypeError, match="settle"):
        classifier(LogisticRegression(), None, 0, 1)
