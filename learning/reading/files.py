"""One file of bytes becomes one Arrow table: CSV with every cell as text, others as stored.

Ragged rows, repeated names, unclosed quotes and bytes that are not UTF-8 are refused: each of
them is read by other readers as rows with their labels shifted. No message holds a cell.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from learning.reading.contents import Contents
from learning.reading.json_lines import json_contents
from learning.reading.refusals import refused
from learning.reading.wording import first_few, quoted
from schemas.faults import DataRejected

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")

OTHER_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""What stands between the names of a header that has no comma, and what a message calls it."""

PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
"""The first bytes of a pickle; no UTF-8 and no Parquet file starts so."""

LARGEST_BLOCK = 2**31 - 1
"""Bytes; pyarrow parses a block at a time and fails on a cell that is larger than one."""


def read_file(path: Path, name: str) -> Contents:
    """The kind is told by the end of `name`; at least one row, names differ."""
    if name.endswith(".parquet"):
        contents = Contents(_parquet(path, name))
    elif name.endswith((".csv", ".csv.gz")):
        contents = Contents(_csv(_bytes(path, name), name))
    elif name.endswith((".jsonl", ".jsonl.gz")):
        contents = json_contents(_bytes(path, name).decode("utf-8-sig"), name)
    else:
        raise refused(
            name,
            f"a file that ends in {', '.join(SUFFIXES)}",
            "another name",
            "Convert it, or leave it out by dataset.pattern.",
        )
    if contents.table.num_rows == 0:
        raise refused(name, "rows", "a header and no rows", "Add rows, or remove it.")
    return contents


def _parquet(path: Path, name: str) -> pa.Table:
    try:
        with path.open("rb") as start:
            _refuse_pickle(start.read(2), name)
        with pa_parquet.ParquetFile(path) as file:
            _refuse_repeated(file.schema_arrow.names, name)
            table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as fault:
        raise refused(
            name,
            "a Parquet file",
            f"{path.stat().st_size:,} bytes that can't be read as one",
            "Export it again.",
        ) from fault
    return table


def _bytes(path: Path, name: str) -> bytes:
    content = path.read_bytes()
    if name.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as fault:
            raise refused(
                name,
                "a whole gzip file",
                f"{len(content):,} bytes that end early or are damaged",
                "Upload it again.",
            ) from fault
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        wanted = f"{'a header and ' * ('.csv' in name)}rows"
        raise refused(name, wanted, "an empty file", "Fill or remove it.")
    _refuse_pickle(content[:2], name)
    _refuse_other_encodings(content, name)
    return content


def _refuse_pickle(start: bytes, name: str) -> None:
    if start in PICKLES:
        raise refused(
            name,
            "CSV, JSON lines or Parquet",
            "a pickle",
            "Pickles are refused: to read one is to run what is in it. Export the rows as one of "
            "the three.",
        )


def _refuse_other_encodings(content: bytes, name: str) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise refused(
            name,
            "UTF-8",
            f"another encoding (first seen in line {line})",
            "Export it as UTF-8.",
            offsets=[fault.start],
        ) from None
    nul = content.find(b"\0")
    if nul >= 0:
        line = content.count(b"\n", 0, nul) + 1
        raise refused(
            name,
            "text",
            f"a NUL byte in line {line}",
            "Export it as UTF-8 text.",
            offsets=[nul],
        )


def _csv(content: bytes, name: str) -> pa.Table:
    _refuse_open_quote(content, name)
    header = _header(content, name)
    _refuse_other_separators(header, name)
    _refuse_repeated(header, name)
    ragged: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = pa_csv.read_csv(
            pa.py_buffer(content),
            # One thread, one block: rows keep their numbers, cells may be of any length.
            pa_csv.ReadOptions(use_threads=False, block_size=min(len(content) + 1, LARGEST_BLOCK)),
            pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            pa_csv.ConvertOptions(
                column_types={column: pa.string() for column in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:  # its message quotes cells, so neither it nor a cause is passed on
        raise refused(
            name,
            "comma-separated text",
            f"{len(content):,} bytes that can't be read as such",
            "Export it again, with cells that hold commas or line ends in double quotes.",
        ) from None
    if ragged:
        raise _ragged(ragged, len(header), name)
    return table


def _header(content: bytes, name: str) -> list[str]:
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        return next(cells for cells in csv.reader(lines) if cells)
    except csv.Error:  # a field larger than the reader's limit, 131,072 characters
        raise refused(
            name,
            "the names of columns in the first line",
            "a longer cell than any name",
            "Put a header in front of the rows.",
        ) from None


def _refuse_other_separators(header: list[str], name: str) -> None:
    """Before the rows: those with a decimal comma would be called ragged."""
    seen = next((mark for mark in OTHER_SEPARATORS if mark in header[0]), None)
    if len(header) == 1 and seen is not None:
        raise refused(
            name,
            "commas between cells",
            f"a header that seems to be separated by {OTHER_SEPARATORS[seen]}",
            "Export it again as comma-separated text, with a decimal point in numbers.",
        )


def _refuse_repeated(header: list[str], name: str) -> None:
    twice = sorted(column for column, times in Counter(header).items() if times > 1)
    if twice:
        raise refused(
            name,
            "each column once",
            f"{quoted(twice)} more than once in the header",
            "Rename or remove the others.",
        )


def _refuse_open_quote(content: bytes, name: str) -> None:
    """For pyarrow takes the rest of the file as one cell where a quote is not closed."""
    if content.count(b'"') % 2 == 0:
        return
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    try:
        for _ in csv.reader(lines, strict=True):
            pass
    except csv.Error as fault:
        # Its other complaint, text after a closing quote, pyarrow reads as people mean it.
        if "unexpected end of data" in str(fault) or "field limit" in str(fault):
            raise refused(
                name,
                "every quoted cell to be closed",
                "one that runs to the end of the file",
                "Export it again, with double quotes inside cells doubled.",
            ) from None


def _ragged(ragged: list[pa_csv.InvalidRow], columns: int, name: str) -> DataRejected:
    widths = sorted({row.actual_columns for row in ragged})
    rows = [row.number - 1 for row in ragged if row.number is not None]  # less the header
    return refused(
        name,
        f"{columns} cells in each row",
        f"{' or '.join(map(str, widths[:3]))} in {len(ragged):,} ({first_few(rows)})",
        "Put cells that hold commas in double quotes.",
        rows=rows,
    )
