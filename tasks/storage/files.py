"""Whole files or none: checksums of what goes by, temporary files, and what reached the disk."""

import base64
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from schemas.faults import DataRejected, ObjectMissing, StoreConflict
from schemas.store import name_fault, shown_name

CHUNK_BYTES = 1 << 20


class Passage:
    """A file being written, with the crc32c (base64) and number of the bytes that went by."""

    def __init__(self, sink: BinaryIO | None = None) -> None:
        self._sink, self._crc, self.size = sink, 0, 0

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc.to_bytes(4, "big")).decode()

    def write(self, chunk: bytes) -> int:
        if self._sink is not None:
            self._sink.write(chunk)
        self._crc = google_crc32c.extend(self._crc, chunk)
        self.size += len(chunk)
        return len(chunk)


def copied(source: BinaryIO, sink: BinaryIO | None) -> tuple[str, int]:
    """The crc32c (base64) and number of the bytes that went by."""
    passage = Passage(sink)
    while chunk := source.read(CHUNK_BYTES):
        passage.write(chunk)
    return passage.crc32c, passage.size


@contextmanager
def temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file that is gone after the block unless it was moved away."""
    path = folder / f".{uuid.uuid4().hex}.part"
    try:
        with path.open("xb") as sink:
            yield path, sink
    finally:
        path.unlink(missing_ok=True)


def flush(sink: BinaryIO) -> None:
    """On the disk, not only on its way."""
    sink.flush()
    os.fsync(sink.fileno())


def flush_folder(folder: Path) -> None:
    """The names in it too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_hostile(name: str, uri: str) -> None:
    """Producers choose names; some would lead out of the store or deceive a reader."""
    fault = name_fault(name)
    if fault:
        raise DataRejected(
            f"Expected a plain relative object name in {uri}, got one with {fault}: "
            f"{shown_name(name)!r}. Rename the object."
        )


def missing(name: str, uri: str) -> ObjectMissing:
    """Nothing is there."""
    return ObjectMissing(
        f"Expected an object {shown_name(name)} in {uri}, got none. It was never written, or it "
        f"was removed: list the store again."
    )


def changed(name: str, uri: str) -> ObjectMissing:
    """Something else is there than what was listed."""
    return ObjectMissing(
        f"Object {shown_name(name)} of {uri} changed while it was being read; expected the bytes "
        f"that were listed. Wait until its writer is done, then start again."
    )


def outrun(name: str, uri: str, expected: int, got: int) -> StoreConflict:
    """A precondition did not hold."""
    return StoreConflict(
        f"Expected generation {expected} of {shown_name(name)} in {uri}, got {got} (0 = no "
        f"object): somebody else wrote it first. Read it again and decide."
    )


def taken(name: str, uri: str, size: int) -> StoreConflict:
    """A name is not ours to overwrite."""
    return StoreConflict(
        f"Expected no object {shown_name(name)} in {uri}, or one of the same bytes; got {size} "
        f"other bytes. Objects are never overwritten: choose another name."
    )
