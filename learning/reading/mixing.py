"""Sixty-four bits of columns of cells, by whole columns: the same on every machine and for ever.

No library's own hash: none promises its values to the next version. Not for secrets: who chooses
cells on purpose can make two of them collide.
"""

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.arrays import Keys

BLOCK = 1 << 15
"""Rows at a time: what they need stays in a core's cache."""

LONG = 256
"""Bytes from which a text is hashed by BLAKE2b: a microsecond, less than its words would take."""

# splitmix64 (Steele, Lea and Flood 2014): the odd increment, and Stafford's variant 13 finaliser.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def seeded(name: str, rows: int) -> Keys:
    """(rows,) states to absorb words into; other names give independent hashes."""
    return np.full(rows, seed(name), dtype=np.uint64)


def seed(name: str) -> np.uint64:
    """Eight bytes of BLAKE2b of a name."""
    return np.uint64(
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    )


def absorb(state: Keys, words: Keys) -> None:
    """Mix one word into each state, in place: other words give another state, certainly."""
    for start in range(0, len(state), BLOCK):
        block = state[start : start + BLOCK]
        block ^= words[start : start + BLOCK]
        _mix(block)


def mixed(words: Keys, salt: str) -> Keys:
    """A permutation of all words: other salts give independent orders."""
    state = words ^ seed(salt)
    for start in range(0, len(state), BLOCK):
        _mix(state[start : start + BLOCK])
    return state


def float_words(cells: NDArray[Any]) -> Keys:
    """The bits of float64 numbers, of which -0.0 is 0.0 and every NaN the same."""
    figures = cells.astype("<f8") + 0.0
    np.copyto(figures, np.nan, where=np.isnan(figures))
    return figures.view("<u8").astype(np.uint64, copy=False)


def text_words(cells: "pd.Series[Any] | pa.Array | pa.ChunkedArray") -> Keys:
    """A hash of each text's UTF-8 bytes; a missing one is as an empty one."""
    texts = arrow_texts(cells)
    found = [_chunk_words(chunk) for chunk in texts.chunks]
    return np.concatenate(found) if found else np.empty(0, dtype=np.uint64)


def arrow_texts(cells: "pd.Series[Any] | pa.Array | pa.ChunkedArray") -> pa.ChunkedArray:
    """Texts as Arrow holds them, plain or as a dictionary; without a copy where it can be."""
    if isinstance(cells, pd.Series):
        plain = cells.dtype == object
        cells = pa.array(cells, pa.large_string() if plain else None, from_pandas=True)
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _chunk_words(chunk: pa.Array) -> Keys:
    if pa.types.is_dictionary(chunk.type):
        levels = np.append(_chunk_words(chunk.dictionary), _chunk_words(pa.array([""])))
        codes = pc.fill_null(chunk.indices.cast(pa.int64()), len(levels) - 1)
        words: Keys = levels[codes.to_numpy()]
        return words
    texts = pc.fill_null(chunk, "").cast(pa.large_string())
    state = np.empty(len(texts), dtype=np.uint64)
    for start in range(0, len(texts), BLOCK):
        block = texts.slice(start, BLOCK)
        state[start : start + BLOCK] = _block_words(block)
    return state


def _block_words(texts: pa.Array) -> Keys:
    """Eight bytes at a time, the last ones filled up with zeros; the length comes first."""
    _, places, content = texts.buffers()
    ends = np.frombuffer(places, "<i8", len(texts) + 1, 8 * texts.offset)
    size = int(ends[-1] - ends[0])
    taken = np.zeros(size + 8, dtype=np.uint8)  # so that the last eight bytes can be read
    if size:
        taken[:size] = np.frombuffer(content, np.uint8, size, int(ends[0]))
    lengths, starts = np.diff(ends), ends[:-1] - ends[0]
    state = seeded("text", len(texts))
    absorb(state, lengths.astype(np.uint64))
    _absorb_short(state, taken, starts, np.where(lengths < LONG, lengths, 0))
    for row in np.flatnonzero(lengths >= LONG):
        state[row] ^= _digest(taken[starts[row] : starts[row] + lengths[row]].tobytes())
    return state


def _absorb_short(
    state: Keys, taken: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> None:
    # Every eight bytes of the block, wherever they begin: a view, nothing is copied.
    eights = np.ndarray((len(taken) - 7,), "<u8", taken, strides=(1,))
    rows, place = np.flatnonzero(lengths > 0), 0
    while len(rows):
        left = np.minimum(lengths[rows] - place, 8).astype(np.uint64)
        words = eights[starts[rows] + place].astype(np.uint64, copy=False)
        words &= np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - np.uint64(8) * left)
        words ^= state[rows]
        _mix(words)
        state[rows] = words
        place += 8
        rows = rows[lengths[rows] > place]


def _digest(content: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little"))


def _mix(state: Keys) -> None:
    """In place. Unsigned arithmetic wraps, as the algorithm wants."""
    first, second, third = _SHIFTS
    state += _INCREMENT
    state ^= state >> first
    state *= _FIRST
    state ^= state >> second
    state *= _SECOND
    state ^= state >> third
