"""Rows that leave for people: no cell of a producer becomes a formula in a spreadsheet."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FORMULA = r"^[=+\-@\t\r]"
"""How a cell begins that a spreadsheet runs; a plain number stays one."""

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """The same cells and names, with `'` before those that a spreadsheet would run.

    >>> harmless(pd.DataFrame({"a": ["=1+1", "-5", "so"]}))["a"].tolist()
    ["'=1+1", '-5', 'so']
    """
    told = frame.assign(
        **{
            str(column): _quoted(frame[column])
            for column in frame
            if pd.api.types.is_string_dtype(frame[column]) and len(frame)
        }
    )
    return told.set_axis(_quoted(pd.Series(told.columns.astype("str"))), axis="columns")


def _quoted(cells: "pd.Series[str]") -> "pd.Series[str]":
    texts = cells.dropna().astype("str")
    runs = texts[texts.str.contains(FORMULA) & ~texts.str.contains(NUMBER.replace("(", "(?:"))]
    if runs.empty:
        return cells
    told = cells.copy()
    told[runs.index] = "'" + runs
    return told


@dataclass(frozen=True)
class Aside:
    """A CSV file under way, that nobody else may read."""

    part: Path

    def clear(self) -> None:
        """No rows, as at the start."""
        self.part.unlink(missing_ok=True)
        self.part.touch(mode=0o600)

    def add(self, frame: pd.DataFrame) -> None:
        """Below those that are there; all rows have the same columns."""
        if len(frame):
            first = self.part.stat().st_size == 0
            harmless(frame).to_csv(self.part, mode="a", header=first, index=False)


def write_private(frame: pd.DataFrame, path: Path) -> None:
    """A CSV file that nobody else on this machine may read, in place at once."""
    with _appearing(path) as aside:
        harmless(frame).to_csv(aside.part, index=False)


def set_aside_in(path: Path) -> AbstractContextManager[Aside]:
    """Rows that are added stand in `path` at the end of the block; no rows, no file."""
    return _appearing(path)


@contextmanager
def _appearing(path: Path) -> Iterator[Aside]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        aside = Aside(Path(folder) / "rows")
        aside.clear()
        yield aside
        if aside.part.stat().st_size:
            aside.part.replace(path)
