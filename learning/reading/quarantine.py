"""Rows that break the schema: what is told of them, and how they are set aside.

Messages and reasons name columns, rules, counts and row numbers, and of labels the unknown ones;
only the frame of rows set aside holds cells.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from learning.arrays import Mask
from learning.reading.contents import Contents
from learning.reading.got import Got, merged
from learning.reading.wording import amount, first_few
from schemas.faults import DataRejected
from schemas.findings import MOST_PLACES, Finding

NUMBER, REASONS, LINE = "row", "reasons", "line"
"""What stands beside the cells: a row's number in its file, from 1, what it broke, and the line
itself where it has no cells since it is no row."""


ADVICE = "Correct these rows, or say in the plan (dataset.columns, label) that they are right."


@dataclass(frozen=True)
class Fault:
    """One rule that one column breaks, as a whole or in some rows (indices from 0).

    Of lines that are no row there is no column, and `got` alone is the reason.
    """

    column: str | None
    expected: str
    got: Got
    rows: NDArray[np.intp] | None = None

    @property
    def reason(self) -> str:
        """Without any cell."""
        if self.column is None:
            return str(self.got)
        return f"column {self.column!r}: expected {self.expected}"


class Tally:
    """What is wrong in one file, gathered part by part: each rule once, however often."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = 0
        self._found: dict[tuple[str | None, str], Finding] = {}
        self._got: dict[tuple[str | None, str], Got] = {}
        self._whole = False

    def add(self, faults: Iterable[Fault], start: int = 0, rows: int = 0) -> None:
        """The faults of a part of so many rows, that `start` rows came before."""
        self.rows += rows
        for fault in faults:
            # Lines that are no row have no column, and what they are instead tells them apart.
            rule = (fault.column, fault.expected if fault.column else str(fault.got))
            before = self._found.get(rule)
            broken = np.empty(0, dtype=np.intp) if fault.rows is None else fault.rows
            places = (broken[:MOST_PLACES] + (start + 1)).tolist()
            got = self._got[rule] = merged(self._got.get(rule, fault.got), fault.got)
            self._found[rule] = Finding(
                object_name=self.name,
                column=fault.column or "",
                expected=fault.expected,
                got=str(got),
                count=len(broken) + (before.count if before else 0),
                rows=((*before.rows, *places) if before else tuple(places))[:MOST_PLACES],
                todo=ADVICE,
            )
            self._whole = self._whole or fault.rows is None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Whole columns first, then by the first row: whatever parts the file was read in."""
        return tuple(sorted(self._found.values(), key=lambda found: found.rows[:1]))

    def refuse(self, *, broken_rows_too: bool = False) -> None:
        """Raises where a column is wrong as a whole, or any row where none may be."""
        if self._whole or (broken_rows_too and self._found):
            raise DataRejected(message(self.findings, self.rows), self.findings)


def message(findings: Sequence[Finding], rows: int) -> str:
    """All that is wrong in the rows of one object, for a rejection."""
    lines = "".join(f"\n  {_told(finding)}" for finding in findings)
    faults = amount(len(findings), "fault")
    return f"{findings[0].object_name}: {faults} in {amount(rows, 'row')}:{lines}\n{ADVICE}"


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
        NUMBER: pd.Series([contents.start + row + 1 for row in rows], dtype="int64"),
        REASONS: pd.Series(["; ".join(reasons[row]) for row in rows], dtype="str"),
    }
    if contents.unread:  # also where the lines are in other parts of the file
        lines = {row: line for some in contents.unread.values() for row, line in some.items()}
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
