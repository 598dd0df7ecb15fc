"""Hashes that name a row or its group for ever: the same in every process and release."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any, assert_never

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from learning.arrays import Keys
from learning.reading.mixing import absorb, arrow_texts, float_words, seeded, text_words
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    Dataset,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.manifest import KEY

_BLANKS = r"[\t-\r\x1c-\x1f ]+"
"""Runs of what `str.split` takes for blank, of ASCII."""


def row_marks(references: Iterable[str]) -> Keys:
    """A hash of each row's place, `object#row`; never equal to a group's key but by chance.

    It tells a row again after the plan's key or columns changed, when group keys no longer can.
    Kept models hold these very hashes, so they never change.
    """
    cells = (b"row\x00" + reference.encode() for reference in references)
    digests = (hashlib.blake2b(cell, digest_size=8).digest() for cell in cells)
    return np.fromiter((int.from_bytes(each, "little") for each in digests), dtype=np.uint64)


def group_keys(
    frame: pd.DataFrame,  # raw rows: features, and `__key` as text where the plan names a key
    dataset: Dataset,
    cells: Keys | None = None,  # the frame's `cell_hashes`, where they are known already
) -> Keys:
    """A hash of the key, else of the normalised texts, else of all feature cells.

    The same in every process and for ever: which side of the holdout a row is on hangs on it.
    """
    if dataset.key is not None:
        keys = seeded("key", len(frame))
        absorb(keys, text_words(frame[KEY]))
        return keys
    written = [name for name, column in dataset.columns.items() if isinstance(column, TextColumn)]
    if not written:
        return cell_hashes(frame, dataset) if cells is None else cells
    keys = seeded("texts", len(frame))
    for name in written:
        absorb(keys, text_words(_normal_texts(arrow_texts(frame[name]))))
    return keys


def cell_hashes(
    frame: pd.DataFrame,  # raw rows: features, typed
    dataset: Dataset,
) -> Keys:
    """A hash of all feature cells, in the plan's order: equal cells have equal hashes, and others
    have others but by chance. A missing text or level is as an empty one, and -0.0 is 0.0.
    """
    state = seeded("cells", len(frame))
    for name, column in dataset.columns.items():
        _absorb_cells(state, frame[name], column)
    return state


def normal_text(text: str) -> str:
    """What two texts have in common that a person calls the same.

    >>> normal_text("  So   GOOD ")
    'so good'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _absorb_cells(state: Keys, cells: "pd.Series[Any]", column: Column) -> None:
    match column:
        case NumberColumn() | BooleanColumn():
            absorb(state, float_words(cells.to_numpy(dtype=np.float64)))
        case TimeColumn():
            naive = cells.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
            absorb(state, naive.view(np.uint64))
        case TextColumn() | CategoryColumn():
            absorb(state, text_words(cells))
        case EmbeddingColumn(dimension=dimension):
            for numbers in _vectors(cells, dimension):
                absorb(state, numbers)
        case _:
            assert_never(column)


def _vectors(cells: "pd.Series[Any]", dimension: int) -> Keys:
    """(words, rows) two numbers a word, the last one perhaps beside a zero."""
    vectors = np.zeros((len(cells), dimension + dimension % 2), dtype="<f4")
    if len(cells):
        vectors[:, :dimension] = np.stack(cells.to_list())
    vectors += np.float32(0)  # -0.0 is 0.0
    return vectors.view("<u8").T


def _normal_texts(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """`normal_text` of each; of ASCII by whole columns, since that has no other forms."""
    return pa.chunked_array([_normal_chunk(chunk) for chunk in texts.chunks], pa.large_string())


def _normal_chunk(chunk: pa.Array) -> pa.Array:
    texts = pc.fill_null(chunk.cast(pa.large_string()), "")
    plain = pc.string_is_ascii(texts)
    squeezed = pc.replace_substring_regex(pc.ascii_lower(texts), _BLANKS, " ")
    normal = pc.ascii_trim(squeezed, " ")
    others = pc.invert(plain)
    written = [normal_text(text) for text in texts.filter(others).to_pylist()]
    return pc.replace_with_mask(normal, others, pa.array(written, pa.large_string()))
