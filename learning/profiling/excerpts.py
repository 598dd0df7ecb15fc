"""The rows of a file of unknown encoding, all of them or the first of many.

There is no plan yet: what a plan allows where it says nothing is what is read.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from learning.reading.caps import refuse_read
from learning.reading.contents import Contents
from learning.reading.files import Reading, read_file, read_parts
from learning.reading.refusals import refused
from learning.reading.texts import CHUNK
from schemas.dataset import Caps

MOST_BYTES = 200 * 2**20
"""Text that is read whole; of a larger file the first rows are."""

MOST_ROWS = 1_000_000
"""The same of a Parquet file that is larger than `MOST_BYTES`."""

MOST_HELD = 2**30
"""Bytes of a Parquet file once read: a small file may hold any number of them."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Excerpt:
    """Rows with the encoding that they were read by; `whole` where these are all of the file's."""

    contents: Contents
    encoding: str
    whole: bool


def excerpt(path: Path, name: str, scratch: Path) -> Excerpt:
    """Reads by the same reader as training, which refuses what it can't; `scratch` is a folder."""
    if name.endswith(".parquet"):
        return _parquet(path, name, scratch)
    content = _start(path, name)
    if content is None:
        return Excerpt(read_file(path, name), "utf-8", True)  # tells what is wrong with it
    encoding = _encoding(content)
    if encoding is None:
        return Excerpt(read_file(path, name), "utf-8", True)
    whole = len(content) <= MOST_BYTES
    text = content.decode(encoding, errors="strict" if whole else "replace").removeprefix("\ufeff")
    plain = scratch / "sample"
    plain.write_text(text if whole else _rows(text, name), encoding="utf-8", newline="")
    return Excerpt(read_file(plain, name.removesuffix(".gz")), encoding, whole)


def _parquet(path: Path, name: str, scratch: Path) -> Excerpt:
    rows = MOST_ROWS if path.stat().st_size > MOST_BYTES else Caps().rows
    parts = list(_first(read_parts(path, name, Reading(), scratch), rows))
    table = pa.concat_tables(part.table for part in parts)
    whole = len(table) == pa_parquet.read_metadata(path).num_rows
    return Excerpt(Contents(table, stored=parts[0].stored), "utf-8", whole)


def _first(parts: Iterator[Contents], most: int) -> Iterator[Contents]:
    rows = held = 0
    for part in parts:
        yield part
        rows += len(part.table)
        held += part.table.nbytes
        if rows >= most or held >= MOST_HELD:
            return


def _start(path: Path, name: str) -> bytes | None:
    """One byte more than is read whole; None of a damaged archive."""
    stored, found = path.stat().st_size, bytearray()
    try:
        with path.open("rb") as file:
            packed = name.endswith(".gz")
            source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
            while chunk := source.read(min(CHUNK, MOST_BYTES + 1 - len(found))):
                found += chunk
                refuse_read(name, len(found), stored, Caps())
            if len(found) > Caps().ratio * file.tell():
                _refuse_rest(source, name, len(found), stored)
    except (OSError, EOFError, zlib.error):
        return None
    return bytes(found)


def _refuse_rest(source: IO[bytes], name: str, read: int, stored: int) -> None:
    """What swells so much at its start is unpacked to its end, and nothing of it kept."""
    while chunk := source.read(CHUNK):
        read += len(chunk)
        refuse_read(name, read, stored, Caps())


def _encoding(content: bytes) -> str | None:
    """By its mark, else UTF-8, else what Windows writes in the west; None of what is no text."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(content, final=len(content) <= MOST_BYTES)
    except UnicodeDecodeError:
        if b"\0" in content:
            return None
    else:
        return "utf-8"
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _rows(text: str, name: str) -> str:
    """Whole rows only: up to a line end that is in no quoted cell."""
    end = text.rfind("\n")
    quotes = text.count('"', 0, max(end, 0))
    while quotes % 2 and end > 0:
        before = text.rfind("\n", 0, end)
        quotes -= text.count('"', max(before, 0), end)
        end = before
    if end <= text.find("\n"):  # a header at most
        raise refused(
            name,
            "rows",
            f"none that ends in the first {MOST_BYTES:,} bytes",
            "Look at its line ends, and for a quote that is never closed.",
        )
    return text[: end + 1]
