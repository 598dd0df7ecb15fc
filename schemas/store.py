"""The border to files: one small interface over a local folder or a bucket.

Names are relative, with `/` between parts. A generation is a positive integer that changes with
every write of a name; 0 stands for "no such object", as in Cloud Storage's preconditions.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from schemas.strict import Strict

ABSENT = 0
LONGEST_NAME = 1024
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, bidi and zero-width, line breaks


def name_fault(name: str) -> str:
    """What is wrong with an object's name, or nothing; producers choose names, so none is trusted.

    >>> name_fault("2026/11/day.csv"), name_fault("../secret")
    ('', "a part that starts with '.'")
    """
    inside = f"/{name}/"
    if "//" in inside:
        return "nothing between two '/'"
    if "/." in inside:
        return "a part that starts with '.'"
    if "\\" in name:
        return "a backslash"
    if _hides(name):
        return "a control or direction character"
    if len(name.encode(errors="replace")) > LONGEST_NAME:
        return f"more than {LONGEST_NAME} bytes"
    return ""


def shown_name(name: str) -> str:
    """The name for messages: characters that could hide or reorder text are escaped."""
    if not _hides(name):
        return name
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNSEEN else c
        for c in name
    )


def _hides(name: str) -> bool:
    """What is printable hides nothing, and that is told at once: sources hold many names."""
    return not name.isprintable() and any(unicodedata.category(c) in _UNSEEN for c in name)


class ObjectRef(Strict):
    """One object as it was when listed: what it is called and exactly which bytes it holds.

    `crc32c` is base64 of the big-endian checksum, as Cloud Storage writes it. `content_encoding`
    is what a bucket says of it: anything but nothing or `identity` is refused where it is read,
    since what a download gives is then not what is stored.
    """

    name: str
    generation: int
    size: int
    crc32c: str
    content_encoding: str = ""


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

    def contents(self, prefix: str = "") -> Iterator[tuple[ObjectRef, bytes]]:
        """All small objects of a prefix, by name; one that is gone meanwhile is left out."""
        ...

    def download(self, ref: ObjectRef, to: Path) -> None:
        """Exactly the listed bytes, checked, in place at once; `ObjectMissing` if they changed."""
        ...

    def opened(self, ref: ObjectRef, scratch: Path) -> AbstractContextManager[Path]:
        """Where exactly the listed bytes can be read while the block lasts, without a copy where
        there is no need; the path may be read-only. `ObjectMissing` if they change, if need be
        at the end of the block: what was read is to be thrown away then.
        """
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
