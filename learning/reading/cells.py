"""Cells of any stored type become text, numbers and truths; what can't is listed by row.

All of it works on whole columns; Python meets distinct values only.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from learning.arrays import Mask
from learning.reading.json_kinds import NESTED, WHOLE
from schemas.label import ClassValue, Target, class_text

MISSING_NUMBERS = ("", "na", "n/a", "nan", "null", "none")
"""What exports write where a number is missing; case does not matter."""

PLAIN_NUMBER = r"(?i)^-?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)$"
"""Texts that Arrow reads as float64, of any size: beyond it they are infinite, or zero."""

EXACT = {pa.float64(): WHOLE, pa.float32(): 2**24, pa.float16(): 2**11}
"""Whole numbers below these differ from each other and from all others, by how they are stored."""

TRUE, FALSE = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")
"""What exports write for a truth; case does not matter."""


@dataclass(frozen=True)
class Cells:
    """A converted column. `bad` marks cells that are no such thing; they are missing in `cells`.

    `expected` ends the sentence "expected ..." for them, and `got` says what the column is where
    that alone is at fault.
    """

    cells: pd.Series
    bad: Mask
    expected: str
    got: str = ""


def texts(column: pa.ChunkedArray) -> Cells:
    """Text as it stands; an empty cell is missing."""
    expected = "text"
    column = decoded(column)
    if not is_text(column.type):
        return all_bad(column, expected)
    column = column.cast(pa.string())
    empty = pc.equal(column, "")
    return good(pc.if_else(empty, pa.scalar(None, pa.string()), column).to_pandas(), expected)


def levels(column: pa.ChunkedArray) -> Cells:
    """Categories and keys: any plain value in its one text form, so a whole float is an integer.

    Floats so large that they stand for several whole numbers are refused: ids would become one.
    """
    plain = column if _is_coded_text(column.type) else decoded(column)
    if pt.is_floating(plain.type):
        most = EXACT[plain.type]
        if _largest(plain) >= most:
            got = f"{plain.type} numbers from 2^{most.bit_length() - 1} on, where ids are rounded"
            return replace(all_bad(column, "text or integers"), got=got)
    return _by_distinct(column, lambda cell: cell if isinstance(cell, str) else class_text(cell))


def labels(column: pa.ChunkedArray, target: Target) -> Cells:
    """Class texts; a cell that matches no class keeps its own text, for the schema to refuse.

    Where all classes are numbers, `1`, `1.0` and `true` are class 1; where all are true or false,
    `True` and `TRUE` are class true.
    """
    classes = set(target.class_texts)
    bools = all(isinstance(each, bool) for each in target.class_values)
    numbers = all(isinstance(each, int | float) for each in target.class_values) and not bools

    def text(cell: ClassValue) -> str:
        own = cell if isinstance(cell, str) else class_text(cell)
        if own in classes:
            return own
        if bools:
            own = other if (other := own.strip().lower()) in classes else own
        elif numbers:
            own = other if (other := _number_text(cell)) in classes else own
        return own

    return _by_distinct(column, text)


def numbers(column: pa.ChunkedArray) -> Cells:
    """float64; text is read as a number with a decimal point."""
    expected = "a number, with a decimal point and without separators"
    column = decoded(column)
    if not is_text(column.type):
        plain = pt.is_integer(column.type) or pt.is_floating(column.type)
        if not (plain or pt.is_boolean(column.type) or pt.is_decimal(column.type)):
            return all_bad(column, "a number", "float64")
        return good(_float64(column), expected)
    column = _without_missing(column)
    try:
        return good(_float64(column), expected)
    except pa.ArrowInvalid:  # one bad cell fails the cast of all
        return _numbers_one_by_one(column, expected)


def booleans(column: pa.ChunkedArray) -> Cells:
    """float64: 1 is true, 0 is false."""
    expected = "true or false, 1 or 0, yes or no"
    column = decoded(column)
    if not is_text(column.type):
        found = numbers(column)
        if found.got:
            return Cells(found.cells, found.bad, "true or false", found.got)
        bad = ~(found.cells.isin((0.0, 1.0)) | found.cells.isna())
        return Cells(found.cells.mask(bad), bad.to_numpy(), expected)
    column = _without_missing(column)
    cells = pd.Series(float("nan"), index=range(len(column)))
    for number, words in ((1.0, TRUE), (0.0, FALSE)):
        told = pc.is_in(pc.utf8_lower(column), value_set=pa.array(words))
        cells = cells.mask(told.to_numpy(), number)
    return Cells(cells, cells.isna().to_numpy() & column.is_valid().to_numpy(), expected)


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Plain values instead of dictionary codes; a column without any value is empty text."""
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if pt.is_null(column.type) else column


def is_text(kind: pa.DataType) -> bool:
    """Whether it is one of Arrow's kinds of text."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def good(cells: pd.Series, expected: str) -> Cells:
    """All cells were converted, or were missing."""
    return Cells(cells, np.zeros(len(cells), dtype=bool), expected)


def all_bad(column: pa.ChunkedArray, expected: str, dtype: str = "str") -> Cells:
    """The stored type alone is at fault, so there is nothing to say of single cells."""
    nothing = pd.Series([None] * len(column), dtype=dtype)
    return Cells(nothing, column.is_valid().to_numpy(), expected, got=_type_name(column.type))


def _by_distinct(column: pa.ChunkedArray, text: Callable[[ClassValue], str]) -> Cells:
    expected = "text, a number or true/false"
    coded_text = _is_coded_text(column.type)
    column = column if coded_text else decoded(column)
    plain = is_text(column.type) or pt.is_integer(column.type) or pt.is_floating(column.type)
    if not (coded_text or plain or pt.is_boolean(column.type)):
        return all_bad(column, expected)
    if is_text(column.type):
        column = column.cast(pa.string())
    if pt.is_float16(column.type):  # Arrow makes no codes of them
        column = column.cast(pa.float32())
    coded = column if coded_text else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    distinct = [_missing_or(cell, text) for cell in coded.dictionary.to_pylist()]
    told = pc.take(pa.array(distinct, pa.large_string()), coded.indices)
    return good(pd.Series(pd.array(told, dtype="str"), copy=False), expected)


def _is_coded_text(kind: pa.DataType) -> bool:
    return bool(pt.is_dictionary(kind) and is_text(kind.value_type))


def _largest(column: pa.ChunkedArray) -> float:
    """Without its sign; 0 of nothing. Arrow's own maximum is of no half floats."""
    figures = column.drop_null().to_numpy()
    told = figures[~np.isnan(figures)]
    return float(np.abs(told).max()) if len(told) else 0.0


def _missing_or(cell: ClassValue, text: Callable[[ClassValue], str]) -> str | None:
    missing = cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))
    return None if missing else text(cell)


def _number_text(cell: ClassValue) -> str:
    truths = {"true": "1", "false": "0"}
    if isinstance(cell, str):
        cell = truths.get(cell.strip().lower(), cell)
    try:
        return class_text(float(cell))
    except (ValueError, OverflowError):  # a whole number beyond any float64 is no class either
        return str(cell)


def _without_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Trimmed text; null where an export says that nothing is there."""
    column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    missing = pc.is_in(pc.utf8_lower(column), value_set=pa.array(MISSING_NUMBERS))
    return pc.if_else(missing, pa.scalar(None, pa.string()), column)


def _float64(column: pa.ChunkedArray) -> pd.Series:
    # Text is cast strictly: what is no number must fail. Whole numbers above 2^53 may round.
    cells = column.cast(pa.float64(), safe=is_text(column.type))
    return pd.Series(cells.to_numpy(zero_copy_only=False), dtype="float64", copy=False)


def _numbers_one_by_one(column: pa.ChunkedArray, expected: str) -> Cells:
    """What Arrow reads is read by it, whatever the other cells are; pandas knows "+5" as well."""
    plain = pc.match_substring_regex(column, PLAIN_NUMBER)
    told = _float64(pc.if_else(plain, column, pa.scalar(None, pa.string())))
    others = pc.if_else(pc.invert(plain), column, pa.scalar(None, pa.string())).to_pandas()
    read = told.fillna(pd.to_numeric(others, errors="coerce").astype("float64"))
    odd = pc.fill_null(pc.invert(plain), False).to_numpy()
    return Cells(read, read.isna().to_numpy() & odd, expected)


def _type_name(kind: pa.DataType) -> str:
    """`list<double>`, without the name that a writer gave to the items of a list."""
    if kind == NESTED:
        return "nested objects"
    return re.sub(r"(list\w*<)\w+: ", r"\1", str(kind))
