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
from schemas.findings import MOST_PLACES, Finding

NUMBER, REASONS, LINE = "row", "reasons", "line"
"""What stands beside the cells: a row's number in its file, from 1, what it broke, and the line
itself where it has no cells since it is no row."""


TODO = "Correct these rows, or say in the plan (dataset.columns, label) that they are right."


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

    def finding(self, name: str) -> Finding:
        """The same for people, of the object of this name."""
        rows = self.rows if self.rows is not None else np.empty(0, dtype=np.intp)
        return Finding(
            object_name=name,
            column=self.column or "",
            expected=self.expected,
            got=self.got,
            count=len(rows),
            rows=tuple((rows[:MOST_PLACES] + 1).tolist()),
            todo=TODO,
        )


def message(findings: Sequence[Finding], rows: int) -> str:
    """All that is wrong in the rows of one object, for a rejection."""
    lines = "".join(f"\n  {_told(finding)}" for finding in findings)
    faults = f"{len(findings)} fault{'s' if len(findings) > 1 else ''}"
    return f"{findings[0].object_name}: {faults} in {rows:,} rows:{lines}\n{TODO}"


def _told(finding: Finding) -> str:
    where = f"column {finding.column!r}: " if finding.column else ""
    told = f"{where}expected {finding.expected}, got {finding.got}"
    if not finding.count:
        return told
    return f"{told} in {finding.count:,} ({first_few(finding.rows)})"


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
