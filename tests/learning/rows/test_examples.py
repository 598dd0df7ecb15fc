import json
from datetime import datetime

import pytest

from learning.rows.examples import example
from learning.rows.roles import as_role
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (TextColumn(), "some text"),
        (TextColumn(max_chars=4), "some"),
        (NumberColumn(), 0.0),
        (NumberColumn(low=3), 3.0),
        (NumberColumn(high=-2), -2.0),
        (NumberColumn(low=-9, high=9), 0.0),
        (CategoryColumn(), "some level"),
        (CategoryColumn(levels=("red", "blue")), "red"),
        (BooleanColumn(), True),
        (EmbeddingColumn(dimension=3), [0.0, 0.0, 0.0]),
        (TimeColumn(format="%d.%m.%Y", zone="Europe/Berlin"), "01.01.2026"),
        (TimeColumn(zone="Europe/Berlin"), "2026-01-01T13:00:00+01:00"),
    ],
)
def test_each_role_has_a_cell_that_its_column_takes(column: Column, cell: object) -> None:
    frame = example({"x": column})
    assert frame.to_dict("records") == [{"x": cell}]
    assert as_role(frame["x"], column).notna().all()


def test_an_instant_has_its_offset() -> None:
    (cell,) = example({"x": TimeColumn()})["x"]
    assert datetime.fromisoformat(cell).utcoffset() is not None


def test_the_row_stands_as_json() -> None:
    columns: dict[str, Column] = {"e": EmbeddingColumn(dimension=2), "b": BooleanColumn()}
    assert json.loads(example(columns).to_json(orient="records")) == [{"e": [0, 0], "b": True}]
