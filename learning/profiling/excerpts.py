"""The rows of a file of unknown encoding, all of them or the first of many."""

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from learning.reading.contents import Contents
from learning.reading.files import read_file

MOST_BYTES = 200 * 2**20
"""Text that is read whole; of a larger file the first rows are."""

MOST_ROWS = 1_000_000
"""The same of a Parquet file that is larger than `MOST_BYTES`."""

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
        return _parquet(path, name)
    content = _start(path, name)
    if content is None:
        return Excerpt(read_file(path, name), "utf-8", True)  # tells what is wrong with it
    encoding = _encoding(content)
    if encoding is None:
        return Excerpt(read_file(path, name), "utf-8", True)
    text = content.decode(encoding, errors="replace" if len(content) > MOST_BYTES else "strict")
    whole = len(content) <= MOST_BYTES
    text = text.removeprefix("\ufeff") if whole else _rows(text.removeprefix("\ufeff"))
    plain = scratch / "sample"
    plain.write_text(text, encoding="utf-8", newline="")
    return Excerpt(read_file(plain, name.removesuffix(".gz")), encoding, whole)


def _parquet(path: Path, name: str) -> Excerpt:
    if path.stat().st_size <= MOST_BYTES:
        return Excerpt(read_file(path, name), "utf-8", True)
    try:
        with pa_parquet.ParquetFile(path) as file:
            batches, rows = [], 0
            for batch in file.iter_batches():
                batches.append(batch)
                rows += batch.num_rows
                if rows >= MOST_ROWS:
                    break
            whole = rows == file.metadata.num_rows
        return Excerpt(Contents(pa.Table.from_batches(batches)), "utf-8", whole)
    except (pa.ArrowException, OSError):
        return Excerpt(read_file(path, name), "utf-8", True)


def _start(path: Path, name: str) -> bytes | None:
    """One byte more than is read whole; None of a damaged archive."""
    try:
        with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        return None


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


def _rows(text: str) -> str:
    """Whole rows only: up to a line end that is in no quoted cell."""
    end = text.rfind("\n")
    quotes = text.count('"', 0, end)
    while quotes % 2 and end > 0:
        before = text.rfind("\n", 0, end)
        quotes -= text.count('"', before, end)
        end = before
    return text[: end + 1]
