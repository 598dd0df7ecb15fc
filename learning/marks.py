"""Hashes that name a row or its group for ever: the same in every process and release."""

import hashlib
from collections.abc import Iterable

import numpy as np

from learning.arrays import Keys


def hashes(cells: Iterable[bytes]) -> Keys:
    """Eight bytes of BLAKE2b a cell, as unsigned integers."""
    # One microsecond a row; pandas' own hash is faster and promises nothing across versions.
    joined = b"".join(hashlib.blake2b(cell, digest_size=8).digest() for cell in cells)
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64)


def row_marks(references: Iterable[str]) -> Keys:
    """A hash of each row's place, `object#row`; never equal to a group's key but by chance.

    It tells a row again after the plan's key or columns changed, when group keys no longer can.
    """
    return hashes(b"row\x00" + reference.encode() for reference in references)
