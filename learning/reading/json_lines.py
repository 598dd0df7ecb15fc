"""JSON lines become one Arrow table in which no cell was changed to fit its column.

Python's own reader, not pyarrow's: that one makes times of texts that look so, and rounds whole
numbers beside fractions. A key that a line lacks is null. No message holds a cell.
"""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import pyarrow as pa

from learning.reading.wording import first_few
from schemas.faults import DataRejected
from schemas.label import class_text

MOST_COLUMNS = 10_000
"""More names than this are data that were written as names, and would fill the memory."""

WHOLE = 2**53
"""Whole numbers up to here are the same as float64."""

NESTED = pa.struct([])
"""The type of a column with an object in any row, or with lists of lists: no role reads it."""

Row = dict[str, Any]


class _Broken(ValueError):
    """Says how the fault of one line is told."""


def json_table(content: str, name: str) -> pa.Table:
    """One row a line that is not blank; columns in the order of their first appearance."""
    rows = _rows(content, name)
    columns = list(dict.fromkeys(chain.from_iterable(rows)))
    if len(columns) > MOST_COLUMNS:
        raise DataRejected(
            f"{name}: expected the same few columns in each line, got {len(columns):,} different "
            "names. Write what varies as values, not as names."
        )
    if not columns:
        raise DataRejected(f"{name}: expected columns, got objects without any. Fill or remove it.")
    return pa.table({column: _array([row.get(column) for row in rows]) for column in columns})


def _rows(content: str, name: str) -> list[Row]:
    decode = json.JSONDecoder(object_pairs_hook=_object).decode
    rows: list[Row] = []
    broken: dict[str, list[int]] = {}
    # Not splitlines: U+2028 and its like may stand inside a text.
    for number, line in enumerate(content.split("\n"), 1):
        if line and not line.isspace():
            try:
                rows.append(_row(line, decode))
            except _Broken as fault:
                broken.setdefault(str(fault), []).append(number)
    if broken:
        faults = "; ".join(
            f"{fault} in {len(lines):,} ({first_few(lines, noun='line')})"
            for fault, lines in broken.items()
        )
        raise DataRejected(
            f"{name}: {faults}. Export it again, with each row as one JSON object on its own line."
        )
    return rows


def _row(line: str, decode: Callable[[str], Any]) -> Row:
    try:
        row = decode(line)
    except _Broken:
        raise
    except (ValueError, RecursionError):  # also for a number of thousands of digits
        raise _Broken("expected one JSON object in each line, got something else") from None
    if type(row) is not dict:
        raise _Broken("expected one JSON object in each line, got other JSON")
    if ("\\ud" in line or "\\uD" in line) and _is_unpaired(row):
        raise _Broken("expected Unicode text, got half of a surrogate pair")
    return row


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise _Broken("expected each key once in a line, got one more than once")
    return row


def _is_unpaired(row: Row) -> bool:
    """Whether a text of the row is none that UTF-8 can write."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _array(cells: list[Any]) -> pa.Array:
    """The type that all cells have; where none has them all, each in its one text form."""
    kinds = set(map(type, cells)) - {type(None)}
    if dict in kinds:
        return _nested(cells)
    if kinds == {int, float} and all(abs(cell) <= WHOLE for cell in cells if type(cell) is int):
        return pa.array(cells, pa.float64())
    if kinds == {list}:
        return _lists(cells)
    if len(kinds) < 2:
        try:
            return pa.array(cells)
        except OverflowError:  # whole numbers that no 64 bits hold
            pass
    return pa.array(map(_text, cells), pa.string())


def _nested(cells: list[Any]) -> pa.Array:
    """Without what is inside: even the keys may be data, and a type's name would tell them."""
    return pa.array([None if cell is None else {} for cell in cells], NESTED)


def _lists(cells: list[Any]) -> pa.Array:
    items = set(map(type, chain.from_iterable(cell for cell in cells if cell is not None)))
    items -= {type(None)}
    if dict in items or items == {list}:
        return _nested(cells)
    if items <= {int, float} or len(items) == 1:
        try:
            return pa.array(cells, pa.list_(pa.float64()) if items <= {int, float} else None)
        except (pa.ArrowException, OverflowError):  # beyond any number, or lists of several kinds
            pass
    return pa.array(map(_text, cells), pa.string())


def _text(cell: Any) -> str | None:
    match cell:
        case str() | None:
            return cell
        case list():
            return json.dumps(cell, ensure_ascii=False)
        case float() if cell != cell:
            return None
        case _:
            return class_text(cell)
