"""Reads one labelled file into prepared rows, or tells every fault of it at once.

Prepared rows are those of `schemas.manifest.Rows` without the fold. Messages name rows, counts
and classes, never a cell of a feature column.
"""

import difflib
import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from learning.arrays import Keys, Mask
from learning.cells import Cells, instants, labels, levels, numbers, texts
from learning.files import first_few, read_file
from learning.marks import hashes
from schemas.dataset import CategoryColumn, Column, Dataset, NumberColumn, TextColumn
from schemas.faults import DataRejected
from schemas.frames import feature_columns, frame_schema
from schemas.label import SingleLabel, class_text
from schemas.manifest import KEY, LABEL, RESERVED, ROW, TIME

PANDAS_INDEX = "__index_level_0__"
"""What pandas adds to a Parquet file; no column of the data."""


SEPARATOR = "\x1f"
"""Between the cells of one row where they are hashed together; no text holds it by accident."""


@dataclass(frozen=True)
class _Fault:
    column: str
    expected: str
    got: str
    rows: Sequence[int] = ()  # from 1, without the header

    def __str__(self) -> str:
        where = f" in {len(self.rows):,} ({first_few(self.rows)})" if self.rows else ""
        return f"column {self.column!r}: expected {self.expected}, got {self.got}{where}"


def read_table(path: Path, name: str, dataset: Dataset, label: SingleLabel) -> pd.DataFrame:
    """Prepared rows of a CSV or Parquet file; `name` is what messages and `__row` call it."""
    table = read_file(path, name)
    needed = [*dataset.columns, label.column, *filter(None, (dataset.key, dataset.time))]
    _refuse_columns(table.column_names, needed, dataset, name)
    columns = _features(table, dataset) | {LABEL: labels(table[label.column], label)}
    if dataset.key is not None:
        columns[KEY] = levels(table[dataset.key])
    if dataset.time is not None:
        columns[TIME] = instants(table[dataset.time])
    frame = _validated(columns, frame_schema(dataset, label), name, dataset, label)
    classes = pd.Index([class_text(each) for each in label.classes])
    frame[LABEL] = classes.get_indexer(pd.Index(frame[LABEL])).astype(np.int16)
    frame[KEY] = group_keys(frame, dataset)
    frame[ROW] = _row_names(name, len(frame))
    return frame


def read_unlabelled(path: Path, name: str, dataset: Dataset) -> pd.DataFrame:
    """Feature columns in file order, valid as for training, and `__row`; other columns are let be.

    `__key` is the key's text where the plan names a key and the file has it.
    """
    table = read_file(path, name)
    _refuse_missing(table.column_names, list(dataset.columns), name)
    columns, schema = _features(table, dataset), feature_columns(dataset)
    if dataset.key is not None and dataset.key in table.column_names:
        columns[KEY] = levels(table[dataset.key])
        schema[KEY] = pandera.Column(str, nullable=True)
    frame = _validated(columns, pandera.DataFrameSchema(schema), name, dataset)
    frame[ROW] = _row_names(name, len(frame))
    return frame


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


def _features(table: pa.Table, dataset: Dataset) -> dict[str, Cells]:
    return {name: _typed(table[name], column) for name, column in dataset.columns.items()}


def _typed(cells: pa.ChunkedArray, column: Column) -> Cells:
    match column:
        case TextColumn():
            return texts(cells)
        case NumberColumn():
            return numbers(cells)
        case CategoryColumn():
            return levels(cells)


def _validated(
    columns: dict[str, Cells],
    schema: pandera.DataFrameSchema,
    name: str,
    dataset: Dataset,
    label: SingleLabel | None = None,
) -> pd.DataFrame:
    """The typed frame, or every fault of it in one `DataRejected`."""
    told = {KEY: dataset.key, TIME: dataset.time, LABEL: label.column if label else None}
    told_name = {column: told.get(column) or column for column in columns}
    frame = pd.DataFrame({column: each.cells for column, each in columns.items()})
    faults = [
        _Fault(told_name[column], each.expected, each.got)
        if each.got  # the column as a whole, so no rows
        else _Fault(told_name[column], each.expected, "other text", _numbered(each.bad))
        for column, each in columns.items()
        if each.bad.any()
    ]
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as broken:
        faults += _broken(broken.failure_cases, frame, columns, told_name)
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise DataRejected(
            f"{name}: {len(faults)} fault{'s' if len(faults) > 1 else ''} in {len(frame):,} rows:"
            f"{lines}\nCorrect these rows, or say in the plan (dataset.columns, label.classes) "
            "that they are right."
        )
    return frame


def _broken(
    cases: pd.DataFrame,  # pandera's: column, check, index, failure_case
    frame: pd.DataFrame,
    columns: dict[str, Cells],
    told_name: dict[str, str],
) -> list[_Fault]:
    faults = []
    pairs = cases.groupby(["column", "check"], sort=False)
    for (column, check), found in ((tuple(map(str, pair)), rows) for pair, rows in pairs):
        # A cell that could not be converted is missing by now, and is told already.
        rows = sorted(int(row) for row in found["index"] if not columns[column].bad[int(row)])
        if not rows:
            continue
        missing = check == "not_nullable"
        got = "missing cells" if missing else _kind(frame[column].iloc[rows])
        if column == LABEL and not missing:
            got = _unknown(found["failure_case"])
        expected = "a value in every row" if missing else str(check)
        faults.append(_Fault(told_name[column], expected, got, [row + 1 for row in rows]))
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
        raise DataRejected(
            f"{name}: expected no column beyond the plan's, got {_quoted(unknown)}. "
            "Add each to dataset.columns, or to dataset.ignore with the reason."
        )
    reserved = [column for column in needed if column in RESERVED]
    if reserved:
        raise DataRejected(
            f"{name}: expected other names than {_quoted(reserved)}: prepared rows use them. "
            "Rename the columns."
        )


def _refuse_missing(found: list[str], needed: list[str], name: str) -> None:
    missing = [column for column in needed if column not in found]
    if missing:
        close = {column: difflib.get_close_matches(column, found, 1) for column in missing}
        hints = [f"{close[column][0]!r} for {column!r}" for column in missing if close[column]]
        hint = f" Did you mean {', '.join(hints)}?" if hints else ""
        raise DataRejected(
            f"{name}: expected the columns {_quoted(missing)}, got {_quoted(found)}.{hint} "
            "Correct the names in the plan or in the file's header."
        )


def _quoted(columns: list[str], most: int = 20) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(map(repr, columns[:most])) + more


def _numbered(bad: Mask) -> list[int]:
    return [int(row) + 1 for row in np.flatnonzero(bad)]


def _row_names(name: str, rows: int) -> "pd.Series[str]":
    return pd.Series([f"{name}#{row}" for row in range(1, rows + 1)], dtype="str")


def _cell_bytes(frame: pd.DataFrame, dataset: Dataset) -> Iterable[bytes]:
    columns = dataset.columns.items()
    measured = [name for name, column in columns if isinstance(column, NumberColumn)]
    named = [name for name, column in columns if isinstance(column, CategoryColumn)]
    matrix = frame[measured].to_numpy(dtype="<f8") + 0.0  # -0.0 is 0.0
    matrix[np.isnan(matrix)] = np.nan  # one NaN of the many
    words = zip(*map(_filled, (frame[name] for name in named)), strict=True)
    rows = words if named else itertools.repeat(())
    for figures, levels_ in zip(np.ascontiguousarray(matrix), rows, strict=False):
        yield figures.tobytes() + SEPARATOR.join(levels_).encode()


def _filled(cells: "pd.Series[str]") -> "pd.Series[str]":
    return cells.astype(object).where(cells.notna(), "")
