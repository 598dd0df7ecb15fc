"""Text of any stated encoding, packed or not, becomes a checked file of UTF-8.

All of it goes by chunks: no size of a file, as it is or unpacked, is ever in memory.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from learning.reading.caps import refuse_read
from learning.reading.pickles import PICKLE, strange
from learning.reading.refusals import refused
from schemas.dataset import Caps
from schemas.faults import DataRejected

CHUNK = 4 * 2**20

UTF8 = ("utf-8", "utf-8-sig")
"""Names of codecs, of which the second one skips a mark at the start; all our readers do."""

_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # those of UTF-32 begin or end alike


@dataclass(frozen=True)
class TextFile:
    """A file of UTF-8, without NUL and not blank; `quotes` counts its double quotes."""

    path: Path
    size: int
    quotes: int


def text_file(path: Path, name: str, encoding: str, caps: Caps, scratch: Path) -> TextFile:
    """The file itself where it is plain UTF-8, else a copy under `scratch`.

    Raises
    ------
    DataRejected
        It is empty, damaged, of another encoding, larger than it may be, or no text at all.
    """
    plain = encoding in UTF8 and not name.endswith(".gz")
    size = quotes = 0
    blank = True
    with ExitStack() as opened:
        target = scratch / "text"
        sink = None if plain else opened.enter_context(target.open("wb"))
        for text in _checked(path, name, encoding, caps):
            blank = blank and not text.removeprefix(codecs.BOM_UTF8).strip()
            size += len(text)
            # Five times as quick as to count the bytes as such.
            quotes += int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord('"')))
            if sink is not None:
                sink.write(text)
    if blank:
        wanted = f"{'a header and ' * ('.csv' in name)}rows"
        raise refused(name, wanted, "an empty file", "Fill or remove it.")
    return TextFile(path if plain else target, size, quotes)


def refuse_strange(start: bytes, name: str) -> None:
    """What is no table by its first bytes, whatever its name says."""
    kind = strange(start)
    if not kind:
        return
    todo = "Export the rows as one of the three"
    if kind == PICKLE or "pickle" in kind:
        todo = (
            "Pickles are refused: to read one is to run what is in it. Export the rows as one of "
            "the three, or turn a file that you trust into Parquet by `nightshift data convert "
            "--trusted FILE.pkl`"
        )
    raise refused(name, "CSV, JSON lines or Parquet", kind, f"{todo}.")


def _refuse_parquet(start: bytes, name: str) -> None:
    if start.startswith(b"PAR1"):
        raise refused(name, "text", "a Parquet file", "Let its name end in .parquet.")


def _checked(path: Path, name: str, encoding: str, caps: Caps) -> Iterator[bytes]:
    """UTF-8, chunk by chunk."""
    done = 0
    for text in _in_utf8(path, name, encoding, caps):
        nul = text.find(b"\0")
        if nul >= 0:
            raise _nul(path, name, encoding, caps, done + nul)
        done += len(text)
        yield text


def _in_utf8(path: Path, name: str, encoding: str, caps: Caps) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read = kept = 0
    for chunk in chain(_chunks(path, name, caps), (b"",)):
        if not read:
            refuse_strange(chunk, name)
            _refuse_parquet(chunk, name)
            _refuse_other_family(chunk, name, encoding)
        if encoding in UTF8 and not kept and chunk.isascii():
            read += len(chunk)
            yield chunk
            continue
        try:
            text = decoder.decode(chunk, final=not chunk)
            told = chunk if encoding in UTF8 else text.encode()
        except UnicodeError as fault:
            start = fault.start if isinstance(fault, UnicodeDecodeError) else 0
            raise _wrong(path, name, encoding, caps, read - kept + start) from None
        read += len(chunk)
        kept = len(decoder.getstate()[0])
        if told:
            yield told if encoding in UTF8 else told.removeprefix(codecs.BOM_UTF8)


def _chunks(path: Path, name: str, caps: Caps) -> Iterator[bytes]:
    """Bytes as they are once unpacked, as many as the plan allows."""
    stored, read = path.stat().st_size, 0
    with path.open("rb") as file:
        source = gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file
        while True:
            try:
                chunk = source.read(CHUNK)
            except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
                raise refused(
                    name,
                    "a whole gzip file",
                    f"{stored:,} bytes that end early or are damaged",
                    "Upload it again.",
                ) from fault
            if not chunk:
                return
            read += len(chunk)
            refuse_read(name, read, stored, caps)
            yield chunk


def _refuse_other_family(start: bytes, name: str, encoding: str) -> None:
    """UTF-16 read as something narrow, and the reverse, give texts that look like a bad joke."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    if not wide and start.startswith(_WIDE_MARKS):
        raise refused(
            name,
            _asked(encoding),
            "a file that begins as UTF-16 does",
            "Export it as UTF-8, or set dataset.encoding to utf-16.",
            offsets=[0],
        )
    if wide and start and b"\0" not in start and not start.startswith(_WIDE_MARKS):
        raise refused(
            name,
            _asked(encoding),
            "text of one byte a character",
            "Set dataset.encoding to utf-8, or export it as the plan says.",
            offsets=[0],
        )


def _wrong(path: Path, name: str, encoding: str, caps: Caps, offset: int) -> DataRejected:
    line = _line(path, name, encoding, caps, offset)
    if encoding in UTF8:
        got = f"another encoding (first seen in line {line}, byte {offset:,})"
        todo = "Export it as UTF-8, or set dataset.encoding, such as to cp1252 or latin-1."
    else:
        got = f"bytes that are none (first in line {line}, byte {offset:,})"
        todo = "Export it again, or correct dataset.encoding."
    return refused(name, _asked(encoding), got, todo, offsets=[offset])


def _nul(path: Path, name: str, encoding: str, caps: Caps, place: int) -> DataRejected:
    narrow = encoding in UTF8
    line = _line(path, name, encoding, caps, place) if narrow else 0
    where = f" in line {line}" if narrow else ""
    return refused(
        name,
        "text",
        f"a NUL byte{where}",
        "Export it as UTF-8 text; if it is UTF-16, set dataset.encoding to utf-16-le or utf-16-be.",
        offsets=[place] if narrow else [],
    )


def _line(path: Path, name: str, encoding: str, caps: Caps, offset: int) -> int:
    """Of a byte of the unpacked file, from 1."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    lines, read = 1, 0
    for chunk in _chunks(path, name, caps):
        lines += decoder.decode(chunk[: max(0, offset - read)]).count("\n")
        read += len(chunk)
        if read >= offset:
            break
    return lines


def _asked(encoding: str) -> str:
    return "UTF-8" if encoding in UTF8 else f"{encoding} (dataset.encoding)"
