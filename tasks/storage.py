"""The border to files: a local folder as a strongly consistent store of objects.

An object is a regular file, its generation the file's modification time in nanoseconds, set by us
to rise with every write. Writers take turns under a lock a name; readers need none, since a write
puts whole files in place. Reading never writes to the folder: a source may be read-only.
"""

import base64
import errno
import fcntl
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NoReturn

import google_crc32c

from schemas.faults import DataRejected, NightFailed, ObjectMissing, PlanError, StoreConflict
from schemas.store import ABSENT, ObjectRef, Store, name_fault, shown_name

CHUNK_BYTES = 1 << 20
SETTLED_NS = 2_000_000_000  # a file younger than this may change again within one clock tick
LITTER_S = 86_400.0  # a temporary file this old belongs to a killed process
_STEPS_NS = (1, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)  # clocks of file systems


def open_store(uri: str) -> Store:
    """The store at a folder path or `file://` URI; the folder need not exist before a write."""
    scheme, separator, rest = uri.partition("://")
    if separator and scheme != "file":
        raise PlanError(
            f"Expected the path of a local folder, got {uri!r}: this installation reads and "
            f"writes folders only. Copy the objects to a folder and name that."
        )
    if not uri or "\0" in uri:
        raise PlanError(f"Expected the path of a local folder, got {uri!r}.")
    return LocalStore(Path(rest if separator else uri).expanduser().absolute())


@dataclass(frozen=True)
class LocalStore:
    """The twin of a bucket: create-only and compare-and-swap writes under one folder."""

    root: Path

    @property
    def uri(self) -> str:
        return str(self.root)

    def list(self, prefix: str = "") -> Iterator[ObjectRef]:
        """Every object by name, but dotfiles; `ObjectMissing` where there is no folder at all."""
        if not self.root.is_dir():
            got = "a file" if self.root.exists() else "nothing there"
            raise ObjectMissing(
                f"Expected a folder of objects at {self.uri}, got {got}. Check the path, or create "
                f"the folder and put the objects in."
            )
        with _told("list", prefix or "the objects", self.uri):
            names = sorted(self._names(prefix))
        for name in names:
            with _told("list", name, self.uri):
                found = self._look(name)
            if found is not None:
                yield found

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        with _told("read", name, self.uri), self._open(name) as file:
            before = _generation(os.fstat(file.fileno()))
            content = file.read()
            if _generation(os.fstat(file.fileno())) != before:
                self._changed(name)
        if generation is not None and generation != before:
            self._changed(name)
        return content, before

    def download(self, ref: ObjectRef, to: Path) -> None:
        """Exactly the listed bytes, whatever the file's time says now: size and checksum tell."""
        with _told("download", ref.name, self.uri), self._open(ref.name) as source:
            to.parent.mkdir(parents=True, exist_ok=True)
            with _temporary(to.parent) as (part, sink):
                checksum, size = _copy(source, sink)
                if (checksum, size) != (ref.crc32c, ref.size):
                    self._changed(ref.name)
                _flush(sink)
                part.replace(to)

    @contextmanager
    def opened(self, ref: ObjectRef, scratch: Path) -> Iterator[Path]:
        """The file itself; its time tells a change, and where it moved the checksum does."""
        with _told("read", ref.name, self.uri), self._open(ref.name) as file:
            before = os.fstat(file.fileno())
            if _generation(before) != ref.generation and (
                _copy(file, None) != (ref.crc32c, ref.size)
            ):
                self._changed(ref.name)
        yield self._path(ref.name)
        with _told("read", ref.name, self.uri), self._open(ref.name) as file:
            after = os.fstat(file.fileno())
        if (after.st_mtime_ns, after.st_size) != (before.st_mtime_ns, before.st_size):
            self._changed(ref.name)

    def write(self, name: str, content: bytes, if_generation: int) -> int:
        with _told("write", name, self.uri), self._locked(name) as path:
            self._expect(name, path, if_generation)
            with _temporary(self._litter()) as (part, sink):
                sink.write(content)
                return self._place(part, sink, path, if_generation)

    def upload(self, path: Path, name: str) -> int:
        """Twice the same bytes is one object: a repeated upload after a crash succeeds."""
        with _told("upload", name, self.uri), self._locked(name) as target:
            present = self._look(name)
            with path.open("rb") as source, _temporary(self._litter()) as (part, sink):
                checksum, size = _copy(source, sink)
                if present is None:
                    return self._place(part, sink, target, ABSENT)
                if (present.crc32c, present.size) == (checksum, size):
                    return present.generation
        raise StoreConflict(
            f"Expected no object {shown_name(name)} in {self.uri}, or one of the same bytes; got "
            f"{present.size} other bytes. Objects are never overwritten: choose another name."
        )

    def delete(self, name: str, if_generation: int) -> None:
        with _told("delete", name, self.uri), self._locked(name) as path:
            if path.exists():
                self._expect(name, path, if_generation)
                path.unlink()
                _flush_folder(path.parent)

    def _names(self, prefix: str) -> Iterator[str]:
        parent = prefix.rpartition("/")[0]
        start = self._path(parent) if parent else self.root
        if not start.is_dir():
            return
        for folder, folders, files in os.walk(start, onerror=_unreadable):
            folders[:] = [inner for inner in folders if not inner.startswith(".")]
            for file in files:
                name = (Path(folder) / file).relative_to(self.root).as_posix()
                if not file.startswith(".") and name.startswith(prefix):
                    yield name

    def _look(self, name: str) -> ObjectRef | None:
        path = self.root / name
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            crc32c = _checksum(path, status)
        except FileNotFoundError:  # gone since the folder was read, or a dead link
            return None
        return ObjectRef(
            # A name of undecodable bytes: spelt out, so that the reader of the list refuses it.
            name=name.encode(errors="backslashreplace").decode(),
            generation=_generation(status),
            size=status.st_size,
            crc32c=crc32c,
        )

    def _path(self, name: str) -> Path:
        fault = name_fault(name)
        if fault:
            raise DataRejected(
                f"Expected a plain relative object name in {self.uri}, got one with {fault}: "
                f"{shown_name(name)!r}. Rename the object."
            )
        return self.root / name

    def _open(self, name: str) -> BinaryIO:
        path = self._path(name)
        try:
            if path.is_file():
                return path.open("rb")
        except FileNotFoundError:
            pass  # gone between the look and the opening
        raise ObjectMissing(
            f"Expected an object {shown_name(name)} in {self.uri}, got none. It was never written, "
            f"or it was removed: list the store again."
        )

    def _changed(self, name: str) -> NoReturn:
        raise ObjectMissing(
            f"Object {shown_name(name)} of {self.uri} changed while it was being read; expected "
            f"the bytes that were listed. Wait until its writer is done, then start again."
        )

    def _expect(self, name: str, path: Path, if_generation: int) -> None:
        got = _generation(path.stat()) if path.exists() else ABSENT
        if got != if_generation:
            raise StoreConflict(
                f"Expected generation {if_generation} of {shown_name(name)} in {self.uri}, got "
                f"{got} (0 = no object): somebody else wrote it first. Read it again and decide."
            )

    def _place(self, part: Path, sink: BinaryIO, path: Path, previous: int) -> int:
        """Whole or not at all. Creation links, so that even a file system without locks has one
        winner.
        """
        _flush(sink)
        generation = _stamp(part, previous)
        if previous == ABSENT:
            try:
                os.link(part, path)
            except FileExistsError:
                self._expect(path.relative_to(self.root).as_posix(), path, ABSENT)
                raise  # it came and went between the two looks
        else:
            part.replace(path)
        _flush_folder(path.parent)
        return generation

    def _litter(self) -> Path:
        """The folder of unfinished writes, rid of what killed processes left."""
        folder = self.root / ".unfinished"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            with suppress(FileNotFoundError):  # somebody else swept it
                if time.time() - old.stat().st_mtime > LITTER_S:
                    old.unlink()
        return folder

    @contextmanager
    def _locked(self, name: str) -> Iterator[Path]:
        """The object's path, its folder made; threads and processes of this host take turns."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        locks = self.root / ".locks"
        locks.mkdir(exist_ok=True)
        with (locks / hashlib.sha256(name.encode()).hexdigest()[:32]).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the close, a killed process's too
            yield path


def _generation(status: os.stat_result) -> int:
    return max(status.st_mtime_ns, 1)


def _stamp(path: Path, previous: int) -> int:
    """Sets a modification time above the previous one, however coarse the file system's clock."""
    for step in _STEPS_NS:
        wanted = max(time.time_ns(), previous + step)
        os.utime(path, ns=(wanted, wanted))
        got = _generation(path.stat())
        if got > previous:
            return got
    raise OSError(errno.EINVAL, "the file system keeps no modification times")


def _checksum(path: Path, status: os.stat_result) -> str:
    if time.time_ns() - status.st_mtime_ns < SETTLED_NS:
        return _checksum_of_file(path)
    return _known_checksum(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=65_536)
def _known_checksum(path: Path, _mtime_ns: int, _size: int) -> str:
    return _checksum_of_file(path)


def _checksum_of_file(path: Path) -> str:
    with path.open("rb") as source:
        return _copy(source, None)[0]


def _copy(source: BinaryIO, sink: BinaryIO | None) -> tuple[str, int]:
    """The crc32c (base64) and number of the bytes that went by."""
    crc, size = 0, 0
    while chunk := source.read(CHUNK_BYTES):
        crc = google_crc32c.extend(crc, chunk)
        size += len(chunk)
        if sink is not None:
            sink.write(chunk)
    return base64.b64encode(crc.to_bytes(4, "big")).decode(), size


@contextmanager
def _temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file that is gone after the block unless it was moved away."""
    path = folder / f".{uuid.uuid4().hex}.part"
    try:
        with path.open("xb") as sink:
            yield path, sink
    finally:
        path.unlink(missing_ok=True)


def _flush(sink: BinaryIO) -> None:
    sink.flush()
    os.fsync(sink.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unreadable(fault: OSError) -> NoReturn:
    """A folder that can't be listed is an error: its rows must not look as if they had vanished."""
    raise fault


@contextmanager
def _told(doing: str, name: str, uri: str) -> Iterator[None]:
    """Operating-system errors in our own words; what stood under the name still stands."""
    try:
        yield
    except OSError as fault:
        raise NightFailed(
            f"Could not {doing} {shown_name(name)} in {uri}: expected a readable, writable folder "
            f"with free space, got {fault.strerror or fault}. Nothing was changed; check "
            f"permissions and space, then start again."
        ) from fault
