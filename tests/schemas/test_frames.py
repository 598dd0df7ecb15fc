import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from schemas.dataset import Dataset
from schemas.frames import frame_schema, one_of
from schemas.label import MultiTaskLabel, SingleLabel, targets

DATASET = Dataset.model_validate(
    {
        "source": "x",
        "columns": {
            "said": {"role": "text", "max_chars": 5},
            "size": {"role": "number", "low": 0, "high": 9},
            "kind": {"role": "category", "levels": ["a", "b"]},
            "paid": {"role": "boolean", "required": True},
            "born": {"role": "time", "required": True},
            "face": {"role": "embedding", "dimension": 2},
        },
        "key": "id",
        "time": "at",
        "weight": "times",
    }
)
TARGETS = targets(SingleLabel(column="label", classes=(0, 1)))
ROWS = pd.DataFrame(
    {
        "said": ["fine", None],
        "size": [1.0, None],
        "kind": ["a", None],
        "paid": [1.0, 0.0],
        "born": pd.to_datetime(["1990-01-01", "1990-01-02"], utc=True).as_unit("us"),
        "face": list(np.zeros((2, 2), dtype=np.float32)),
        "__label0": ["0", "1"],
        "__key": ["1", "2"],
        "__time": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True).as_unit("us"),
        "__weight": [0.5, 2.0],
    }
)


def test_missing_features_are_allowed() -> None:
    frame_schema(DATASET, TARGETS).validate(ROWS, lazy=True)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("said", ["fine", "too long"]),
        ("size", [1.0, -1.0]),
        ("size", [1.0, 10.0]),
        ("size", [1.0, float("inf")]),
        ("size", ["1", "2"]),
        ("kind", ["a", "c"]),
        ("paid", [1.0, None]),
        ("paid", ["true", "false"]),
        ("born", pd.to_datetime(["1990-01-01", ""], utc=True).as_unit("us")),
        ("born", ["1990-01-01", "1990-01-02"]),
        ("face", [np.zeros(2, dtype=np.float32), None]),
        ("__weight", [1.0, 0.0]),
        ("__weight", [1.0, -1.0]),
        ("__weight", [1.0, float("inf")]),
        ("__weight", [1.0, None]),
        ("__label0", ["0", "2"]),
        ("__label0", ["0", None]),
        ("__key", ["1", None]),
        ("__time", pd.to_datetime(["2026-01-01", ""], utc=True).as_unit("us")),
        ("__time", pd.to_datetime(["2026-01-01", "2026-01-02"]).as_unit("us")),
    ],
)
def test_a_column_that_breaks_its_rule_is_refused(column: str, cells: list[object]) -> None:
    frame = ROWS.copy()
    frame[column] = cells
    with pytest.raises(SchemaErrors, match=column):
        frame_schema(DATASET, TARGETS).validate(frame, lazy=True)


def test_truths_and_times_may_be_missing_where_they_are_not_required() -> None:
    dataset = Dataset.model_validate(
        {"source": "x", "columns": {"paid": "boolean", "born": "time"}}
    )
    frame = ROWS[["paid", "born", "__label0"]].copy()
    frame.loc[0, ["paid", "born"]] = None
    frame_schema(dataset, TARGETS).validate(frame, lazy=True)


def test_each_target_has_a_column_of_its_own_classes() -> None:
    several = targets(MultiTaskLabel(columns={"mood": ("sad", "calm"), "sure": (True, False)}))
    dataset = Dataset.model_validate({"source": "x", "columns": {"size": "number"}})
    frame = pd.DataFrame({"size": [1.0], "__label0": ["sad"], "__label1": ["true"]})
    frame_schema(dataset, several).validate(frame, lazy=True)
    with pytest.raises(SchemaErrors, match="one of 'true', 'false'"):
        frame_schema(dataset, several).validate(frame.assign(__label1="calm"), lazy=True)


def test_a_column_too_many_or_too_few_is_refused() -> None:
    with pytest.raises(SchemaErrors, match="extra"):
        frame_schema(DATASET, TARGETS).validate(ROWS.assign(extra=1), lazy=True)
    with pytest.raises(SchemaErrors, match="said"):
        frame_schema(DATASET, TARGETS).validate(ROWS.drop(columns="said"), lazy=True)


def test_a_long_list_of_levels_is_cut_in_messages() -> None:
    assert one_of(map(str, range(12))).endswith("'8', '9' and 2 more")
