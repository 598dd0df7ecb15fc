"""One file of a producer becomes tables, part by part: whatever its kind, in the order of rows.

What is no table, or is larger than the plan allows, is refused. No message holds a cell.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from learning.reading.caps import refuse_long_cells, refuse_rows, too_long
from learning.reading.contents import Contents, joined
from learning.reading.csv_files import BLOCK, csv_header, exact_csv
from learning.reading.json_lines import json_tables
from learning.reading.parquet_files import parquet_schema, parquet_tables
from learning.reading.quick_csv import quick_csv
from learning.reading.refusals import refused
from learning.reading.texts import TextFile, text_file
from schemas.dataset import Caps

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")

Chosen: TypeAlias = Callable[[list[str]], Sequence[str]]
"""The columns to read, of those found; raises where they are not what the plan asks for."""


@dataclass(frozen=True)
class Reading:
    """How a file is read. `quick` are the types by which CSV is read by all cores: that reader
    raises `Declined` for whatever it can't read exactly. `block` is of CSV, in bytes.
    """

    chosen: Chosen = list
    encoding: str = "utf-8"
    caps: Caps = field(default_factory=Caps)
    quick: Mapping[str, pa.DataType] | None = None
    block: int = BLOCK


def read_file(path: Path, name: str) -> Contents:
    """All columns of a file as stored, at once; those of CSV as text."""
    with tempfile.TemporaryDirectory(prefix="nightshift-") as scratch:
        parts = list(read_parts(path, name, Reading(), Path(scratch)))
    return joined(parts)


def read_parts(path: Path, name: str, reading: Reading, scratch: Path) -> Iterator[Contents]:
    """The kind is told by the end of `name`; at least one row, names differ. What was unpacked
    stands under `scratch`.
    """
    if name.endswith(".parquet"):
        return _parquet(path, name, reading)
    if not name.endswith(SUFFIXES):
        raise refused(
            name,
            f"a file that ends in {', '.join(SUFFIXES)}",
            "another name",
            "Convert it, or leave it out by dataset.pattern.",
        )
    text = text_file(path, name, reading.encoding, reading.caps, scratch)
    if name.endswith((".csv", ".csv.gz")):
        return _csv(text, name, reading)
    return _json(text, name, reading)


def _parquet(path: Path, name: str, reading: Reading) -> Iterator[Contents]:
    schema = parquet_schema(path, name)
    columns = reading.chosen(schema.names)
    stored = {field.name: str(field.type) for field in schema}
    return _counted(parquet_tables(path, name, columns, reading.caps), stored)


def _csv(text: TextFile, name: str, reading: Reading) -> Iterator[Contents]:
    header = csv_header(text, name, reading.caps)
    columns = reading.chosen(header)
    stored = dict.fromkeys(header, "string")
    if reading.quick is not None:
        kinds = {column: reading.quick.get(column, pa.string()) for column in columns}
        tables = quick_csv(text, header, kinds, reading.caps, reading.block)
    else:
        tables = exact_csv(text, columns, len(header), name, reading.caps, reading.block)
    return _filled(_counted(tables, stored), name)


def _json(text: TextFile, name: str, reading: Reading) -> Iterator[Contents]:
    for part in json_tables(partial(_lines, text, name, reading.caps), name, reading.chosen):
        refuse_long_cells(part.table, part.start, name, reading.caps)
        yield part


def _lines(text: TextFile, name: str, caps: Caps) -> Iterator[str]:
    """Ended by a line feed alone: U+2028 and its like may stand inside a text. As many as the plan
    allows, and none that fills the memory.
    """
    longest, rows = 4 * caps.cell_chars + BLOCK, 0
    with text.path.open(encoding="utf-8-sig", newline="\n") as lines:
        while line := lines.readline(longest):
            rows += not line.isspace()
            refuse_rows(name, rows, caps)
            if len(line) == longest and not line.endswith("\n"):
                raise too_long(name, rows, caps)
            yield line


def _counted(tables: Iterator[pa.Table], stored: Mapping[str, str]) -> Iterator[Contents]:
    start = 0
    for table in tables:
        yield Contents(table, start=start, stored=stored)
        start += table.num_rows


def _filled(parts: Iterator[Contents], name: str) -> Iterator[Contents]:
    empty = True
    for part in parts:
        empty = False
        yield part
    if empty:
        raise refused(name, "rows", "a header and no rows", "Add rows, or remove it.")
