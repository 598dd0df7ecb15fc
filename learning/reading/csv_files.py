"""CSV becomes tables, a block at a time: every cell as text.

Ragged rows, repeated names and unclosed quotes are refused: each of them is read by other readers
as rows with their labels shifted. No message holds a cell.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from learning.reading.caps import refuse_long_cells, refuse_rows, too_long
from learning.reading.refusals import refused
from learning.reading.texts import TextFile
from learning.reading.wording import amount, first_few
from schemas.dataset import Caps
from schemas.faults import DataRejected

OTHER_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""What stands between the names of a header that has no comma, and what a message calls it."""

BLOCK = 16 * 2**20
"""Bytes that are parsed together; a row that is longer needs a larger block."""

LARGEST_BLOCK = 2**31 - 1

MOST_RAGGED = 1_000
"""Rows of a wrong width after which a file is not read on."""

LONGEST_NAME = 2**17
"""Characters of one cell of a header; what is longer is no name."""


def csv_header(text: TextFile, name: str, caps: Caps) -> list[str]:
    """The names of the columns, each once."""
    _refuse_open_quote(text, name, caps)
    with text.path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            header = next(cells for cells in csv.reader(lines) if cells)
        except csv.Error:  # a field larger than the reader's limit, 131,072 characters
            raise refused(
                name,
                "the names of columns in the first line",
                "a longer cell than any name",
                "Put a header in front of the rows.",
            ) from None
    _refuse_other_separators(header, name)
    refuse_repeated(header, name)
    return header


def exact_csv(
    text: TextFile,
    columns: Sequence[str],  # those that are read
    width: int,  # of the header
    name: str,
    caps: Caps,
    block: int = BLOCK,
) -> Iterator[pa.Table]:
    """Each cell as text, and all that is wrong told."""
    most = min(max(block, 4 * caps.cell_chars + BLOCK), LARGEST_BLOCK, text.size + 1)
    block, done = min(block, most), 0
    while True:
        ragged: list[tuple[int | None, int]] = []
        try:
            for table in _after(_blocks(text.path, columns, block, ragged), done):
                refuse_long_cells(table, done, name, caps)
                done += table.num_rows
                refuse_rows(name, done, caps)
                yield table
        except pa.ArrowInvalid as fault:
            ragged = ragged[:MOST_RAGGED]
            if not ragged and "straddling" in str(fault) and block < most:
                block = min(4 * block, most)
                continue
            if not ragged:
                raise _unreadable(fault, text, done, name, caps) from None
        if ragged:
            raise _ragged(ragged, width, name)
        return


def refuse_repeated(header: Sequence[str], name: str) -> None:
    """Readers rename, or take the last."""
    times = Counter(header)
    places = [place for place, column in enumerate(header, start=1) if times[column] > 1]
    if places:  # their numbers, since without a header the names are cells of the first row
        raise refused(
            name,
            "each column once",
            f"names that stand more than once in the header ({first_few(places, noun='column')})",
            "Rename or remove the others.",
        )


def _blocks(
    path: Path, columns: Sequence[str], block: int, ragged: list[tuple[int | None, int]]
) -> Iterator[pa.Table]:
    def note(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "skip" if len(ragged) < MOST_RAGGED else "error"

    reader = pa_csv.open_csv(
        path,
        # One thread: rows keep their numbers.
        pa_csv.ReadOptions(use_threads=False, block_size=block),
        pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=list(columns),
            strings_can_be_null=False,
        ),
    )
    with reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _after(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Without so many first rows: those were read by smaller blocks."""
    for table in tables:
        skipped = min(rows, table.num_rows)
        rows -= skipped
        if skipped < table.num_rows:
            yield table.slice(skipped)


def _unreadable(
    fault: pa.ArrowInvalid, text: TextFile, done: int, name: str, caps: Caps
) -> DataRejected:
    """Arrow's own message quotes cells, so neither it nor a cause is passed on."""
    if "straddling" in str(fault):
        return too_long(name, done + 1, caps)
    return refused(
        name,
        "comma-separated text",
        f"{text.size:,} bytes that can't be read as such",
        "Export it again, with cells that hold commas or line ends in double quotes.",
    )


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


def _refuse_open_quote(text: TextFile, name: str, caps: Caps) -> None:
    """For pyarrow takes the rest of the file as one cell where a quote is not closed."""
    if text.quotes % 2 == 0:
        return
    with (
        text.path.open(encoding="utf-8-sig", newline="") as lines,
        _cells_of(max(caps.cell_chars, LONGEST_NAME)),
    ):
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


@contextmanager
def _cells_of(most: int) -> Iterator[None]:
    """Python's reader of CSV takes cells of so many characters, for a while."""
    before = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _ragged(ragged: Sequence[tuple[int | None, int]], columns: int, name: str) -> DataRejected:
    widths = sorted({width for _, width in ragged})
    rows = [number - 1 for number, _ in ragged if number is not None]  # less the header
    more = " or more" if len(ragged) >= MOST_RAGGED else ""
    return refused(
        name,
        f"{amount(columns, 'cell')} in each row",
        f"{' or '.join(map(str, widths[:3]))} in {len(ragged):,}{more} ({first_few(rows)})",
        "Put cells that hold commas in double quotes.",
        rows=rows,
    )
