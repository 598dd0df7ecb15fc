"""CSV becomes typed tables by all cores: pieces of whole rows are parsed beside each other.

Only where Arrow reads every cell as the exact reader does; all else is declined.
"""

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, product

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from learning.reading.caps import longest
from learning.reading.cells import MISSING_NUMBERS
from learning.reading.texts import TextFile
from schemas.dataset import Caps

_PARSERS = 8
"""Pieces that are parsed at once, whatever the machine has: each of them is in memory."""

_QUOTE = ord('"')
_BEFORE = np.frombuffer(b',\n\r"', dtype=np.uint8)
"""What stands before a quote that opens a cell, or before the second one of two in a cell."""

_MISSING = tuple(
    sorted(
        {
            "".join(chars)
            for word in MISSING_NUMBERS
            for chars in product(*({char, char.upper()} for char in word))
        }
    )
)


class Declined(Exception):
    """The quick reader met what it can't read exactly, or what is wrong: the exact one tells."""


def quick_csv(
    text: TextFile,
    header: Sequence[str],
    kinds: Mapping[str, pa.DataType],  # the columns that are read, text where it must be exact
    caps: Caps,
    block: int,  # bytes of a piece; a row that is longer is for the exact reader
) -> Iterator[pa.Table]:
    """In the order of rows; `Declined` in place of any message.

    Not by Arrow's own reader of blocks: it looks for the ends of rows on one core, takes half as
    long again, and longer still while other threads work on what it gave.
    """
    convert = pa_csv.ConvertOptions(
        column_types=dict(kinds),
        include_columns=list(kinds),
        null_values=_MISSING,
        strings_can_be_null=False,
    )
    rows, threads = 0, min(pa.cpu_count(), _PARSERS)
    pieces = enumerate(_pieces(text, block))
    parsed: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(threads) as parsers:
        while True:
            for place, piece in islice(pieces, threads + 1 - len(parsed)):
                names = header if place else None  # the first one brings its own
                parsed.append(parsers.submit(_parsed, piece, names, convert))
            if not parsed:
                return
            table = parsed.popleft().result()
            rows += len(table)
            long = any(
                longest(chunk) > caps.cell_chars for c in table.columns for chunk in c.chunks
            )
            if long or rows > caps.rows:
                raise Declined
            if len(table):
                yield table


def _pieces(text: TextFile, block: int) -> Iterator[bytearray]:
    with text.path.open("rb") as file:
        rest = file.read(len(BOM_UTF8)).removeprefix(BOM_UTF8)
        while True:
            piece = bytearray(len(rest) + block)
            piece[: len(rest)] = rest
            read = file.readinto(memoryview(piece)[len(rest) :])
            if read < block:
                if len(rest) + read:
                    yield piece[: len(rest) + read]
                return
            end = _end_of_rows(piece) if text.quotes else piece.rfind(b"\n") + 1
            if not end:
                raise Declined
            rest = bytes(memoryview(piece)[end:])
            del piece[end:]
            yield piece


def _end_of_rows(piece: bytearray) -> int:
    """After the last line feed that an even number of quotes stands before; 0 if there is none."""
    end = len(piece)
    odd = np.count_nonzero(np.frombuffer(piece, dtype=np.uint8) == _QUOTE) % 2
    while (last := piece.rfind(b"\n", 0, end)) >= 0:
        odd ^= piece.count(b'"', last + 1, end) % 2
        if not odd:
            break
        end = last
    return last + 1


def _parsed(
    piece: bytearray, header: Sequence[str] | None, convert: pa_csv.ConvertOptions
) -> pa.Table:
    _decline_stray_quotes(piece)
    read = pa_csv.ReadOptions(
        use_threads=False,  # the other cores have pieces of their own
        block_size=len(piece) + 1,
        column_names=header,
    )
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    try:
        return pa_csv.read_csv(pa.BufferReader(piece), read, parse, convert)
    except (pa.ArrowInvalid, pa.ArrowKeyError):  # what it says quotes cells: it is not passed on
        raise Declined from None


def _decline_stray_quotes(piece: bytearray) -> None:
    """Where each opens or closes a cell, or is one of two, their number tells what is in quotes.

    One inside a bare cell would be a character of it, and every end of a row after it a guess.
    """
    content = np.frombuffer(piece, dtype=np.uint8)
    places = np.flatnonzero(content == _QUOTE)
    opening = places[::2]
    before = content[opening[opening > 0] - 1]
    if len(places) % 2 or not np.isin(before, _BEFORE).all():
        raise Declined
