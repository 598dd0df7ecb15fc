"""Reads one file into prepared rows, and sets the rows aside that break the schema.

Prepared rows are those of `schemas.manifest.Rows` without the fold. Messages name rows, counts
and classes, never a cell of a feature column.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
from pandas.api.types import is_object_dtype

from learning.reading.cells import Cells, labels, levels, numbers
from learning.reading.columns import typed
from learning.reading.contents import Contents
from learning.reading.files import read_file
from learning.reading.instants import instants
from learning.reading.marks import cell_hashes, group_keys
from learning.reading.quarantine import Fault, broken_rows, message, set_aside
from learning.reading.refusals import refused
from learning.reading.wording import quoted
from schemas.dataset import Dataset, TextColumn
from schemas.faults import DataRejected
from schemas.findings import Finding
from schemas.frames import feature_columns, frame_schema
from schemas.label import Target
from schemas.manifest import BLANK, CELLS, KEY, LABEL, OURS, ROW, TIME, WEIGHT, label_columns

PANDAS_INDEX = "__index_level_0__"
"""What pandas adds to a Parquet file; no column of the data."""


@dataclass(frozen=True)
class Read:
    """The rows of one file: those that keep to the schema, and those that do not.

    `quarantined` has `row` (from 1, as in `__row`), `reasons` and the cells that the plan reads,
    as text or JSON; `findings` tell of them rule by rule. `stored` is the type of each column in
    the file, as Arrow calls it.
    """

    frame: pd.DataFrame
    quarantined: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    stored: Mapping[str, str] = field(default_factory=dict)


def read_table(path: Path, name: str, dataset: Dataset, targets: Sequence[Target]) -> Read:
    """Prepared rows of a labelled file; `name` is what messages and `__row` call it.

    Raises
    ------
    DataRejected
        For what is at fault in a whole file or column; all faults are told at once. How many rows
        may be broken is a matter of all files together: here they may be all.
    """
    contents = read_file(path, name)
    needed, table = _needed(dataset, targets), contents.table
    _refuse_columns(table.column_names, list(needed), dataset, name)
    columns = _features(table, dataset) | _ours(table, dataset, targets)
    schema = frame_schema(dataset, targets)
    frame, faults = _checked(columns, schema, contents, dataset, targets)
    findings = tuple(fault.finding(name) for fault in faults)
    if any(fault.rows is None for fault in faults):
        raise DataRejected(message(findings, len(frame)), findings)
    broken = broken_rows(faults, len(frame))
    frame[ROW] = np.arange(1, len(frame) + 1)
    good = frame[~broken].reset_index(drop=True) if faults else frame
    return Read(
        frame=_prepared(good, dataset, targets),
        quarantined=set_aside(contents, needed, faults),
        findings=findings,
        stored={field.name: str(field.type) for field in table.schema},
    )


def read_unlabelled(path: Path, name: str, dataset: Dataset) -> pd.DataFrame:
    """Feature columns in file order, valid as for training, and `__row`; other columns are let be.

    `__key` is the key's text where the plan names a key and the file has it. A row that breaks the
    schema rejects the file: who asks for answers expects one for each row.
    """
    contents = read_file(path, name)
    table = contents.table
    _refuse_missing(table.column_names, list(dataset.columns), name)
    columns, schema = _features(table, dataset), feature_columns(dataset)
    if dataset.key is not None and dataset.key in table.column_names:
        columns[KEY] = levels(table[dataset.key])
        schema[KEY] = pandera.Column(str, nullable=True)
    frame, faults = _checked(columns, pandera.DataFrameSchema(schema), contents, dataset)
    if faults:
        findings = [fault.finding(name) for fault in faults]
        raise DataRejected(message(findings, len(frame)), findings)
    frame[ROW] = _row_names(name, len(frame))
    return frame


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame of prepared or quarantined rows as Parquet holds it: see `schemas.manifest.Rows`."""
    kinds = {str(column): kind for column, kind in frame.dtypes.items()}
    zoned = [column for column, kind in kinds.items() if isinstance(kind, pd.DatetimeTZDtype)]
    nested = [column for column, kind in kinds.items() if is_object_dtype(kind)]
    # pyarrow asks pandas 3.1 for zoned times in a way that warns: they pass as naive UTC.
    naive = {column: frame[column].dt.tz_convert(None) for column in zoned}
    plain = frame.assign(**naive).drop(columns=nested)
    table = pa.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata(None)
    for column in zoned:
        cells = table[column].cast(pa.timestamp("us", "UTC"))
        table = table.set_column(table.column_names.index(column), column, cells)
    for column in nested:
        cells = pa.array(frame[column], pa.list_(pa.float32()))
        table = table.add_column(list(kinds).index(column), column, cells)
    return table


def _needed(dataset: Dataset, targets: Sequence[Target]) -> list[str]:
    """The file's columns that the plan reads, each once."""
    told = (*(target.name for target in targets), dataset.key, dataset.time, dataset.weight)
    return list(dict.fromkeys([*dataset.columns, *filter(None, told)]))


def _features(table: pa.Table, dataset: Dataset) -> dict[str, Cells]:
    return {name: typed(table[name], column) for name, column in dataset.columns.items()}


def _ours(table: pa.Table, dataset: Dataset, targets: Sequence[Target]) -> dict[str, Cells]:
    columns = {
        column: labels(table[target.name], target)
        for column, target in zip(label_columns(len(targets)), targets, strict=True)
    }
    if dataset.key is not None:
        columns[KEY] = levels(table[dataset.key])
    if dataset.time is not None:
        columns[TIME] = instants(table[dataset.time], dataset.time_format, dataset.time_zone)
    if dataset.weight is not None:
        columns[WEIGHT] = numbers(table[dataset.weight])
    return columns


def _prepared(
    frame: pd.DataFrame,  # raw rows, all good
    dataset: Dataset,
    targets: Sequence[Target],
) -> pd.DataFrame:
    for column, target in zip(label_columns(len(targets)), targets, strict=True):
        classes = pd.Index(target.class_texts, dtype="str")
        frame[column] = classes.get_indexer(pd.Index(frame[column])).astype(np.int16)
    cells = cell_hashes(frame, dataset)
    frame[KEY] = group_keys(frame, dataset, cells)
    frame[CELLS] = cells
    written = [name for name, column in dataset.columns.items() if isinstance(column, TextColumn)]
    if written:
        frame[BLANK] = np.all(
            [frame[name].fillna("").str.strip() == "" for name in written], axis=0
        )
    return frame


def _checked(
    columns: dict[str, Cells],
    schema: pandera.DataFrameSchema,
    contents: Contents,
    dataset: Dataset,
    targets: Sequence[Target] = (),
) -> tuple[pd.DataFrame, list[Fault]]:
    """The typed frame, in which cells that could not be converted are missing, and its faults."""
    told = {KEY: dataset.key, TIME: dataset.time, WEIGHT: dataset.weight}
    told |= {column: t.name for column, t in zip(label_columns(len(targets)), targets, strict=True)}
    told_name = {column: told.get(column) or column for column in columns}
    frame = pd.DataFrame({column: each.cells for column, each in columns.items()})
    columns = {
        column: _with_bad(each, contents.nested.get(told_name[column], ()))
        for column, each in columns.items()
    }
    faults = [
        Fault(None, "one JSON object in each line", got, np.array(list(rows), dtype=np.intp))
        for got, rows in contents.unread.items()
    ]
    faults += [
        Fault(told_name[column], each.expected, each.got)
        if each.got  # the column as a whole, so no rows
        else Fault(told_name[column], each.expected, "other cells", np.flatnonzero(each.bad))
        for column, each in columns.items()
        if each.bad.any()
    ]
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as broken:
        # What could not be converted, or is in no row, is missing by now, and is told already.
        unread = [row for lines in contents.unread.values() for row in lines]
        columns = {column: _with_bad(each, unread) for column, each in columns.items()}
        faults += _broken(broken.failure_cases, frame, columns, told_name)
    return frame, faults


def _with_bad(cells: Cells, rows: Iterable[int]) -> Cells:
    bad = cells.bad.copy()
    bad[list(rows)] = True
    return replace(cells, bad=bad)


def _broken(
    cases: pd.DataFrame,  # pandera's: column, check, index, failure_case
    frame: pd.DataFrame,
    columns: dict[str, Cells],
    told_name: dict[str, str],
) -> list[Fault]:
    faults = []
    pairs = cases.groupby(["column", "check"], sort=False)
    for (column, check), found in ((tuple(map(str, pair)), rows) for pair, rows in pairs):
        rows = np.sort(found["index"].to_numpy(dtype=np.intp))
        rows = rows[~columns[column].bad[rows]]
        if not len(rows):
            continue
        missing = check == "not_nullable"
        got = "missing cells" if missing else _kind(frame[column].iloc[rows])
        if column.startswith(LABEL) and not missing:
            got = _unknown(found["failure_case"])
        expected = "a value in every row" if missing else check
        faults.append(Fault(told_name[column], expected, got, rows))
    return faults


def _kind(cells: "pd.Series[Any]") -> str:
    """What the cells have in common, without their content."""
    if not pd.api.types.is_numeric_dtype(cells):
        least, most = int(cells.str.len().min()), int(cells.str.len().max())
        return f"text of {'up to ' if least < most else ''}{most:,} character{'s'[: most != 1]}"
    infinite = np.isinf(cells.to_numpy())
    return "infinite numbers" if infinite.all() else "other numbers"


def _unknown(cells: "pd.Series[str]") -> str:
    """The first distinct labels that are no class; labels may be shown."""
    shown = [repr(str(cell)[:40]) for cell in cells.unique()]
    return f"{', '.join(shown[:5])}{', ...' if len(shown) > 5 else ''}"


def _refuse_columns(found: list[str], needed: list[str], dataset: Dataset, name: str) -> None:
    _refuse_missing(found, needed, name)
    expected = {*needed, *dataset.ignore, PANDAS_INDEX}
    unknown = [column for column in found if column not in expected]
    if unknown:
        raise refused(
            name,
            "no column beyond the plan's",
            quoted(unknown),
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
        close = {column: difflib.get_close_matches(column, found, 1) for column in missing}
        hints = [f"{close[column][0]!r} for {column!r}" for column in missing if close[column]]
        hint = f"Did you mean {', '.join(hints)}? " if hints else ""
        raise refused(
            name,
            f"the columns {quoted(missing)}",
            quoted(found),
            f"{hint}Correct the names in the plan or in the file's header.",
        )


def _row_names(name: str, rows: int) -> "pd.Series[str]":
    return pd.Series([f"{name}#{row}" for row in range(1, rows + 1)], dtype="str")
