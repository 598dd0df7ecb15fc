"""Cells become vectors of one width, from lists of numbers or from the same as JSON text."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from learning.arrays import Mask
from learning.reading.cells import Cells, all_bad, decoded, is_text

NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"
VECTOR = rf"^\s*\[\s*{NUMBER}(\s*,\s*{NUMBER})*\s*\]\s*$"

AT_ONCE = 2**22
"""Items converted together: as text too they stay far below what one Arrow array holds."""


def embeddings(column: pa.ChunkedArray, dimension: int) -> Cells:
    """Objects: each cell a float32 vector, a view of one matrix; missing where there is none."""
    expected = f"a list of {dimension:,} finite numbers"
    column = decoded(column)
    written = is_text(column.type)
    if not (written or _is_list_of_numbers(column.type)):
        return all_bad(column, expected, "object")
    matrix = np.zeros((len(column), dimension), dtype=np.float32)
    right = np.zeros(len(column), dtype=bool)
    step = max(1, AT_ONCE // dimension)
    for start in range(0, len(column), step):
        part = column.slice(start, step).combine_chunks()
        rows = slice(start, start + step)
        right[rows] = _fill(matrix[rows], _lists(part) if written else part)
    if written:
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    cells = pd.Series(list(matrix), dtype=object)
    cells[~right] = None
    return Cells(cells, column.is_valid().to_numpy() & ~right, expected)


def vectors(matrix: NDArray[np.float32]) -> pa.Array:
    """Each row as an Arrow list of float32."""
    rows, dimension = matrix.shape
    offsets = np.arange(0, (rows + 1) * dimension, dimension, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(matrix.ravel()))


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    lists = pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind)
    if not lists:
        return False
    item = kind.value_type
    return bool(pt.is_integer(item) or pt.is_floating(item) or pt.is_null(item))


def _fill(matrix: NDArray[np.float32], lists: pa.Array) -> Mask:
    """Writes the rows that are right, and tells which."""
    dimension = matrix.shape[1]
    right = pc.fill_null(pc.equal(pc.list_value_length(lists), dimension), False)
    items = lists.filter(right).flatten().cast(pa.float32(), safe=False)
    found = items.to_numpy(zero_copy_only=False).reshape(-1, dimension)
    whole: Mask = right.to_numpy(zero_copy_only=False)
    places = np.flatnonzero(whole)
    finite = np.isfinite(found).all(axis=1)  # a null among the items is NaN
    matrix[places[finite]] = found[finite]
    whole[places[~finite]] = False
    return whole


def _lists(texts: pa.Array) -> pa.Array:
    """Lists of float32; null where a text is no JSON list of numbers."""
    texts = texts.cast(pa.string())
    texts = pc.if_else(pc.match_substring_regex(texts, VECTOR), texts, pa.scalar(None, pa.string()))
    items = pc.split_pattern(pc.utf8_trim(texts, characters=" \t\r\n[]"), ",")
    numbers = pc.utf8_trim_whitespace(items.flatten()).cast(pa.float32())
    lengths = pc.fill_null(pc.list_value_length(items), 0).to_numpy()
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), numbers, mask=texts.is_null())
