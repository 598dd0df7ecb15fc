"""The border to files: one small interface over a local folder or a bucket.

Names are relative, with `/` between parts. A generation is a positive integer that changes with
every write of a name; 0 stands for "no such object", as in Cloud Storage's preconditions.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from schemas.strict import Strict

ABSENT = 0


class ObjectRef(Strict):
    """One object as it was when listed: what it is called and exactly which bytes it holds.

    `crc32c` is base64 of the big-endian checksum, as Cloud Storage writes it.
    """

    name: str
    generation: int
    size: int
    crc32c: str


class Store(Protocol):
    """Strongly consistent objects under one prefix."""

    @property
    def uri(self) -> str:
        """Where this store is, for messages; without secrets."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectRef]:
        """Every object whose name starts with the prefix, by name; nothing if there is none."""
        ...

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """The bytes and the generation they have; `ObjectMissing` if that generation is gone."""
        ...

    def download(self, ref: ObjectRef, to: Path) -> None:
        """Exactly the listed bytes, checked, in place at once; `ObjectMissing` if they changed."""
        ...

    def write(self, name: str, content: bytes, if_generation: int) -> int:
        """Create (`if_generation=ABSENT`) or replace; the new generation, or `StoreConflict`."""
        ...

    def upload(self, path: Path, name: str) -> int:
        """Create an object from a file; `StoreConflict` if the name is taken by other bytes."""
        ...

    def delete(self, name: str, if_generation: int) -> None:
        """Remove that generation; gone already is fine, another one is a `StoreConflict`."""
        ...
