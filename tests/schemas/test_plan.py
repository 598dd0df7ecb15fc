"""Contradictions between the settings of a plan are told with the path of the setting."""

from typing import Any

import pytest

from schemas.plan import Plan

PLAN: dict[str, Any] = {
    "name": "sample",
    "dataset": {"source": "drops", "columns": {"amount": "number"}},
    "label": {"column": "sign", "classes": ["a", "b"]},
    "imbalance": [{"kind": "none"}],
    "search": {"method": "grid"},
}


def linear(**knobs: Any) -> dict[str, Any]:
    return {"families": [{"classifier": {"kind": "logistic-regression", **knobs}}]}


def test_a_grid_of_choices_and_whole_numbers_is_a_plan() -> None:
    trees = {"kind": "lightgbm", "rounds": {"low": 50, "high": 60}, "num_leaves": [8, 16]}
    settled = {"learning_rate": 0.1, "min_child_samples": 5, "colsample_bytree": 0.5}
    counted = {"classifier": trees | settled | {"reg_lambda": [0.1, 1.0]}}
    both = linear(C=[0.1, 1.0])["families"] + [counted]
    assert len(Plan.model_validate(PLAN | {"families": both}).families) == 2


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (linear(C={"low": 0.1, "high": 1.0}), "families.0.classifier.C"),
        (linear(), "families.0.classifier.C"),
        (
            linear(C=1.0)
            | {
                "imbalance": [
                    {"kind": "smote"},
                    {"kind": "class-weights", "exponent": {"low": 0, "high": 1}},
                ]
            },
            "imbalance.1.exponent",
        ),
    ],
    ids=["own range", "range by default", "imbalance"],
)
def test_a_grid_of_a_range_of_numbers_is_a_fault_with_its_path(
    changed: dict[str, Any], path: str
) -> None:
    told = rf"{path}: search\.method grid expected choices such as .*, got a range of numbers"
    with pytest.raises(ValueError, match=told):
        Plan.model_validate(PLAN | changed)


def test_ranges_are_for_the_methods_that_draw() -> None:
    for method in ("tpe", "random", "none"):
        Plan.model_validate(PLAN | linear() | {"search": {"method": method}})


@pytest.mark.parametrize("solver", [{}, {"solver": "lbfgs"}])
def test_l1_that_is_settled_on_lbfgs_is_a_fault_with_its_path(solver: dict[str, str]) -> None:
    told = r"families\.0\.classifier\.penalty: l1 expected the solver liblinear or saga, got lbfgs"
    with pytest.raises(ValueError, match=told):
        Plan.model_validate(PLAN | linear(C=1.0, penalty="l1", **solver))


@pytest.mark.parametrize(
    "knobs",
    [
        {"penalty": "l1", "solver": "saga"},
        {"penalty": "l1", "solver": ["lbfgs", "saga"]},
        {"penalty": ["l1", "l2"]},
    ],
)
def test_l1_with_a_solver_that_may_fit_it_is_a_plan(knobs: dict[str, Any]) -> None:
    assert Plan.model_validate(PLAN | linear(C=1.0, **knobs))


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        ({"key": "sign"}, r"dataset\.key: expected another name than .* a label .*, got 'sign'"),
        ({"time": "sign"}, r"dataset\.time: the label sign can't be the time too"),
        ({"weight": "sign"}, r"dataset\.weight: the label sign can't be the weight too"),
        ({"key": "a", "ignore": {"a": "x"}}, r"dataset\.ignore\.a: the key can't be ignored"),
        ({"time": "a", "ignore": {"a": "x"}}, r"dataset\.ignore\.a: the time can't be ignored"),
        ({"weight": "a", "ignore": {"a": "x"}}, r"dataset\.ignore\.a: the weight can't be ignored"),
        ({"time": "amount"}, r"dataset\.columns\.amount: the time can't be a feature too"),
        ({"weight": "amount"}, r"dataset\.columns\.amount: the weight can't be a feature too"),
        ({"key": "a", "weight": "a"}, r"dataset\.weight: the key a can't be the weight too"),
        ({"time": "a", "weight": "a"}, r"dataset\.weight: the time a can't be the weight too"),
    ],
    ids=str,
)
def test_a_column_with_two_roles_that_exclude_each_other_is_a_fault_with_its_path(
    dataset: dict[str, Any], told: str
) -> None:
    settings = {"dataset": PLAN["dataset"] | dataset, "search": {}}
    with pytest.raises(ValueError, match=told):
        Plan.model_validate(PLAN | settings)


def test_a_label_of_several_can_be_no_weight_either() -> None:
    label = {"kind": "multi-label", "columns": ["b", "c"]}
    with pytest.raises(ValueError, match=r"dataset\.weight: the label c can't be the weight too"):
        Plan.model_validate(
            PLAN | {"label": label, "dataset": PLAN["dataset"] | {"weight": "c"}, "search": {}}
        )


def test_a_key_may_be_a_feature_or_the_time() -> None:
    for roles in ({"key": "amount"}, {"key": "at", "time": "at"}):
        Plan.model_validate(PLAN | {"dataset": PLAN["dataset"] | roles, "search": {}})
