"""Rows that break the schema: what is told of them, and how they are set aside.

Messages and reasons name columns, rules, counts and row numbers, and of labels the unknown ones;
only the frame of rows set aside holds cells.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from learning.arrays import Mask
from learning.reading.contents import Contents
from learning.reading.wording import first_few

NUMBER, REASONS, LINE = "row", "reasons", "line"
"""What stands beside the cells: a row's number in its file, from 1, what it broke, and the line
itself where it has no cells since it is no row."""


@dataclass(frozen=True)
class Fault:
    """One rule that one column breaks, as a whole or in some rows (indices from 0).

    Of lines that are no row there is no column, and `got` alone is the reason.
    """

    column: str | None
    expected: str
    got: str
    rows: NDArray[np.intp] | None = None

    @property
    def reason(self) -> str:
        """Without any cell."""
        if self.column is None:
            return self.got
        return f"column {self.column!r}: expected {self.expected}"

    def __str__(self) -> str:
        where = "" if self.column is None else f"column {self.column!r}: "
        told = f"{where}expected {self.expected}, got {self.got}"
        if self.rows is None:
            return told
        first = (self.rows[:6] + 1).tolist()  # one more than are shown
        return f"{told} in {len(self.rows):,} ({first_few(first)})"


def message(name: str, faults: Sequence[Fault], rows: int) -> str:
    """All faults of one object, for a rejection."""
    lines = "".join(f"\n  {fault}" for fault in faults)
    return (
        f"{name}: {len(faults)} fault{'s' if len(faults) > 1 else ''} in {rows:,} rows:"
        f"{lines}\nCorrect these rows, or say in the plan (dataset.columns, label) that they are "
        "right."
    )


def broken_rows(faults: Sequence[Fault], rows: int) -> Mask:
    """True where any fault is."""
    broken = np.zeros(rows, dtype=bool)
    for fault in faults:
        broken[slice(None) if fault.rows is None else fault.rows] = True
    return broken


def set_aside(contents: Contents, columns: Sequence[str], faults: Sequence[Fault]) -> pd.DataFrame:
    """The broken rows in file order: number, reasons, and their cells as text or JSON."""
    reasons: dict[int, list[str]] = {}
    for fault in faults:
        for row in () if fault.rows is None else fault.rows.tolist():
            reasons.setdefault(row, []).append(fault.reason)
    rows = sorted(reasons)
    taken = contents.table.select(columns).take(pa.array(rows, pa.int64()))
    frame = {
        NUMBER: pd.Series([row + 1 for row in rows], dtype="int64"),
        REASONS: pd.Series(["; ".join(reasons[row]) for row in rows], dtype="str"),
    }
    lines = {row: line for some in contents.unread.values() for row, line in some.items()}
    if lines:
        frame[LINE] = pd.Series([lines.get(row) for row in rows], dtype="str")
    for column in taken.column_names:
        name = f"{column} (cell)" if column in frame else column
        nested = contents.nested.get(column, {})
        cells = zip(rows, _texts(taken[column]), strict=True)
        frame[name] = pd.Series([nested.get(row, cell) for row, cell in cells], dtype="str")
    return pd.DataFrame(frame)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    try:
        texts: list[str | None] = column.cast(pa.string()).to_pylist()
    except pa.ArrowException:  # lists, and bytes that are no text
        return [
            None if cell is None else json.dumps(cell, ensure_ascii=False, default=str)
            for cell in column.to_pylist()
        ]
    return texts
