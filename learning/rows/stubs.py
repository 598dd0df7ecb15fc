"""What is left of rows without their features: as much as cleaning and splitting ask for."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from learning.arrays import Instants, Keys, LabelTable, Mask, Weights
from learning.rows.batches import batches
from schemas.manifest import BLANK, CELLS, KEY, ROW, TIME, WEIGHT, Shard, label_columns

_Kind = TypeVar("_Kind", bound=np.generic)

_READERS = 4
"""Shards that are read at once: more wait for the disk, and few need much memory."""

_FIELDS = {
    KEY: ("keys", np.uint64),
    CELLS: ("cells", np.uint64),
    BLANK: ("blank", np.bool_),
    ROW: ("numbers", np.int64),
    TIME: ("times", np.int64),
    WEIGHT: ("weights", np.float64),
}
"""The columns of ours that a stub may hold beside its labels."""


@dataclass(frozen=True)
class Stubs:
    """Rows in the order of their objects, an entry of each array a row; None: not asked for.

    `places` count from 0 over all rows of all objects; None where not one is left out.
    """

    labels: LabelTable
    keys: Keys
    places: NDArray[np.int64] | None = None
    cells: Keys | None = None
    blank: Mask | None = None
    numbers: NDArray[np.int64] | None = None
    times: Instants | None = None
    weights: Weights | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, mask: Mask) -> "Stubs":
        """The rows that are meant."""
        rows = np.flatnonzero(mask)  # their numbers are looked up five times as fast as the mask
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen = {name: each[rows] for name, each in arrays.items() if each is not None}
        return replace(self, **{"places": rows} | chosen)


def asked_for(array: NDArray[_Kind] | None) -> NDArray[_Kind]:
    """An array of stubs that were read with its column."""
    if array is None:
        raise ValueError("these stubs were read without the column that is asked for")
    return array


def read_stubs(
    shards: Sequence[Shard],
    targets: int,
    asked: Sequence[str],  # of our columns, beside labels and keys
) -> Stubs:
    """All rows of these shards.

    Raises
    ------
    NightFailed
        A shard is gone or was damaged.
    """
    rows = sum(shard.rows for shard in shards)
    labels = np.empty((rows, targets), dtype=np.int16)
    columns: dict[str, NDArray[Any]] = dict(zip(label_columns(targets), labels.T, strict=True))
    columns |= {name: np.empty(rows, dtype=_FIELDS[name][1]) for name in (KEY, *asked)}
    starts = accumulate((shard.rows for shard in shards), initial=0)
    with ThreadPoolExecutor(_READERS) as readers:  # what they call leaves the interpreter free
        for _ in readers.map(partial(_read_into, columns), shards, starts):
            pass
    arrays = {_FIELDS[name][0]: columns[name] for name in (KEY, *asked)}
    if TIME in asked:
        arrays["times"] = arrays["times"].view("datetime64[us]")
    return Stubs(labels=labels, **arrays)


def _read_into(columns: dict[str, NDArray[Any]], shard: Shard, start: int) -> None:
    for batch in batches(shard.path, list(columns), shard.rows, shard.object_name):
        for name, into in columns.items():
            into[start : start + len(batch)] = _plain(batch[name])
        start += len(batch)


def reference_of(shards: Sequence[Shard]) -> Callable[[int, int], str]:
    """`object#row` of a row by its place over all objects and its number in its own."""
    ends = np.cumsum([shard.rows for shard in shards])

    def reference(place: int, number: int) -> str:
        return f"{shards[int(np.searchsorted(ends, place, 'right'))].object_name}#{number}"

    return reference


def _plain(cells: pa.Array) -> NDArray[Any]:
    times = pa.types.is_timestamp(cells.type)
    found: NDArray[Any] = (cells.cast(pa.int64()) if times else cells).to_numpy(
        zero_copy_only=False
    )
    return found
