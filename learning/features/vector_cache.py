"""Vectors of texts on disk, for all workers: files that are whole or not there, bounded in size.

A text is known by a hash, no text is kept. A file is called by the sha256 of its bytes, so one
that was cut or changed is no file of ours: it is removed, and its texts are read again.
"""

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2_000_000_000
"""Of all files in one folder: 1.3 million vectors of 384 numbers; the longest unused go first."""

_KEY_BYTES = 16


def text_key(text: str) -> bytes:
    """What a text is known by."""
    body = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(body, digest_size=_KEY_BYTES).digest()


class VectorCache:
    """One folder: vectors of one encoder, read up to one length."""

    def __init__(self, folder: Path, dimension: int, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._kind = np.dtype([("key", np.uint8, _KEY_BYTES), ("vector", np.float32, dimension)])
        self._most_bytes = most_bytes

    def found(self, wanted: Mapping[bytes, int], into: NDArray[np.float32]) -> set[bytes]:
        """Those of the keys that are kept; their vectors stand in `into`, at the key's row."""
        seen: set[bytes] = set()
        for path in sorted(self._folder.glob("*.npy")):
            if (part := self._read(path)) is None:
                continue
            here = [
                (place, wanted[key])
                for place, key in enumerate(map(bytes, part["key"]))
                if key in wanted
            ]
            if here:
                places, rows = zip(*here, strict=True)
                into[list(rows)] = part["vector"][list(places)]
                seen.update(map(bytes, part["key"][list(places)]))
                _touch(path)
        return seen

    def keep(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Add a file of these."""
        part = np.zeros(len(keys), dtype=self._kind)
        part["key"] = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        part["vector"] = vectors
        stream = io.BytesIO()
        np.save(stream, part, allow_pickle=False)
        body = stream.getvalue()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{hashlib.sha256(body).hexdigest()}.npy"
        beside = path.with_suffix(f".{os.getpid()}.part")
        beside.write_bytes(body)
        beside.replace(path)
        self._make_room()

    def _read(self, path: Path) -> NDArray[np.void] | None:
        try:
            body = path.read_bytes()
        except FileNotFoundError:  # another worker made room
            return None
        if hashlib.sha256(body).hexdigest() != path.stem:
            path.unlink(missing_ok=True)
            return None
        part: NDArray[np.void] = np.load(io.BytesIO(body), allow_pickle=False)
        return part if part.dtype == self._kind else None

    def _make_room(self) -> None:
        told = sorted(filter(None, map(_told, self._folder.glob("*.npy"))), reverse=True)
        size = 0
        for _, own, path in told:
            size += own
            if size > self._most_bytes:
                path.unlink(missing_ok=True)


def _told(path: Path) -> tuple[int, int, Path] | None:
    """When it was last used, and its size."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return told.st_mtime_ns, told.st_size, path


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except FileNotFoundError:
        return
