"""One side of a night's rows: an index of which rows of which shards, and the way to read them.

The features stay in the shards; what assembly decided, and the labels, stand in the index.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from learning.arrays import Weights
from learning.rows.batches import batches, remove_damaged
from schemas.faults import NightFailed
from schemas.manifest import PLACE, ROW, WEIGHT
from schemas.strict import Strict

_TOLD = b"nightshift"


class Origin(Strict):
    """A shard of `shard_rows` rows, of which `rows` are on this side."""

    object_name: str
    path: str
    shard_rows: int
    rows: int


_ORIGINS = TypeAdapter(tuple[Origin, ...])


def write_side(index: pa.Table, origins: Sequence[Origin], path: Path) -> None:
    """The rows of each origin, one after the other; `__place` is a row's from 0 in its shard."""
    fields = [field.with_nullable(False) for field in index.schema]
    told = pa.schema(fields, {_TOLD: _ORIGINS.dump_json(tuple(origins))})
    # Neighbours are close: a few bits each, in a third of the time that a dictionary takes.
    whole = {f.name: "DELTA_BINARY_PACKED" for f in fields if pa.types.is_signed_integer(f.type)}
    pa_parquet.write_table(
        index.cast(told),
        path,
        use_dictionary=False,
        column_encoding=whole,
        compression="none",
        write_statistics=False,
        write_page_checksum=True,
    )


def read_side(path: str, columns: Sequence[str]) -> pa.Table:
    """These columns of all rows of the side, from its index where that has them, else from shards.

    Needs little more memory than what it gives.

    Raises
    ------
    NightFailed
        A file is gone or was damaged; the next start makes it again.
    """
    index, origins = _opened(path, [*columns, PLACE])
    far = [column for column in columns if column not in index.column_names]
    if not far:
        return index.select(list(columns))
    found = _taken(origins, index[PLACE].to_numpy(), far)
    whole = {name: (found if name in far else index)[name] for name in columns}
    return pa.table(whole)


def side_columns(path: str) -> frozenset[str]:
    """The columns that all shards of the side have.

    Raises
    ------
    NightFailed
        The index or a shard is gone.
    """
    _, origins = _opened(path, [])
    try:
        found = [{*pa_parquet.read_schema(each.path).names} for each in origins if each.rows]
    except (OSError, pa.ArrowException) as fault:
        raise NightFailed(
            f"Expected the shards of the rows of {path}, got one that is gone or damaged. Start "
            "the night again: it reads its objects anew."
        ) from fault
    return frozenset(set.intersection(*found)) if found else frozenset()


def side_weights(path: str) -> Weights | None:
    """How much each row counts; None where the plan names no weight."""
    index, _ = _opened(path, [WEIGHT])
    return index[WEIGHT].to_numpy() if WEIGHT in index.column_names else None


def row_references(path: str) -> Iterator[str]:
    """The place of each row, `object#row`."""
    numbers = read_side(path, [ROW])[ROW].to_numpy()
    _, origins = _opened(path, [])
    start = 0
    for origin in origins:
        for number in numbers[start : start + origin.rows].tolist():
            yield f"{origin.object_name}#{number}"
        start += origin.rows


def side_origins(path: str) -> tuple[int, tuple[Origin, ...]]:
    """How many rows the side has, and of which shards.

    Raises
    ------
    OSError, ArrowException, ValidationError
        There is no such file, or it is none of ours.
    """
    found = pa_parquet.read_metadata(path)
    return found.num_rows, _origins(found)


def _origins(found: pa_parquet.FileMetaData) -> tuple[Origin, ...]:
    return _ORIGINS.validate_json((found.metadata or {}).get(_TOLD, b""))


def _opened(path: str, columns: Sequence[str]) -> tuple[pa.Table, tuple[Origin, ...]]:
    """As many of these columns as the index has, and where its rows are from."""
    try:
        with pa_parquet.ParquetFile(path, page_checksum_verification=True) as file:
            origins = _origins(file.metadata)
            own = [name for name in file.schema_arrow.names if name in columns]
            index = file.read(columns=own)
    except (OSError, pa.ArrowException, ValidationError) as fault:
        if not isinstance(fault, ValidationError):
            remove_damaged(Path(path), fault)
        raise NightFailed(
            f"Expected the index of a night's rows in {path}, got one that is gone or damaged. "
            "Start the night again: it makes the index anew."
        ) from fault
    return index, origins


def _taken(
    origins: Sequence[Origin], places: NDArray[np.integer], columns: Sequence[str]
) -> pa.Table:
    found: list[pa.Table] = []
    start = 0
    for origin in origins:
        wanted = places[start : start + origin.rows]
        start += origin.rows
        if origin.rows:
            found.append(pa.Table.from_batches(list(_wanted(origin, wanted, columns))))
    if len(found) == 1:
        return found[0]
    # Texts may be stored in several ways; the widest holds all.
    return pa.concat_tables(found, promote_options="permissive")


def _wanted(
    origin: Origin, places: NDArray[np.integer], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in batches(origin.path, columns, origin.shard_rows, origin.object_name):
        start, end = np.searchsorted(places, [first, first + len(batch)])
        if end - start == len(batch):
            yield batch
        elif end > start:
            yield batch.take(pa.array(places[start:end] - first))
        first += len(batch)
