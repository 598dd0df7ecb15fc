"""Whole files that no producer should drop, each as bytes."""

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from tests.faults.standing import as_csv, rows

BOMB_BYTES = 200 * 2**20


def truncated_parquet() -> bytes:
    return parquet()[:-20]


def parquet(**kept: object) -> bytes:
    held = io.BytesIO()
    pa_parquet.write_table(pa.Table.from_pandas(rows(), preserve_index=False), held, **kept)
    return held.getvalue()


def parquet_bomb(count: int = 20_000_000) -> bytes:
    """Twenty million equal rows in half a megabyte; its footer claims as little."""
    held, part = io.BytesIO(), 1_000_000
    line = rows(1)
    names = list(line.columns)
    group = pa.table(
        {
            name: pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(part, np.int32)), pa.array([line[name][0]])
            )
            for name in names
        }
    )
    with pa_parquet.ParquetWriter(held, group.schema, compression="zstd") as writer:
        for _ in range(count // part):
            writer.write_table(group)
    return held.getvalue()


def gzip_bomb() -> bytes:
    """Two hundred megabytes of one line, in two hundred kilobytes."""
    line = as_csv(rows(1))
    head, row = line.split(b"\n", 1)
    return gzip.compress(head + b"\n" + row * (BOMB_BYTES // len(row)), 9)


def huge_cell() -> bytes:
    frame = rows()
    frame.loc[6, "note"] = "word " * 10_000_000
    return as_csv(frame)


class Canary:
    """What a pickle would run, if anybody opened it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


def pickled(canary: Path, protocol: int) -> bytes:
    return pickle.dumps(Canary(canary), protocol=protocol)
