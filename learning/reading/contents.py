"""What a part of a file holds, before its columns have roles."""

from collections.abc import Mapping
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

    def parts(self, rows: int) -> "list[Contents]":
        """The same in parts of at most so many rows; at least one."""
        return [self._part(at, rows) for at in range(0, max(self.table.num_rows, 1), rows)]

    def _part(self, start: int, rows: int) -> "Contents":
        def inside(cells: Mapping[str, ByRow]) -> dict[str, ByRow]:
            return {
                told: {row - start: cell for row, cell in found.items() if 0 <= row - start < rows}
                for told, found in cells.items()
            }

        return Contents(
            table=self.table.slice(start, rows),
            nested=inside(self.nested),
            unread=inside(self.unread),
            start=self.start + start,
            stored=self.stored,
        )
