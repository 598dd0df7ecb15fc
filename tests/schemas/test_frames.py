import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from schemas.dataset import Dataset
from schemas.frames import frame_schema, one_of
from schemas.label import SingleLabel, targets

DATASET = Dataset.model_validate(
    {
        "source": "x",
        "columns": {
            "said": {"role": "text", "max_chars": 5},
            "size": {"role": "number", "low": 0, "high": 9},
            "kind": {"role": "category", "levels": ["a", "b"]},
        },
        "key": "id",
        "time": "at",
    }
)
TARGETS = targets(SingleLabel(column="label", classes=(0, 1)))
ROWS = pd.DataFrame(
    {
        "said": ["fine", None],
        "size": [1.0, None],
        "kind": ["a", None],
        "__label0": ["0", "1"],
        "__key": ["1", "2"],
        "__time": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True).as_unit("us"),
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


def test_a_column_too_many_or_too_few_is_refused() -> None:
    with pytest.raises(SchemaErrors, match="extra"):
        frame_schema(DATASET, TARGETS).validate(ROWS.assign(extra=1), lazy=True)
    with pytest.raises(SchemaErrors, match="said"):
        frame_schema(DATASET, TARGETS).validate(ROWS.drop(columns="said"), lazy=True)


def test_a_long_list_of_levels_is_cut_in_messages() -> None:
    assert one_of(map(str, range(12))).endswith("'8', '9' and 2 more")
