"""Sizes above which an object is a mistake or an attack, each with the setting that allows more."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from learning.reading.refusals import refused
from schemas.dataset import Caps
from schemas.faults import DataRejected

LOOKED_AT = 64 * 2**20
"""Bytes read from which their ratio to those stored is looked at: small files compress well."""


def refuse_size(name: str, stored: int, caps: Caps) -> None:
    """Before anything of the object is fetched."""
    if stored > caps.object_bytes:
        raise too_much(name, f"{caps.object_bytes:,} bytes", f"{stored:,}", "object_bytes")


def refuse_read(name: str, read: int, stored: int, caps: Caps) -> None:
    """What came, or will come, of a file of so many bytes."""
    if read > caps.read_bytes:
        raise too_much(
            name, f"{caps.read_bytes:,} bytes once decompressed", f"{read:,} or more", "read_bytes"
        )
    if read > LOOKED_AT and read > caps.ratio * stored:
        raise too_much(
            name,
            f"{caps.ratio:g} bytes read for each byte stored",
            f"{read:,} or more of {stored:,}",
            "ratio",
        )


def refuse_rows(name: str, rows: int, caps: Caps) -> None:
    """Rows so far, or in all."""
    if rows > caps.rows:
        raise too_much(name, f"{caps.rows:,} rows", f"{rows:,} or more", "rows")


def longest(column: pa.Array) -> int:
    """Most bytes of a text, of those that are in the column; 0 of numbers."""
    texts = column.dictionary if pt.is_dictionary(column.type) else column
    if not (pt.is_string(texts.type) or pt.is_large_string(texts.type)):
        return 0
    return int(pc.max(pc.binary_length(texts)).as_py() or 0)


def refuse_long_cells(table: pa.Table, before: int, name: str, caps: Caps) -> None:
    """Before anything is made of a cell; `before` rows of the file came earlier."""
    for column in table.columns:
        start = before
        for chunk in column.chunks:
            if longest(chunk) > caps.cell_chars:
                texts = chunk.cast(pa.large_string())
                row = pc.index(pc.greater(pc.utf8_length(texts), caps.cell_chars), True).as_py()
                if row >= 0:
                    raise too_long(name, start + row + 1, caps)
            start += len(chunk)


def too_long(name: str, row: int, caps: Caps) -> DataRejected:
    """A cell, or what seems to be one."""
    return too_much(
        name, f"{caps.cell_chars:,} characters in a cell", f"more in row {row:,}", "cell_chars", row
    )


def too_much(name: str, most: str, got: str, setting: str, row: int | None = None) -> DataRejected:
    """The rejection, to be raised."""
    return refused(
        name,
        f"at most {most}",
        got,
        f"Correct the file or split it, or raise dataset.caps.{setting} if it is right.",
        rows=[] if row is None else [row],
    )
