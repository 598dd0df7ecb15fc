import json
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import learning.reading.embeddings
from learning.reading.cells import Cells
from learning.reading.embeddings import embeddings

KINDS: dict[str, Callable[[list[Any]], pa.Array]] = {
    "list": lambda cells: pa.array(cells, pa.list_(pa.float64())),
    "list-of-float32": lambda cells: pa.array(cells, pa.list_(pa.float32())),
    "list-of-half": lambda cells: pa.array(cells, pa.list_(pa.float32())).cast(
        pa.list_(pa.float16())
    ),
    "list-of-int": lambda cells: pa.array(cells, pa.list_(pa.float64())).cast(pa.list_(pa.int8())),
    "large-list": lambda cells: pa.array(cells, pa.large_list(pa.float64())),
    "fixed-list": lambda cells: pa.array(cells, pa.list_(pa.float64(), 2)),
    "json": lambda cells: pa.array([c if c is None else json.dumps(c) for c in cells]),
    "large-json": lambda cells: pa.array(
        [c if c is None else json.dumps(c) for c in cells], pa.large_string()
    ),
}


def _read(array: pa.Array, dimension: int = 2) -> Cells:
    return embeddings(pa.chunked_array([array]), dimension)


def _told(found: Cells) -> list[list[float] | None]:
    return [None if cell is None else cell.tolist() for cell in found.cells]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_any_kind_is_a_vector(kind: str) -> None:
    found = _read(KINDS[kind]([[1.0, 2.0], None, [3.0, -4.0]]))
    assert _told(found) == [[1.0, 2.0], None, [3.0, -4.0]]
    assert found.cells[0].dtype == np.float32
    assert not found.bad.any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_keeps_its_vector_across_parts_and_chunks(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.reading.embeddings, "AT_ONCE", 6)  # three rows
    cells = [None if row % 5 == 4 else [float(row), float(-row)] for row in range(20)]
    whole = KINDS[kind](cells)
    column = pa.chunked_array([whole.slice(0, 7), whole.slice(7, 0), whole.slice(7)]).slice(1)
    assert _told(embeddings(column, 2)) == cells[1:]


@pytest.mark.parametrize("width", [0, 1, 3])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "fixed-list"])
def test_a_vector_of_another_width_is_told_by_row(kind: str, width: int) -> None:
    found = _read(KINDS[kind]([[1.0, 2.0], [1.0] * width]))
    assert found.bad.tolist() == [False, True]
    assert _told(found) == [[1.0, 2.0], None]
    assert found.expected == "a list of 2 finite numbers"


def test_a_column_of_another_fixed_width_is_bad_in_every_row() -> None:
    assert _read(KINDS["fixed-list"]([[1.0, 2.0], None]), 3).bad.tolist() == [True, False]


@pytest.mark.parametrize("item", [None, float("nan"), float("inf"), 1e300])
def test_a_vector_with_an_item_that_is_not_finite_is_told_by_row(item: float | None) -> None:
    found = _read(pa.array([[1.0, 2.0], [1.0, item]]))
    assert found.bad.tolist() == [False, True]


@pytest.mark.parametrize(
    "cell",
    [
        "[1, 2", "1, 2]", "1, 2", "[1 2]", "[1,, 2]", "[1, 2,]", "[1, NaN]", "[1, Infinity]",
        "[1, null]", "[1, true]", '["1", 2]', "[[1, 2]]", "[1, 1e39]", "[1, 1e400]", "[01, 2]",
        "[.5, 2]", "[1., 2]", "[+1, 2]", "[0x1, 2]", "{}", "[]", "x", "[1,2][3,4]", "[1,\u00a02]",
        f"[1, {'9' * 400}]",
    ],
)  # fmt: skip
def test_text_that_is_no_json_list_of_numbers_is_told_by_row(cell: str) -> None:
    assert _read(pa.array(["[1, 2]", cell])).bad.tolist() == [False, True]


@pytest.mark.parametrize("cell", ["[1,2]", " [ 1 , 2.0 ] ", "[1e0,\n20E-1]", "[1.0,2]\n"])
def test_json_may_be_written_in_any_way(cell: str) -> None:
    assert _told(_read(pa.array([cell]))) == [[1.0, 2.0]]


@pytest.mark.parametrize("seed", range(3))
def test_json_text_is_read_as_python_reads_it(seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = (generator.normal(size=(50, 7)) * 10.0 ** generator.integers(-30, 30, (50, 7))).tolist()
    found = _read(pa.array([json.dumps(row) for row in rows]), 7)
    assert np.array_equal(np.stack(found.cells), np.array(rows, dtype=np.float32))


def test_an_empty_text_is_missing() -> None:
    found = _read(pa.array(["", None, "[1, 2]"]))
    assert not found.bad.any()
    assert _told(found) == [None, None, [1.0, 2.0]]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([["a"], ["b"]]), "list<string>"),
        (pa.array([[True], [False]]), "list<bool>"),
        (pa.array([[[1.0]], [[2.0]]]), "list<list<double>>"),
        (pa.array([1.0, 2.0]), "double"),
    ],
    ids=["texts", "truths", "lists", "numbers"],
)
def test_a_column_of_other_cells_is_refused_by_its_type(column: pa.Array, kind: str) -> None:
    found = _read(column)
    assert found.bad.all()
    assert found.got == kind


def test_a_column_of_nulls_is_missing() -> None:
    assert not _read(pa.nulls(2)).bad.any()
    assert _told(_read(pa.nulls(2))) == [None, None]


def test_ten_thousand_vectors_are_read_in_seconds() -> None:
    matrix = np.random.default_rng(0).normal(size=(10_000, 384)).astype(np.float32)
    for array, most_s in (
        (pa.array([json.dumps(row) for row in matrix.tolist()]), 5.0),
        (pa.array(list(matrix)), 1.0),
    ):
        started = process_time()
        found = _read(array, 384)
        assert process_time() - started < most_s
        assert np.array_equal(np.stack(found.cells), matrix)
