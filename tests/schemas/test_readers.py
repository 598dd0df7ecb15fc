"""A family that reads the text itself takes no setting that would not reach it."""

from typing import Any

import pytest

from schemas.plan import Plan

ENCODER = {"model": "owner/name", "revision": "0" * 40}
PLAN: dict[str, Any] = {
    "name": "sample",
    "dataset": {"source": "drops", "columns": {"said": "text", "amount": "number"}},
    "label": {
        "kind": "multi-task",
        "columns": {"mood": ["bad", "good"], "topic": [-1, 0]},
    },
}


def reader(features: dict[str, Any] | None = None, **told: Any) -> dict[str, Any]:
    family: dict[str, Any] = {"classifier": {"kind": "transformer", "encoder": ENCODER, **told}}
    return {"families": [family | ({"features": features} if features else {})]}


def test_a_transformer_of_known_labels_and_classes_is_a_plan() -> None:
    told = reader(
        tasks={"mood": {"class_multipliers": {"bad": 2.0}}, "topic": {"weight": 1.4}},
        sampling={"boosts": {"topic": {"-1": 3.0}}},
    )
    assert Plan.model_validate(PLAN | told).families[0].classifier.reads_text


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (
            reader(tasks={"moot": {}}),
            "families.0.classifier.tasks.moot: expected one of the labels mood, topic, got 'moot';"
            " did you mean 'mood'?",
        ),
        (
            reader(tasks={"mood": {"class_multipliers": {"goood": 2.0}}}),
            "families.0.classifier.tasks.mood.class_multipliers.goood: expected one of the classes "
            "bad, good, got 'goood'; did you mean 'good'?",
        ),
        (
            reader(sampling={"boosts": {"stance": {"x": 2.0}}}),
            "families.0.classifier.sampling.boosts.stance: expected one of the labels mood, topic, "
            "got 'stance'",
        ),
        (
            reader(sampling={"boosts": {"topic": {"1": 2.0}}}),
            "families.0.classifier.sampling.boosts.topic.1: expected one of the classes -1, 0, got "
            "'1'; did you mean '-1'?",
        ),
        (
            reader({"text": {"min_df": 9}}),
            "families.0.features: a transformer reads the text columns itself; remove them",
        ),
        (
            reader() | {"imbalance": [{"kind": "none"}]},
            "imbalance: expected a family that uses these methods, got only families that read",
        ),
        (
            reader() | {"dataset": {"source": "drops", "columns": {"amount": "number"}}},
            "families.0.classifier: a transformer expected a text column to read, got none",
        ),
        (
            reader() | {"search": {"method": "grid"}},
            "families.0.classifier.training.learning_rate: search.method grid expected choices",
        ),
    ],
)
def test_what_would_not_apply_is_a_fault_with_its_path(told: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match="validation error for Plan") as refused:
        Plan.model_validate(PLAN | told)
    assert fault in str(refused.value)


def test_methods_against_imbalance_are_for_the_families_beside_it() -> None:
    both = reader()["families"] + [{"classifier": {"kind": "logistic-regression"}}]
    Plan.model_validate(PLAN | {"families": both, "imbalance": [{"kind": "none"}]})


def test_a_grid_over_a_transformer_alone_needs_no_methods_that_can_be_counted() -> None:
    told = reader(training={"learning_rate": [1e-5, 3e-5]})
    Plan.model_validate(PLAN | told | {"search": {"method": "grid"}})
