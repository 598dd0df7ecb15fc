"""What a store need not read twice: a small file of facts that can be lost at any time."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FILE = "remembered.db"
_LONGEST_WAIT_S = 5.0  # for another process that writes; then we read the object itself
_LAST = "\U0010ffff"  # sorts behind whatever follows a prefix


@dataclass(frozen=True)
class Remembered:
    """`fact` holds as long as the object is exactly `mark`: a generation, or a file's identity."""

    mark: str
    fact: bytes


@dataclass(frozen=True)
class Memory:
    """Facts by object name, of one store. A file that is damaged or locked is none."""

    folder: Path
    place: str

    def recall(self, prefix: str = "") -> dict[str, Remembered]:
        found = {}
        with suppress(sqlite3.Error, OSError), self._opened() as file:
            rows = file.execute(
                "SELECT name, mark, fact FROM facts WHERE place = ? AND name >= ? AND name <= ?",
                (self.place, prefix, prefix + _LAST),
            )
            found = {name: Remembered(mark, bytes(fact)) for name, mark, fact in rows}
        return found

    def keep(self, prefix: str, facts: Mapping[str, Remembered]) -> None:
        """In the place of everything that was remembered below the prefix."""
        try:
            self._replace(prefix, facts)
        except (sqlite3.DatabaseError, OSError) as fault:
            if isinstance(fault, sqlite3.OperationalError):
                return  # locked, or no space: the next one remembers
            with suppress(sqlite3.Error, OSError):
                (self.folder / FILE).unlink(missing_ok=True)  # damaged: start anew
                self._replace(prefix, facts)

    def _replace(self, prefix: str, facts: Mapping[str, Remembered]) -> None:
        rows = [(self.place, name, kept.mark, kept.fact) for name, kept in facts.items()]
        self.folder.mkdir(mode=0o700, exist_ok=True)  # never its parents: looking makes no home
        with self._opened() as file:
            file.execute(
                "DELETE FROM facts WHERE place = ? AND name >= ? AND name <= ?",
                (self.place, prefix, prefix + _LAST),
            )
            file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.folder / FILE, timeout=_LONGEST_WAIT_S)) as file, file:
            file.execute("PRAGMA synchronous = OFF")  # it may be lost
            file.execute(
                "CREATE TABLE IF NOT EXISTS facts (place TEXT, name TEXT, mark TEXT, fact BLOB, "
                "PRIMARY KEY (place, name)) WITHOUT ROWID"
            )
            yield file
