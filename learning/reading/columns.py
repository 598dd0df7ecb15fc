"""The cells of one column as its role asks: read from a file, or met in a frame in memory."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias, assert_never

import numpy as np
import pandas as pd
import pyarrow as pa

from learning.reading.cells import Cells, booleans, levels, numbers, texts
from learning.reading.embeddings import embeddings
from learning.reading.instants import instants
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)

Kind: TypeAlias = Literal[
    "missing", "bool", "int", "float", "text", "instant", "clock", "list", "other"
]
"""`instant` knows its offset from UTC, `clock` does not; no file holds an `other`."""

_TYPES: dict[Kind, pa.DataType] = {
    "missing": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "instant": pa.timestamp("us", "UTC"),
    "clock": pa.timestamp("us"),
    "list": pa.large_list(pa.float64()),
    "other": pa.null(),
}


def typed(cells: pa.ChunkedArray, column: Column) -> Cells:
    """A stored column by the reader of its role."""
    match column:
        case TextColumn():
            return texts(cells)
        case NumberColumn():
            return numbers(cells)
        case CategoryColumn():
            return levels(cells)
        case BooleanColumn():
            return booleans(cells)
        case TimeColumn(format=form, zone=zone):
            return instants(cells, form, zone)
        case EmbeddingColumn(dimension=dimension):
            return embeddings(cells, dimension)
        case _:
            assert_never(column)


def typed_in_memory(cells: pd.Series, column: Column) -> Cells:
    """A frame's column, of any mix of kinds, by the same readers; its index stays.

    Each kind is read by itself: what a cell becomes does not hang on the rows beside it.
    """
    parts, bad = list[pd.Series](), np.zeros(len(cells), dtype=bool)
    for places, kind, part in _parts(cells):
        found = typed(part, column)
        bad[places] = kind == "other" or found.bad
        parts.append(found.cells.set_axis(places))
    whole = pd.concat(parts).sort_index().set_axis(cells.index)
    return Cells(whole, bad, found.expected)


def _parts(cells: pd.Series) -> Iterator[tuple[np.ndarray, Kind | None, pa.ChunkedArray]]:
    """Places and their cells; at least one part, if of no cells."""
    if (stored := _stored(cells)) is not None:
        yield np.arange(len(cells)), None, pa.chunked_array([stored])
        return
    plain = [_plain(cell) for cell in cells]
    kinds = np.array([kind for kind, _ in plain], dtype=object)
    for kind in dict.fromkeys(kinds.tolist() or ["missing"]):
        places = np.flatnonzero(kinds == kind)
        yield places, kind, pa.chunked_array([_array(kind, [plain[i][1] for i in places])])


def _stored(cells: pd.Series) -> pa.Array | None:
    """A column whose dtype alone says what its cells are; None where each must be looked at."""
    match cells.dtype:
        case pd.DatetimeTZDtype():
            return _array("instant", cells.dt.tz_convert(None).dt.as_unit("us").to_numpy())
        case pd.StringDtype():
            return pa.array(cells, pa.string(), from_pandas=True)
        case np.dtype(kind="M"):
            return _array("clock", cells.dt.as_unit("us").to_numpy())
        case np.dtype(kind="b" | "i" | "u" | "f") as dtype if dtype != np.float16:
            return pa.array(cells.to_numpy(), from_pandas=True)
        case _:
            return None


def _array(kind: Kind, cells: Sequence[Any]) -> pa.Array:
    if kind in ("instant", "clock"):  # pyarrow itself would take a clock's time for one of UTC
        naive = pa.array(np.asarray(cells, dtype="datetime64[us]"))
        return naive.cast(_TYPES[kind])
    return pa.array(cells, _TYPES[kind])


def _plain(cell: Any) -> tuple[Kind, Any]:
    match cell:
        case None | pd.api.typing.NAType() | pd.api.typing.NaTType():
            return "missing", None
        case str():
            return ("text", cell) if _is_unicode(cell) else ("other", None)
        case bool() | np.bool_():
            return "bool", bool(cell)
        case int() | float() | np.integer() | np.floating() | Decimal():
            return _number(cell)
        case date() | np.datetime64():
            return _time(pd.Timestamp(cell))
        case list() | tuple() | np.ndarray():
            return _list(cell)
        case _:
            return "other", None


def _is_unicode(text: str) -> bool:
    # Half of a surrogate pair is nothing that UTF-8 can write.
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _number(number: Any) -> tuple[Kind, Any]:
    if isinstance(number, int | np.integer):
        bits = int(number).bit_length()
        if bits < 64:
            return "int", int(number)
        return ("text", str(number)) if bits < 1024 else ("other", None)
    return ("float", float(number)) if number == number else ("missing", None)


def _time(time: pd.Timestamp) -> tuple[Kind, Any]:
    """Naive: of UTC where the offset is known."""
    if pd.isna(time):
        return "missing", None
    if time.tzinfo is None:
        return "clock", time.to_datetime64()
    return "instant", time.tz_convert(None).to_datetime64()


def _list(cells: Any) -> tuple[Kind, Any]:
    try:
        vector = np.asarray(cells)
    except ValueError:  # lists of lists of several lengths
        return "other", None
    if vector.ndim != 1 or not (vector.dtype.kind in "iuf" or vector.size == 0):
        return "other", None
    return "list", vector.astype(np.float64)
