"""A local folder as a strongly consistent store of objects.

An object is a regular file, its generation the file's modification time in nanoseconds, set by us
to rise with every write. Writers take turns under a lock a name; readers need none, since a write
puts whole files in place. Reading never writes to the folder: a source may be read-only.
"""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NoReturn

from schemas.faults import NightFailed, ObjectMissing
from schemas.store import ABSENT, ObjectRef, shown_name
from tasks.storage.files import (
    changed,
    copied,
    flush,
    flush_folder,
    missing,
    outrun,
    refuse_hostile,
    taken,
    temporary,
)
from tasks.storage.memory import Memory, Remembered

SETTLED_NS = 2_000_000_000  # a file younger than this may change again within one clock tick
LITTER_S = 86_400.0  # a temporary file this old belongs to a killed process
NOTHING: Mapping[str, Remembered] = MappingProxyType({})
_STEPS_NS = (1, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)  # clocks of file systems


@dataclass(frozen=True)
class LocalStore:
    """The twin of a bucket: create-only and compare-and-swap writes under one folder."""

    root: Path
    memory: Path | None = None

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
        memory = None if self.memory is None else Memory(self.memory, _spelt_out(self.uri))
        known = memory.recall(prefix) if memory else {}
        facts: dict[str, Remembered] = {}
        for name in names:
            with _told("list", name, self.uri):
                found = self._look(name, known, facts)
            if found is not None:
                yield found
        if memory and facts != known:
            memory.keep(prefix, facts)

    def contents(self, prefix: str = "") -> Iterator[tuple[ObjectRef, bytes]]:
        for ref in self.list(prefix):
            with suppress(ObjectMissing):  # removed or replaced just now
                yield ref, self.read(ref.name, ref.generation)[0]

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        with _told("read", name, self.uri), self._open(name) as file:
            before = _generation(os.fstat(file.fileno()))
            content = file.read()
            if _generation(os.fstat(file.fileno())) != before:
                raise changed(name, self.uri)
        if generation is not None and generation != before:
            raise changed(name, self.uri)
        return content, before

    def download(self, ref: ObjectRef, to: Path) -> None:
        """Exactly the listed bytes, whatever the file's time says now: size and checksum tell."""
        with _told("download", ref.name, self.uri), self._open(ref.name) as source:
            to.parent.mkdir(parents=True, exist_ok=True)
            with temporary(to.parent) as (part, sink):
                checksum, size = copied(source, sink)
                if (checksum, size) != (ref.crc32c, ref.size):
                    raise changed(ref.name, self.uri)
                flush(sink)
                part.replace(to)

    @contextmanager
    def opened(self, ref: ObjectRef, scratch: Path) -> Iterator[Path]:
        """The file itself. What a listing of this process has read of it is not read again."""
        mark = self._verified(ref)
        try:
            yield self._path(ref.name)
        except Exception:
            # Bytes that changed under a reader explain all that it met, and it may quote them.
            if self._moved(ref, mark):
                raise changed(ref.name, self.uri) from None
            raise
        if self._moved(ref, mark):
            raise changed(ref.name, self.uri)

    def write(self, name: str, content: bytes, if_generation: int) -> int:
        with _told("write", name, self.uri), self._locked(name) as path:
            self._expect(name, path, if_generation)
            with temporary(self._litter()) as (part, sink):
                sink.write(content)
                return self._place(part, sink, path, if_generation)

    def upload(self, path: Path, name: str) -> int:
        """Twice the same bytes is one object: a repeated upload after a crash succeeds."""
        with _told("upload", name, self.uri), self._locked(name) as target:
            present = self._look(name)
            with path.open("rb") as source, temporary(self._litter()) as (part, sink):
                checksum, size = copied(source, sink)
                if present is None:
                    return self._place(part, sink, target, ABSENT)
                if (present.crc32c, present.size) == (checksum, size):
                    return present.generation
        raise taken(name, self.uri, present.size)

    def delete(self, name: str, if_generation: int) -> None:
        with _told("delete", name, self.uri), self._locked(name) as path:
            if path.exists():
                self._expect(name, path, if_generation)
                path.unlink()
                flush_folder(path.parent)

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

    def _look(
        self,
        name: str,
        known: Mapping[str, Remembered] = NOTHING,
        facts: dict[str, Remembered] | None = None,  # what may be remembered is added
    ) -> ObjectRef | None:
        path = self.root / name
        shown = _spelt_out(name)  # so that the reader of the list refuses undecodable bytes
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            crc32c = _checksum(path, status, known.get(shown))
        except FileNotFoundError:  # gone since the folder was read, or a dead link
            return None
        if facts is not None and _settled(status):
            facts[shown] = Remembered(_mark(status), crc32c.encode())
        return ObjectRef(
            name=shown, generation=_generation(status), size=status.st_size, crc32c=crc32c
        )

    def _verified(self, ref: ObjectRef) -> str:
        """The file's identity; a modification time can be copied, so the bytes must be listed."""
        with _told("read", ref.name, self.uri), self._open(ref.name) as file:
            status = os.fstat(file.fileno())
            whole = status.st_size == ref.size
            if not whole or _checksum(self._path(ref.name), status, None) != ref.crc32c:
                raise changed(ref.name, self.uri)
        return _mark(status)

    def _moved(self, ref: ObjectRef, mark: str) -> bool:
        try:
            return self._verified(ref) != mark
        except ObjectMissing:
            return True

    def _path(self, name: str) -> Path:
        refuse_hostile(name, self.uri)
        return self.root / name

    def _open(self, name: str) -> BinaryIO:
        path = self._path(name)
        try:
            if path.is_file():
                return path.open("rb")
        except FileNotFoundError:
            pass  # gone between the look and the opening
        raise missing(name, self.uri)

    def _expect(self, name: str, path: Path, if_generation: int) -> None:
        got = _generation(path.stat()) if path.exists() else ABSENT
        if got != if_generation:
            raise outrun(name, self.uri, if_generation, got)

    def _place(self, part: Path, sink: BinaryIO, path: Path, previous: int) -> int:
        """Whole or not at all. Creation links, so that even a file system without locks has one
        winner.
        """
        flush(sink)
        generation = _stamp(part, previous)
        if previous == ABSENT:
            try:
                os.link(part, path)
            except FileExistsError:
                self._expect(path.relative_to(self.root).as_posix(), path, ABSENT)
                raise  # it came and went between the two looks
        else:
            part.replace(path)
        flush_folder(path.parent)
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


def _spelt_out(name: str) -> str:
    """Bytes that are no UTF-8 as escapes."""
    return name.encode(errors="backslashreplace").decode()


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


def _settled(status: os.stat_result) -> bool:
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) >= SETTLED_NS


def _mark(status: os.stat_result) -> str:
    """What no writer can keep while the bytes change: nobody can set the inode's own time."""
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return "-".join(map(str, (*identity, status.st_ctime_ns)))


def _checksum(path: Path, status: os.stat_result, remembered: Remembered | None) -> str:
    if not _settled(status):
        return _checksum_of_file(path)
    mark = _mark(status)
    if remembered is not None and remembered.mark == mark:
        return remembered.fact.decode()
    return _known_checksum(path, mark)


@lru_cache(maxsize=65_536)
def _known_checksum(path: Path, _mark: str) -> str:
    return _checksum_of_file(path)


def _checksum_of_file(path: Path) -> str:
    with path.open("rb") as source:
        return copied(source, None)[0]


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
