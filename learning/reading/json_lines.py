"""JSON lines become Arrow tables, some rows at a time, in which no cell was changed to fit its
column.

The lines are read twice: a column has one type in all of a file, and the last line may be what
settles it. A key that a line lacks is null. No message holds a cell.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa

from learning.reading.contents import Contents
from learning.reading.json_kinds import NESTED, Column, Kinds, parted
from learning.reading.refusals import refused
from learning.reading.wording import first_few

MOST_COLUMNS = 10_000
"""More names than this are data that were written as names, and would fill the memory."""

AT_ONCE = 2_000
CHARS_AT_ONCE = 2**24
"""Lines, and characters of them, that are Python objects together: those take some five times the
memory of Arrow's."""

PART_ROWS = 2**18
PART_BYTES = 2**26
"""What of Arrow's comes together, at the least, but at a file's end."""

MOST_DEEP = 400
"""Objects and lists inside each other in a line. Python's own limit hangs on who asks: a line that
one reading can just follow, the other may not.
"""

NO_OBJECT = "no JSON object"

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')

_MOST_PLACES = 10
"""Lines of one fault that a refusal may list."""

Row = dict[str, Any]


class _Broken(ValueError):
    """Says how the fault of one line is told."""


Lines = Callable[[], Iterable[str]]
"""The lines of a file from its start, each time that they are asked for."""


def json_tables(
    lines: Lines, name: str, chosen: Callable[[list[str]], Sequence[str]] = list
) -> Iterator[Contents]:
    """One row a line that is not blank; columns in the order of their first appearance, those that
    are `chosen` of them.

    A line that is no JSON object is a row of nulls: each line is a row by itself, so none of the
    others can be shifted by it.
    """
    survey = _surveyed(lines, name)
    columns = survey.columns
    stored = {column: str(kind.kind) for column, kind in columns.items()}
    wanted = {column: columns[column] for column in chosen(list(columns))}
    parts, start = _Parts(wanted, survey), 0
    for block in _blocks(lines()):
        parts.add(block)
        if parts.rows >= PART_ROWS or parts.bytes >= PART_BYTES:
            yield parts.taken(start, stored)
            start, parts = start + parts.rows, _Parts(wanted, survey)
    if parts.rows:
        yield parts.taken(start, stored)


@dataclass
class _Block:
    """Some lines that are not blank: their rows, and by fault and place those that are none."""

    rows: list[Row]
    unread: dict[str, dict[int, str]]


@dataclass
class _Survey:
    """What a file's lines hold, column by column, and how many of them can't be read, and where."""

    rows: int = 0
    kinds: dict[str, Kinds] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)

    def learn(self, block: _Block, name: str) -> None:
        for column in dict.fromkeys(chain.from_iterable(block.rows)):
            self.kinds.setdefault(column, Kinds()).learn([r.get(column) for r in block.rows])
            _refuse_names(len(self.kinds), name)
        for fault, found in block.unread.items():
            self.unread[fault] = self.unread.get(fault, 0) + len(found)
            places = self.places.setdefault(fault, [])
            places += [self.rows + at for at in found][: _MOST_PLACES - len(places)]
        self.rows += len(block.rows)

    @property
    def read(self) -> int:
        """Lines that are a row."""
        return self.rows - sum(self.unread.values())

    @property
    def columns(self) -> dict[str, Column]:
        """What is nested in each row that there is has a type of its own."""
        return {
            column: Column(NESTED) if kinds.nested == self.read else kinds.column
            for column, kinds in self.kinds.items()
        }


def _surveyed(lines: Lines, name: str) -> _Survey:
    survey = _Survey()
    for block in _blocks(lines()):
        survey.learn(block, name)
    _refuse_nothing(survey, name)
    return survey


class _Parts:
    """Rows of some blocks, as they become a part of the file."""

    def __init__(self, wanted: dict[str, Column], survey: _Survey) -> None:
        self.rows = self.bytes = 0
        self._wanted = wanted
        self._tables: list[pa.Table] = []
        # Every part has every kind of fault: what is set aside of any has the same columns.
        self._unread: dict[str, dict[int, str]] = {fault: {} for fault in survey.unread}
        self._nested: dict[str, dict[int, str]] = {
            column: {}
            for column, how in wanted.items()
            if survey.kinds[column].nested and how.kind != NESTED
        }

    def add(self, block: _Block) -> None:
        for fault, found in block.unread.items():
            self._unread[fault] |= {self.rows + at: line for at, line in found.items()}
        columns = {column: self._array(column, block.rows) for column in self._wanted}
        self._tables.append(pa.table(columns))
        self.rows += len(block.rows)
        self.bytes += self._tables[-1].nbytes

    def _array(self, column: str, rows: Sequence[Row]) -> pa.Array:
        cells = [row.get(column) for row in rows]
        how = self._wanted[column]
        if how.kind == NESTED:
            return pa.array([None if cell is None else {} for cell in cells], NESTED)
        plain, inside = parted(cells)
        if inside:
            self._nested[column] |= {self.rows + at: cell for at, cell in inside}
        return how.array(plain)

    def taken(self, start: int, stored: dict[str, str]) -> Contents:
        return Contents(pa.concat_tables(self._tables), self._nested, self._unread, start, stored)


def _refuse_names(names: int, name: str) -> None:
    if names > MOST_COLUMNS:
        raise refused(
            name,
            "the same few columns in each line",
            f"{names:,} different names or more",
            "Write what varies as values, not as names.",
        )


def _refuse_nothing(survey: _Survey, name: str) -> None:
    if not survey.read:
        faults = "; ".join(
            f"{fault} in {survey.unread[fault]:,} ({first_few([row + 1 for row in places])})"
            for fault, places in survey.places.items()
        )
        raise refused(
            name,
            "one JSON object in each line",
            f"none in any: {faults}",
            "Export it again, with each row as one JSON object on its own line.",
        )
    if not survey.kinds:
        raise refused(name, "columns", "objects without any", "Fill or remove it.")


def _blocks(lines: Iterable[str]) -> Iterator[_Block]:
    """The lines that are not blank, some at a time."""
    decode = json.JSONDecoder(object_pairs_hook=_object).decode
    block, chars = _Block([], {}), 0
    for line in lines:
        if line.isspace():
            continue
        _add(line.rstrip("\n"), block, decode)
        chars += len(line)
        if len(block.rows) == AT_ONCE or chars >= CHARS_AT_ONCE:
            yield block
            block, chars = _Block([], {}), 0
    if block.rows:
        yield block


def _add(line: str, block: _Block, decode: Callable[[str], Any]) -> None:
    try:
        block.rows.append(_row(line, decode))
    except _Broken as fault:
        block.unread.setdefault(str(fault), {})[len(block.rows)] = line
        block.rows.append({})


def _row(line: str, decode: Callable[[str], Any]) -> Row:
    if _is_too_deep(line):
        raise _Broken(NO_OBJECT)
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
    return False


def _is_too_deep(line: str) -> bool:
    if line.count("[") + line.count("{") <= MOST_DEEP:
        return False
    marks = (mark for mark in _STRINGS.sub("", line) if mark in "[{]}")
    return max(accumulate((1 if mark in "[{" else -1 for mark in marks), initial=0)) > MOST_DEEP
