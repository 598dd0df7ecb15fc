"""Columns of a shard, a batch at a time and checked while they are read.

A shard that was damaged or removed since it was found is a failed night that heals: what is left of
it goes, so that the next start reads its object again.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from schemas.faults import NightFailed

BATCH = 1 << 17
"""Rows of a batch: enough to be quick, few enough to be small beside what is asked for."""


def batches(
    path: str,
    columns: Sequence[str],
    rows: int,  # as many as the shard must have
    object_name: str,  # for messages
) -> Iterator[pa.RecordBatch]:
    """These columns of all rows, in order.

    Raises
    ------
    NightFailed
        The shard can't be read, or is not the one that was found.
    """
    try:
        with pa_parquet.ParquetFile(path, page_checksum_verification=True) as shard:
            if shard.metadata.num_rows != rows or {*columns} - {*shard.schema_arrow.names}:
                raise pa.ArrowInvalid("other rows or columns than those that were found")
            for batch in shard.iter_batches(BATCH, columns=list(columns)):
                yield batch.replace_schema_metadata(None)
    except (OSError, pa.ArrowException) as fault:
        remove_damaged(Path(path), fault)
        raise NightFailed(
            f"Expected the shard of {object_name} in {path}, got one that is gone or damaged. "
            "Start the night again: it reads the object anew."
        ) from fault


def remove_damaged(path: Path, fault: OSError | pa.ArrowException) -> None:
    """Remove a file whose bytes are wrong, but none that only could not be reached this time.

    Raises
    ------
    MemoryError
        Nothing is wrong with the file.
    """
    if isinstance(fault, MemoryError):
        raise fault
    damaged = isinstance(fault, pa.ArrowException) or fault.errno is None  # it is the disk's
    if damaged and path.is_file():
        path.unlink(missing_ok=True)
