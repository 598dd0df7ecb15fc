"""A column as its distinct values and which row has which: all that guesses are made from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from learning.arrays import Mask
from learning.reading.cells import MISSING_NUMBERS, decoded, is_text, numbers


@dataclass(frozen=True)
class ColumnFacts:
    """`codes` is the place of each row's value in `levels`, -1 where there is none.

    A list has one level only: that it is there. `inside` counts JSON objects, which no column of
    a table holds.
    """

    name: str
    stored: pa.ChunkedArray
    levels: pa.Array
    codes: NDArray[np.int64]
    inside: int = 0

    @property
    def rows(self) -> int:
        return len(self.codes)

    @property
    def distinct(self) -> int:
        return len(self.levels)

    @cached_property
    def missing(self) -> int:
        return int((self.codes < 0).sum())

    @property
    def filled(self) -> int:
        return self.rows - self.missing

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(levels,) rows of each."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.distinct)

    @property
    def is_text(self) -> bool:
        return is_text(self.levels.type)

    @cached_property
    def texts(self) -> list[str]:
        """The levels where they are text, without the space around; else nothing."""
        if not self.is_text:
            return []
        found: list[str] = pc.utf8_trim_whitespace(self.levels).to_pylist()
        return found

    @cached_property
    def figures(self) -> NDArray[np.float64]:
        """(levels,) each as the number that training would read; NaN where it is none."""
        if not (self.is_text or _is_plain_number(self.levels.type)):
            return np.full(self.distinct, np.nan)
        cells = numbers(pa.chunked_array([self.levels])).cells.to_numpy(dtype=np.float64)
        return np.where(np.isfinite(cells), cells, np.nan)

    @cached_property
    def row_figures(self) -> NDArray[np.float64]:
        """(rows,) the same of each row; NaN also where the cell is missing."""
        return np.append(self.figures, np.nan)[self.codes]

    @cached_property
    def not_numbers(self) -> Mask:
        """(rows,) true where there is a cell that is no finite number."""
        mask: Mask = np.isnan(self.row_figures) & (self.codes >= 0)
        return mask

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is written in whole numbers only: 3 or 3.0, but not 3.5."""
        found = self.figures[~np.isnan(self.figures)]
        return bool(len(found)) and bool((found == np.floor(found)).all())


def facts_of(name: str, column: pa.ChunkedArray, inside: int = 0) -> ColumnFacts:
    """Blank cells and those that say that they are missing have no level."""
    stored = decoded(column)
    if is_text(stored.type):
        stored = stored.cast(pa.string())
    if pt.is_nested(stored.type):
        codes = stored.is_valid().to_numpy().astype(np.int64) - 1
        return ColumnFacts(name, stored, pa.nulls(int(codes.max(initial=-1)) + 1), codes, inside)
    coded = stored.combine_chunks().dictionary_encode()
    known, levels = _known(coded.dictionary), coded.dictionary
    places = np.append(np.where(known, np.cumsum(known) - 1, -1), -1)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return ColumnFacts(name, stored, levels.filter(pa.array(known)), places[codes], inside)


def _known(levels: pa.Array) -> Mask:
    if is_text(levels.type):
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(levels))
        known = pc.invert(pc.is_in(lowered, value_set=pa.array(MISSING_NUMBERS)))
    elif pt.is_floating(levels.type):
        known = pc.invert(pc.is_nan(levels))
    else:
        known = levels.is_valid()
    mask: Mask = pc.fill_null(known, False).to_numpy(zero_copy_only=False)
    return mask


def _is_plain_number(kind: pa.DataType) -> bool:
    plain = pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind)
    return bool(plain or pt.is_decimal(kind))
