"""What one file holds, before its columns have roles."""

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
    """

    table: pa.Table
    nested: Mapping[str, ByRow] = field(default_factory=dict)
    unread: Mapping[str, ByRow] = field(default_factory=dict)
