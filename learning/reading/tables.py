"""Reads one file into prepared rows, part by part, and sets the rows aside that break the schema.

Prepared rows are those of `schemas.manifest.Shard`. Messages name rows, counts and classes, never a
cell of a feature column.
"""

import difflib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.types import is_object_dtype

from learning.reading.cells import levels
from learning.reading.checking import checked, feature_cells, label_cells
from learning.reading.contents import Contents
from learning.reading.csv_files import BLOCK
from learning.reading.files import Reading, read_parts
from learning.reading.marks import cell_hashes, group_keys
from learning.reading.quarantine import Fault, Tally, broken_rows, set_aside
from learning.reading.refusals import refused
from learning.reading.wording import amount, cut, quoted
from schemas.dataset import CategoryColumn, Dataset, NumberColumn, TextColumn
from schemas.frames import feature_columns, frame_schema
from schemas.label import Target
from schemas.manifest import BLANK, CELLS, KEY, OURS, ROW, label_columns

PANDAS_INDEX = "__index_level_0__"
"""What pandas adds to a Parquet file; no column of the data."""

_CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Read:
    """Some rows of one file, in its order: those that keep to the schema, and those that do not.

    `start` rows came before these `rows`. `quarantined` has `row` (from 1, as in `__row`),
    `reasons` and the cells that the plan reads, as text or JSON; `faults` tell of them rule by
    rule, with rows from 0 of this part, or of whole columns: then there are no prepared rows.
    `stored` is the type of each column in the file, as Arrow calls it.
    """

    frame: pd.DataFrame
    quarantined: pd.DataFrame
    faults: tuple[Fault, ...] = ()
    start: int = 0
    rows: int = 0
    stored: Mapping[str, str] = field(default_factory=dict)


def read_table(
    path: Path,
    name: str,  # what messages call the file
    dataset: Dataset,
    targets: Sequence[Target],
    scratch: Path,  # a folder for what is unpacked
    *,
    quick: bool = False,  # by all cores; raises `Declined` where only the exact reader will do
    block: int = BLOCK,  # bytes of CSV read together
) -> Iterator[Read]:
    """Prepared rows of a labelled file. In rows that break the schema, the quick reader's numbers
    are those that float64 holds: `1e400` is set aside as `inf`.

    Raises
    ------
    DataRejected
        For what is at fault in a whole file. What is wrong with columns and rows is told by the
        parts: how many rows may be broken is a matter of all files together.
    """
    needed = _needed(dataset, targets)

    def chosen(found: list[str]) -> list[str]:
        _refuse_columns(found, needed, dataset, name)
        return needed

    kinds = _exact_kinds(dataset, targets) if quick else None
    reading = Reading(chosen, dataset.encoding, dataset.caps, kinds, block)
    schema = frame_schema(dataset, targets)
    for contents in read_parts(path, name, reading, scratch):
        yield _read(contents, schema, dataset, targets)


def read_unlabelled(path: Path, name: str, dataset: Dataset) -> pd.DataFrame:
    """Feature columns in file order, valid as for training, and `__row`; other columns are let be.

    `__key` is the key's text where the plan names a key and the file has it. A row that breaks the
    schema rejects the file: who asks for answers expects one for each row.
    """

    def chosen(found: list[str]) -> list[str]:
        _refuse_missing(found, list(dataset.columns), name)
        key = [dataset.key] if dataset.key in found else []
        return list(dict.fromkeys([*dataset.columns, *filter(None, key)]))

    tally, frames = Tally(name), list[pd.DataFrame]()
    with tempfile.TemporaryDirectory(prefix="nightshift-") as scratch:
        reading = Reading(chosen, dataset.encoding, dataset.caps)
        for contents in read_parts(path, name, reading, Path(scratch)):
            columns, schema = feature_cells(contents.table, dataset), feature_columns(dataset)
            if dataset.key in contents.table.column_names:
                columns[KEY] = levels(contents.table[dataset.key])
                schema[KEY] = pandera.Column(str, nullable=True)
            frame, faults = checked(columns, pandera.DataFrameSchema(schema), contents, dataset)
            tally.add(faults, contents.start, len(frame))
            frames.append(frame)
    tally.refuse(broken_rows_too=True)
    whole = pd.concat(frames, ignore_index=True)
    whole[ROW] = np.arange(1, len(whole) + 1)
    return whole


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame of prepared or quarantined rows as Parquet holds it: see `schemas.manifest.Shard`."""
    return pa.table({str(column): _as_stored(frame[column]) for column in frame})


def _as_stored(cells: "pd.Series[Any]") -> pa.Array:
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        # pyarrow asks pandas 3.1 for zoned times in a way that warns: they pass as naive UTC.
        naive = cells.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
        return pa.array(naive).cast(pa.timestamp("us", "UTC"))
    if is_object_dtype(cells):
        return pa.array(cells, pa.list_(pa.float32()))
    if isinstance(cells.dtype, pd.StringDtype):
        return pa.array(cells, pa.large_string(), from_pandas=True)
    return pa.array(cells.to_numpy(), from_pandas=True)


def _needed(dataset: Dataset, targets: Sequence[Target]) -> list[str]:
    """The file's columns that the plan reads, each once."""
    told = (*(target.name for target in targets), dataset.key, dataset.time, dataset.weight)
    return list(dict.fromkeys([*dataset.columns, *filter(None, told)]))


def _exact_kinds(dataset: Dataset, targets: Sequence[Target]) -> dict[str, pa.DataType]:
    """Types by which Arrow reads cells as our own readers do; all other columns are text."""
    kinds = [(target.name, _CODED) for target in targets]
    for name, column in dataset.columns.items():
        if isinstance(column, NumberColumn):
            kinds.append((name, pa.float64()))
        elif isinstance(column, CategoryColumn):
            kinds.append((name, _CODED))
    if dataset.weight is not None:
        kinds.append((dataset.weight, pa.float64()))
    kinds += [(name, pa.string()) for name in (dataset.key, dataset.time) if name is not None]
    # A column that is two things is read as text for both.
    several = {name for name, kind in kinds if dict(kinds)[name] != kind}
    return {name: kind for name, kind in kinds if name not in several}


def _read(
    contents: Contents,
    schema: pandera.DataFrameSchema,
    dataset: Dataset,
    targets: Sequence[Target],
) -> Read:
    table = contents.table
    columns = feature_cells(table, dataset) | label_cells(table, dataset, targets)
    frame, faults = checked(columns, schema, contents, dataset, targets)
    whole = ~broken_rows(faults, len(frame))
    good = frame[whole].reset_index(drop=True) if faults else frame
    return Read(
        frame=_prepared(good, contents.start + 1 + np.flatnonzero(whole), dataset, targets),
        quarantined=set_aside(contents, table.column_names, faults),
        faults=tuple(faults),
        start=contents.start,
        rows=table.num_rows,
        stored=contents.stored,
    )


def _prepared(
    frame: pd.DataFrame,  # raw rows, all good
    rows: NDArray[np.intp],  # their numbers
    dataset: Dataset,
    targets: Sequence[Target],
) -> pd.DataFrame:
    columns: dict[str, Any] = {str(name): frame[name] for name in frame}
    for column, target in zip(label_columns(len(targets)), targets, strict=True):
        classes = pa.array(target.class_texts, pa.large_string())
        found = pc.index_in(pa.array(frame[column], pa.large_string()), classes)
        columns[column] = found.to_numpy(zero_copy_only=False).astype(np.int16)
    cells = cell_hashes(frame, dataset)
    columns[KEY] = group_keys(frame, dataset, cells)
    columns[CELLS] = cells
    columns[ROW] = rows.astype(np.int64)
    written = [name for name, column in dataset.columns.items() if isinstance(column, TextColumn)]
    if written:
        blank = [frame[name].fillna("").str.strip() == "" for name in written]
        columns[BLANK] = np.all(blank, axis=0)
    return pd.DataFrame(columns, copy=False)


def _refuse_columns(found: list[str], needed: list[str], dataset: Dataset, name: str) -> None:
    _refuse_missing(found, needed, name)
    expected = {*needed, *dataset.ignore, PANDAS_INDEX}
    unknown = [column for column in found if column not in expected]
    if unknown:
        raise refused(
            name,
            "no column beyond the plan's",
            quoted(list(map(cut, unknown))),
            "Add each to dataset.columns, or to dataset.ignore with the reason.",
        )
    reserved = [column for column in needed if column.startswith(OURS)]
    if reserved:
        raise refused(
            name,
            f"names that do not begin with {OURS!r}, which are for prepared rows",
            quoted(reserved),
            "Rename the columns.",
        )


def _refuse_missing(found: list[str], needed: list[str], name: str) -> None:
    missing = [column for column in needed if column not in found]
    if missing:
        hints, got = (
            list[str](),
            f"a header of {amount(len(found), 'other name')}: is its first line a row?",
        )
        # Of a file without a header, the names are the cells of its first row.
        if not {_folded(column) for column in found}.isdisjoint(map(_folded, needed)):
            hints, got = _near(found, missing), quoted(list(map(cut, found)))
        hint = f"Did you mean {', '.join(hints)}? " if hints else ""
        raise refused(
            name,
            f"the columns {quoted(missing)}",
            got,
            f"{hint}Correct the names in the plan or in the file's header.",
        )


def _near(found: Sequence[str], missing: Sequence[str]) -> list[str]:
    close = {column: difflib.get_close_matches(column, found, 1) for column in missing}
    return [f"{cut(near[0])!r} for {column!r}" for column, near in close.items() if near]


def _folded(name: str) -> str:
    return name.strip().casefold()
