"""JSON lines become one Arrow table in which no cell was changed to fit its column.

Python's own reader, not pyarrow's: that one makes times of texts that look so, and rounds whole
numbers beside fractions. A key that a line lacks is null. No message holds a cell.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import pyarrow as pa

from learning.reading.contents import Contents
from learning.reading.refusals import refused
from learning.reading.wording import first_few
from schemas.label import class_text

MOST_COLUMNS = 10_000
"""More names than this are data that were written as names, and would fill the memory."""

AT_ONCE = 2_000
"""Lines that are Python objects together: those take some five times the memory of Arrow's."""

NO_OBJECT = "no JSON object"

TOO_DEEP = "(too deep to be written)"

WHOLE = 2**53
"""Whole numbers up to here are the same as float64."""

NESTED = pa.struct([])
"""The type of a column with an object, or a list of objects or lists, in every row: no role reads
it. It tells nothing of what is inside: even the keys may be data."""

Row = dict[str, Any]


class _Broken(ValueError):
    """Says how the fault of one line is told."""


Lines = Callable[[], Iterable[str]]
"""The lines of a file from its start, each time that they are asked for."""


def json_contents(lines: Lines, name: str) -> Contents:
    """One row a line that is not blank; columns in the order of their first appearance.

    A line that is no JSON object is a row of nulls: each line is a row by itself, so none of the
    others can be shifted by it.
    """
    parts: list[tuple[int, dict[str, pa.Array]]] = []  # rows and columns of some lines
    names: dict[str, None] = {}
    nested: dict[str, dict[int, str]] = {}
    unread: dict[str, dict[int, str]] = {}
    start = 0
    for rows in _blocks(lines(), unread):
        names |= dict.fromkeys(chain.from_iterable(rows))
        _refuse_names(len(names), name)
        columns = {}
        for column in dict.fromkeys(chain.from_iterable(rows)):
            cells, inside = _parted([row.get(column) for row in rows])
            columns[column] = _array(cells)
            if inside:
                nested.setdefault(column, {}).update((start + at, cell) for at, cell in inside)
        parts.append((len(rows), columns))
        start += len(rows)
    read = start - sum(map(len, unread.values()))
    _refuse_nothing(read, len(names), unread, name)
    whole = {column for column, cells in nested.items() if len(cells) == read}
    joined = {
        column: pa.array([{} if row in nested[column] else None for row in range(start)], NESTED)
        if column in whole
        else _joined([part.get(column, pa.nulls(rows)) for rows, part in parts])
        for column in names
    }
    apart = [column for column, cells in joined.items() if cells is None]
    return Contents(
        table=pa.table(joined | _reread(lines, apart)),
        nested={column: cells for column, cells in nested.items() if column not in whole},
        unread=unread,
    )


def _refuse_names(names: int, name: str) -> None:
    if names > MOST_COLUMNS:
        raise refused(
            name,
            "the same few columns in each line",
            f"{names:,} different names or more",
            "Write what varies as values, not as names.",
        )


def _refuse_nothing(read: int, names: int, unread: dict[str, dict[int, str]], name: str) -> None:
    if not read:
        faults = "; ".join(
            f"{fault} in {len(lines):,} ({first_few([row + 1 for row in lines])})"
            for fault, lines in unread.items()
        )
        raise refused(
            name,
            "one JSON object in each line",
            f"none in any: {faults}",
            "Export it again, with each row as one JSON object on its own line.",
        )
    if not names:
        raise refused(name, "columns", "objects without any", "Fill or remove it.")


def _blocks(lines: Iterable[str], unread: dict[str, dict[int, str]]) -> Iterator[list[Row]]:
    """The lines that are not blank, some at a time; those that can't be read go to `unread`."""
    decode = json.JSONDecoder(object_pairs_hook=_object).decode
    filled = enumerate(line.rstrip("\n") for line in lines if not line.isspace())
    while block := list(islice(filled, AT_ONCE)):
        rows: list[Row] = []
        for place, line in block:
            try:
                rows.append(_row(line, decode))
            except _Broken as fault:
                rows.append({})
                unread.setdefault(str(fault), {})[place] = line
        yield rows


def _joined(parts: Sequence[pa.Array]) -> pa.ChunkedArray | None:
    """One column of the type that its parts have in common; nothing where they have none."""
    kinds = {part.type for part in parts if not pa.types.is_null(part.type)} or {pa.null()}
    if len(kinds) > 1 and kinds != {pa.int64(), pa.float64()}:
        return None
    kind = pa.float64() if len(kinds) > 1 else kinds.pop()
    try:
        return pa.chunked_array([part.cast(kind) for part in parts], kind)
    except pa.ArrowInvalid:  # whole numbers that float64 would round
        return None


def _reread(lines: Lines, columns: Sequence[str]) -> dict[str, pa.Array]:
    """Columns whose parts differ in type, as a whole: Arrow can't tell how a cell was written."""
    if not columns:
        return {}
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    for rows in _blocks(lines(), {}):
        for column, found in cells.items():
            found.extend(_parted([row.get(column) for row in rows])[0])
    return {column: _array(found) for column, found in cells.items()}


def _row(line: str, decode: Callable[[str], Any]) -> Row:
    try:
        row = decode(line)
    except _Broken:
        raise
    except (ValueError, RecursionError):  # also for a number of thousands of digits
        raise _Broken(NO_OBJECT) from None
    if type(row) is not dict:
        raise _Broken(NO_OBJECT)
    if ("\\ud" in line or "\\uD" in line) and _is_unpaired(row):
        raise _Broken("half of a surrogate pair")
    return row


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise _Broken("a key more than once")
    return row


def _is_unpaired(row: Row) -> bool:
    """Whether a text of the row is none that UTF-8 can write."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except RecursionError:  # what can just be read may be too deep to be written
        raise _Broken(NO_OBJECT) from None
    return False


def _parted(cells: list[Any]) -> tuple[list[Any], list[tuple[int, str]]]:
    """The cells that a column can hold, null for the others, and those by place as JSON."""
    kinds = _kinds(chain.from_iterable(cell for cell in cells if type(cell) is list))
    if dict not in _kinds(cells) and kinds.isdisjoint((dict, list)):
        return cells, []
    inside = [at for at, cell in enumerate(cells) if _is_nested(cell)]
    told = [(at, _as_json(cells[at])) for at in inside]
    plain = cells.copy()
    for at in inside:
        plain[at] = None
    return plain, told


def _as_json(cell: object) -> str:
    try:
        return json.dumps(cell, ensure_ascii=False)
    except RecursionError:  # what can just be read may be too deep to be written
        return TOO_DEEP


def _is_nested(cell: object) -> bool:
    if type(cell) is list:
        return not _kinds(cell).isdisjoint((dict, list))
    return type(cell) is dict


def _kinds(cells: Iterable[Any]) -> set[type]:
    return set(map(type, cells))


def _array(cells: list[Any]) -> pa.Array:  # none of them nested
    """The type that all cells have; where none has them all, each in its one text form."""
    kinds = _kinds(cells) - {type(None)}
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


def _lists(cells: list[Any]) -> pa.Array:
    items = _kinds(chain.from_iterable(cell for cell in cells if cell is not None)) - {type(None)}
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
