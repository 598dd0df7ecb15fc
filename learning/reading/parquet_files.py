"""Parquet becomes tables as stored, as many rows at once as memory can hold of them.

The footer tells bytes as they are coded: a few of them may stand for any number of rows. What a
column takes as values is estimated from its number of cells before any is read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet
import pyarrow.types as pt

from learning.reading.caps import refuse_long_cells, refuse_read, refuse_rows
from learning.reading.csv_files import refuse_repeated
from learning.reading.refusals import refused
from learning.reading.texts import refuse_strange
from schemas.dataset import Caps
from schemas.faults import DataRejected

BATCH_BYTES = 64 * 2**20
MOST_ROWS = 2**18
"""What is read together: so many bytes, and no more rows."""

BUFFER = 2**18
"""Bytes of each column that are fetched together; no row group is in memory as a whole."""

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 8, "BYTE_ARRAY": 4}
"""Bytes of a value in memory; of texts that of a code, since they are read as a dictionary."""


def parquet_schema(path: Path, name: str) -> pa.Schema:
    """Of columns that differ in name; the file has a row."""
    with path.open("rb") as start:
        refuse_strange(start.read(2**16), name)
    try:
        with pa_parquet.ParquetFile(path) as file:
            schema: pa.Schema = file.schema_arrow
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as fault:
        raise _unreadable(path, name) from fault
    refuse_repeated(schema.names, name)
    if not rows:
        raise refused(name, "rows", "a header and no rows", "Add rows, or remove it.")
    return schema


def parquet_tables(path: Path, name: str, columns: Sequence[str], caps: Caps) -> Iterator[pa.Table]:
    """In the order of rows. Texts are plain in the tables, or dictionaries.

    Raises
    ------
    DataRejected
        The file is damaged, or more comes of it than the plan allows.
    """
    stored, done = path.stat().st_size, 0
    try:
        with _opened(path) as file:
            refuse_rows(name, file.metadata.num_rows, caps)
            read = _least_bytes(file, columns)
            refuse_read(name, read, stored, caps)
            rows = _rows_at_once(file, columns)
            for batch in file.iter_batches(rows, columns=list(columns)):
                batch.validate(full=True)
                texts = sum(map(_text_bytes, batch.columns))
                read += texts
                refuse_read(name, read, stored, caps)
                table = pa.Table.from_batches([batch]).select(list(columns))
                refuse_long_cells(table, done, name, caps)
                for start in range(0, len(table), step := _step(len(table), texts)):
                    yield table.slice(start, step)
                done += len(table)
    except (pa.ArrowException, OSError) as fault:
        raise _unreadable(path, name) from fault


def _opened(path: Path) -> pa_parquet.ParquetFile:
    schema = pa_parquet.read_schema(path)
    texts = [field.name for field in schema if _is_bytes(field.type)]
    # Not mapped: a producer who writes the file anew meanwhile would end us by SIGBUS.
    return pa_parquet.ParquetFile(
        path, read_dictionary=texts, buffer_size=BUFFER, page_checksum_verification=True
    )


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_dictionary(kind))


def _leaves(file: pa_parquet.ParquetFile, columns: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Row group, its rows, and the bytes that the values of one of these columns take there."""
    for group in range(file.metadata.num_row_groups):
        found = file.metadata.row_group(group)
        for place in range(found.num_columns):
            leaf = found.column(place)
            path = leaf.path_in_schema
            if any(path == each or path.startswith(f"{each}.") for each in columns):
                width = _WIDTHS.get(leaf.physical_type, 8)
                coded = leaf.total_uncompressed_size if leaf.physical_type == "BYTE_ARRAY" else 0
                yield group, found.num_rows, leaf.num_values * width + coded


def _least_bytes(file: pa_parquet.ParquetFile, columns: Sequence[str]) -> int:
    return sum(size for _, _, size in _leaves(file, columns))


def _rows_at_once(file: pa_parquet.ParquetFile, columns: Sequence[str]) -> int:
    """By the row group with the widest rows."""
    widths: dict[int, float] = {}
    for group, rows, size in _leaves(file, columns):
        widths[group] = widths.get(group, 0) + size / max(rows, 1)
    return max(1, min(MOST_ROWS, int(BATCH_BYTES / max([1, *widths.values()]))))


def _step(rows: int, size: int) -> int:
    """Rows that are made plain together, of so many that take so many bytes."""
    return max(1, rows * BATCH_BYTES // max(size, BATCH_BYTES))


def _text_bytes(column: pa.Array) -> int:
    """What its texts take when each cell has its own, beyond the dictionary that they came as."""
    if not pt.is_dictionary(column.type):
        return 0
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return int(pc.sum(lengths.cast(pa.int64())).as_py() or 0)


def _unreadable(path: Path, name: str) -> DataRejected:
    return refused(
        name,
        "a Parquet file",
        f"{path.stat().st_size:,} bytes that can't be read as one",
        "Export it again.",
    )
