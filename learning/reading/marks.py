"""Hashes that name a row or its group for ever: the same in every process and release."""

import hashlib
import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.arrays import Keys
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Dataset,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.manifest import KEY

SEPARATOR = "\x1f"
"""Between the cells of one row where they are hashed together; no text holds it by accident."""


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


def group_keys(
    frame: pd.DataFrame,  # raw rows: features, and `__key` as text where the plan names a key
    dataset: Dataset,
) -> Keys:
    """A hash of the key, else of the normalised texts, else of all feature cells.

    The same in every process and for ever: which side of the holdout a row is on hangs on it.
    """
    if dataset.key is not None:
        return hashes(text.encode() for text in frame[KEY])
    written = [name for name, column in dataset.columns.items() if isinstance(column, TextColumn)]
    if written:
        rows = zip(*(_filled(frame[name]) for name in written), strict=True)
        return hashes(SEPARATOR.join(map(normal_text, row)).encode() for row in rows)
    return hashes(_cell_bytes(frame, dataset))


def normal_text(text: str) -> str:
    """What two texts have in common that a person calls the same.

    >>> normal_text("  So   GOOD ")
    'so good'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _cell_bytes(frame: pd.DataFrame, dataset: Dataset) -> Iterator[bytes]:
    """All cells of a row: those of a fixed width, by role, and then the levels."""
    columns = dataset.columns.items()
    named = [name for name, column in columns if isinstance(column, CategoryColumn)]
    words = zip(*(_filled(frame[name]) for name in named), strict=True)
    rows = words if named else itertools.repeat(())
    for fixed, levels in zip(_fixed_bytes(frame, dataset), rows, strict=False):
        yield fixed.tobytes() + SEPARATOR.join(levels).encode()


def _fixed_bytes(frame: pd.DataFrame, dataset: Dataset) -> NDArray[np.uint8]:
    """(rows, bytes). Numbers stand first, as they did before there were the other roles."""
    numbers: list[NDArray[Any]] = []
    others: list[NDArray[Any]] = []
    for name, column in dataset.columns.items():
        match column:
            case NumberColumn():
                numbers.append(_floats(frame[name]))
            case BooleanColumn():
                others.append(_floats(frame[name]))
            case TimeColumn():
                others.append(_moments(frame[name]))
            case EmbeddingColumn(dimension=dimension):
                others.append(_vectors(frame[name], dimension))
            case TextColumn() | CategoryColumn():
                pass
            case _:
                assert_never(column)
    nothing = np.empty((len(frame), 0), dtype=np.uint8)
    return np.hstack([nothing, *(part.view(np.uint8) for part in (*numbers, *others))])


def _floats(cells: "pd.Series[float]") -> NDArray[Any]:
    figures = cells.to_numpy(dtype="<f8") + 0.0  # -0.0 is 0.0
    figures[np.isnan(figures)] = np.nan  # one NaN of the many
    return figures.reshape(-1, 1)


def _moments(cells: "pd.Series[pd.Timestamp]") -> NDArray[np.int64]:
    naive = cells.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    return naive.astype("<i8").reshape(-1, 1)


def _vectors(cells: "pd.Series[Any]", dimension: int) -> NDArray[np.float32]:
    rows = np.array([np.zeros(dimension), *cells], dtype="<f4")[1:]  # also where there are none
    return rows + np.float32(0)


def _filled(cells: "pd.Series[str]") -> "pd.Series[str]":
    return cells.astype(object).where(cells.notna(), "")
