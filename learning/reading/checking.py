"""A part of a file by roles: cells become types, and the schema says what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from learning.reading.cells import Cells, labels, levels, numbers
from learning.reading.columns import typed
from learning.reading.contents import Contents
from learning.reading.got import Got, kind, unknown
from learning.reading.instants import instants
from learning.reading.quarantine import Fault
from schemas.dataset import Dataset
from schemas.label import Target
from schemas.manifest import KEY, LABEL, TIME, WEIGHT, label_columns


def feature_cells(table: pa.Table, dataset: Dataset) -> dict[str, Cells]:
    """Each feature column by its role."""
    return {name: typed(table[name], column) for name, column in dataset.columns.items()}


def label_cells(table: pa.Table, dataset: Dataset, targets: Sequence[Target]) -> dict[str, Cells]:
    """The labels, and the key, time and weight where the plan names them, by our own names."""
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


def checked(
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
    frame = pd.DataFrame({column: each.cells for column, each in columns.items()}, copy=False)
    columns = {
        column: _with_bad(each, contents.nested.get(told_name[column], ()))
        for column, each in columns.items()
    }
    faults = [
        Fault(None, "one JSON object in each line", got, np.array(list(rows), dtype=np.intp))
        for got, rows in contents.unread.items()
        if rows
    ]
    faults += [
        Fault(told_name[column], each.expected, each.got)
        if each.got  # the column as a whole, so no rows
        else Fault(told_name[column], each.expected, "other cells", np.flatnonzero(each.bad))
        for column, each in columns.items()
        if each.bad.any()
    ]
    try:
        schema.validate(frame, lazy=True, inplace=True)  # it coerces nothing: no copy
    except pandera.errors.SchemaErrors as broken:
        # What could not be converted, or is in no row, is missing by now, and is told already.
        unread = [row for lines in contents.unread.values() for row in lines]
        columns = {column: _with_bad(each, unread) for column, each in columns.items()}
        faults += _broken(broken.failure_cases, frame, columns, told_name)
    return frame, faults


def _with_bad(cells: Cells, rows: Iterable[int]) -> Cells:
    if not (places := list(rows)):
        return cells
    bad = cells.bad.copy()
    bad[places] = True
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
        got: Got = "missing cells" if missing else kind(frame[column].iloc[rows])
        if column.startswith(LABEL) and not missing:
            got = unknown(found["failure_case"])
        expected = "a value in every row" if missing else check
        faults.append(Fault(told_name[column], expected, got, rows))
    return faults
