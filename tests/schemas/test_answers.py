"""Each column of the answers has a name of its own, or the plan is refused."""

from typing import Any

import pytest

from schemas.plan import Plan

DATA: dict[str, Any] = {"source": "drops", "columns": {"amount": "number"}}


def plan(label: dict[str, Any], **data: Any) -> Plan:
    return Plan.model_validate({"name": "sample", "dataset": DATA | data, "label": label})


def single(*classes: str) -> dict[str, Any]:
    return {"column": "sign", "classes": classes}


def flags(*columns: str) -> dict[str, Any]:
    return {"kind": "multi-label", "columns": columns}


def tasks(**columns: list[str]) -> dict[str, Any]:
    return {"kind": "multi-task", "columns": columns}


@pytest.mark.parametrize(
    ("label", "key", "told"),
    [
        (
            flags("x", "x_probability"),
            None,
            r"label\.columns: expected labels and classes that name each column of the answers "
            r"once, got 'x_probability' more than once; rename one",
        ),
        (
            tasks(a=["prediction", "no"], a_probability=["yes", "no"]),
            "id",
            r"label\.columns: expected .* got 'a_probability_prediction' more than once",
        ),
        (flags("row", "x"), None, r"label\.columns: .* which numbers the answers, got 'row'"),
        (flags("id", "x"), "id", r"dataset\.key: expected another name .* got 'id'"),
        (flags("x", "y"), "x_probability", r"dataset\.key: .* got 'x_probability'"),
        (single("a", "b"), "prediction", r"dataset\.key: .* got 'prediction'"),
        (single("a", "b"), "probability_b", r"dataset\.key: .* got 'probability_b'"),
        (single("a", "b"), "sign", r"dataset\.key: .* got 'sign'"),
        (tasks(a=["b", "c"], d=["e", "f"]), "a_probability_c", r"dataset\.key: .*probability_c'"),
    ],
)
def test_a_name_that_would_stand_twice_is_refused_with_its_path(
    label: dict[str, Any], key: str | None, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        plan(label, key=key)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        (single("a", "row"), "row"),
        (single("a", "b"), "a"),
        (flags("prediction", "probability"), None),
        (tasks(row=["a", "b"], x=["row", "prediction"]), "prediction"),
    ],
)
def test_names_that_differ_are_a_plan(label: dict[str, Any], key: str | None) -> None:
    assert plan(label, key=key).dataset.key == key
