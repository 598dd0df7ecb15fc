"""What the cells of a column of JSON lines are, and the one Arrow type that holds all of them.

Python's own cells, not Arrow's reading of them: that one makes times of texts that look so, and
rounds whole numbers beside fractions.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyarrow as pa

from schemas.label import class_text

WHOLE = 2**53
"""Whole numbers up to here are the same as float64."""

NESTED = pa.struct([])
"""The type of a column with an object, or a list of objects or lists, in every row: no role reads
it. It tells nothing of what is inside: even the keys may be data."""


@dataclass
class Kinds:
    """What the cells of one column are, learned some at a time."""

    nested: int = 0  # cells that no column holds beside others
    _cells: set[type] = field(default_factory=set)
    _items: set[type] = field(default_factory=set)  # of lists
    _lowest: int = 0
    _highest: int = 0
    _widest_item: int = 0

    def learn(self, cells: Sequence[Any]) -> None:
        """Take note of some more cells."""
        cells, inside = parted(cells)
        self.nested += len(inside)
        kinds = _kinds(cells)
        self._cells |= kinds - {type(None)}
        if int in kinds:
            whole = [cell for cell in cells if type(cell) is int]
            self._lowest = min(self._lowest, min(whole))
            self._highest = max(self._highest, max(whole))
        if list in kinds:
            self._learn_items([cell for cell in cells if type(cell) is list])

    def _learn_items(self, lists: Sequence[list[Any]]) -> None:
        kinds = _kinds(chain.from_iterable(lists))
        self._items |= kinds - {type(None)}
        if int in kinds:
            whole = (abs(item) for item in chain.from_iterable(lists) if type(item) is int)
            self._widest_item = max(self._widest_item, max(whole))

    @property
    def column(self) -> "Column":
        """The type that all cells have; where none has them all, text."""
        if self._cells == {list}:
            return self._lists()
        if self._cells == {int, float} and max(-self._lowest, self._highest) <= WHOLE:
            return Column(pa.float64())
        if self._cells == {int} and self._lowest >= -(2**63) and self._highest < 2**63:
            return Column(pa.int64())
        if len(self._cells) < 2 and self._cells != {int}:
            return Column(_PLAIN[next(iter(self._cells), type(None))])
        return Column(pa.string(), told=True)

    def _lists(self) -> "Column":
        if self._items <= {int, float} and self._widest_item <= WHOLE:
            return Column(pa.list_(pa.float64()))
        if self._items in ({str}, {bool}):
            return Column(pa.list_(_PLAIN[next(iter(self._items))]))
        return Column(pa.string(), told=True)


_PLAIN = {float: pa.float64(), bool: pa.bool_(), str: pa.string(), type(None): pa.null()}


@dataclass(frozen=True)
class Column:
    """How the cells of a column are stored: as they are, or each `told` in its one text form."""

    kind: pa.DataType
    told: bool = False

    def array(self, cells: Sequence[Any]) -> pa.Array:
        """Cells of which none is nested."""
        return pa.array(map(_text, cells) if self.told else cells, self.kind)


def parted(cells: Sequence[Any]) -> tuple[Sequence[Any], list[tuple[int, str]]]:
    """The cells that a column can hold, null for the others, and those by place as JSON."""
    kinds = _kinds(chain.from_iterable(cell for cell in cells if type(cell) is list))
    if dict not in _kinds(cells) and kinds.isdisjoint((dict, list)):
        return cells, []
    inside = [at for at, cell in enumerate(cells) if _is_nested(cell)]
    told = [(at, json.dumps(cells[at], ensure_ascii=False)) for at in inside]
    plain = list(cells)
    for at in inside:
        plain[at] = None
    return plain, told


def _is_nested(cell: object) -> bool:
    if type(cell) is list:
        return not _kinds(cell).isdisjoint((dict, list))
    return type(cell) is dict


def _kinds(cells: Iterable[Any]) -> set[type]:
    return set(map(type, cells))


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
