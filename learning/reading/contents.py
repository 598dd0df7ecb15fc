"""What a part of a file holds, before its columns have roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

ByRow = Mapping[int, str]
"""Text by row, from 0."""


@dataclass(frozen=True)
class Contents:
    """A table with a row for each row of the file, and what of JSON lines no column can hold.

    Both are null in the table. `nested`, by column: cells that are objects, or lists of objects or
    of lists, as JSON; a column of nothing else has a type of its own instead. `unread`, by what is
    wrong with them: the lines that are no row. None of it may be shown.

    `start` rows of the file came in earlier parts. `stored` is the type that each column has in the
    file, as Arrow calls it, whatever it is in the table.
    """

    table: pa.Table
    nested: Mapping[str, ByRow] = field(default_factory=dict)
    unread: Mapping[str, ByRow] = field(default_factory=dict)
    start: int = 0
    stored: Mapping[str, str] = field(default_factory=dict)


def joined(parts: Sequence[Contents]) -> Contents:
    """The parts of one file, at least one, as a whole."""
    nested: dict[str, dict[int, str]] = {}
    unread: dict[str, dict[int, str]] = {}
    for part in parts:
        for whole, found in ((nested, part.nested), (unread, part.unread)):
            for told, cells in found.items():
                shifted = {part.start + row: cell for row, cell in cells.items()}
                whole.setdefault(told, {}).update(shifted)
    table = pa.concat_tables(part.table for part in parts)
    return Contents(table, nested, unread, stored=parts[0].stored)
