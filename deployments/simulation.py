"""A labelled file dealt out as dated drops, so that each simulated night brings new data.

What a drop holds hangs on the file, the plan and the number of days alone, so drops can be dealt
one at a time, on any machine, and a second run deals nothing twice.
"""

import fnmatch
import gzip
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from learning.profiling.records import Records, csv_records, json_records
from learning.reading.cells import labels
from learning.reading.files import SUFFIXES, read_file
from learning.reading.instants import instants
from learning.reading.wording import amount
from schemas.dataset import Dataset
from schemas.faults import DataRejected, PlanError, StoreConflict
from schemas.plan import Plan
from schemas.store import ABSENT, Store
from tasks.storage import open_store

FIRST_DAY = date(2026, 1, 1)
"""Where rows have no time of their own; the day of the first row where they have."""


@dataclass(frozen=True)
class Drop:
    """One object of a day: its rows, and how many each class of each label has of them.

    `there` says that it was there already, as it would be dealt.
    """

    name: str
    rows: int
    class_rows: dict[str, dict[str, int]]
    there: bool


@dataclass(frozen=True)
class _Dealing:
    """A file and which of its rows go into which drop."""

    path: Path
    suffix: str
    table: pa.Table
    records: Records | None  # none of Parquet
    days: list[list[int]]
    names: list[str]
    encoding: str


def deal(
    plan: Plan,
    file: Path,
    days: int,
    start: date | None = None,
    to: str | None = None,  # a folder or URI in the place of the plan's source
    only_next: bool = False,
) -> Iterator[Drop]:
    """Writes the drops that are not there yet, all of them or the next one, and tells each.

    Raises
    ------
    PlanError
        The plan would not read the drops, or something else has the name of one.
    """
    dealing = _dealing(plan, file, days, start)
    store = open_store(plan.dataset.source if to is None else to)
    _refuse_same_place(store, dealing)
    for number in range(days):
        content = _content(dealing, number)
        there = _put(store, dealing.names[number], content)
        yield Drop(
            dealing.names[number],
            len(dealing.days[number]),
            _class_rows(plan, dealing, number),
            there,
        )
        if only_next and not there:
            return


def _dealing(plan: Plan, file: Path, days: int, start: date | None) -> _Dealing:
    suffix = next((end for end in SUFFIXES if file.name.endswith(end)), None)
    if suffix is None or not file.is_file():
        got = "no such file" if not file.is_file() else file.name
        raise PlanError(f"--from: expected a file that ends in {', '.join(SUFFIXES)}, got {got}")
    dataset = plan.dataset
    table, records = _read(file, suffix, dataset)
    _refuse_missing(table, plan, file.name)
    times = _times(table, dataset)
    dealt = _by_time(times, days) if times is not None else _evenly(table, plan.search.seed, days)
    first = start or (FIRST_DAY if times is None else times.min().date())
    stem = file.name[: -len(suffix)]
    names = [f"{stem}-{first + timedelta(days=n)}{suffix}" for n in range(days)]
    _refuse_unread(dataset.pattern, names[0], stem, suffix)
    return _Dealing(file, suffix, table, records, dealt, names, dataset.encoding)


def _read(file: Path, suffix: str, dataset: Dataset) -> tuple[pa.Table, Records | None]:
    """The table by the reader of training, and where there are records as many of them."""
    if suffix == ".parquet":
        return read_file(file, file.name).table, None
    content = file.read_bytes()
    try:
        content = gzip.decompress(content) if suffix.endswith(".gz") else content
        text = content.decode(dataset.encoding).removeprefix("\ufeff")
    except (OSError, EOFError, ValueError) as fault:
        raise DataRejected(
            f"{file.name}: expected {dataset.encoding} text{', packed whole' * ('.gz' in suffix)}; "
            "correct the file, or dataset.encoding in the plan."
        ) from fault
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        plain = Path(folder) / "rows"
        plain.write_text(text, encoding="utf-8", newline="")
        table = read_file(plain, file.name.removesuffix(".gz")).table
    records = csv_records(text) if ".csv" in suffix else json_records(text)
    if len(records.records) != table.num_rows:
        raise DataRejected(
            f"{file.name}: expected a line for each row, got "
            f"{amount(len(records.records), 'line')} and {amount(table.num_rows, 'row')}. "
            "Put double quotes around cells that hold any."
        )
    return table, records


def _refuse_missing(table: pa.Table, plan: Plan, name: str) -> None:
    needed = [*(target.name for target in plan.targets), plan.dataset.time]
    missing = [column for column in needed if column and column not in table.column_names]
    if missing:
        raise DataRejected(
            f"{name}: expected the columns {', '.join(map(repr, missing))} of plan {plan.name}, "
            "got a file without. Name the file that the plan is of."
        )


def _refuse_unread(pattern: str, name: str, stem: str, suffix: str) -> None:
    if not fnmatch.fnmatchcase(name, pattern):
        raise PlanError(
            f"dataset.pattern: expected one that reads drops such as {name!r}, got {pattern!r}. "
            f"Write '{stem}[.-]*{suffix[1:]}' or '*{suffix}', or deal a file of the kind that the "
            "plan reads."
        )


def _refuse_same_place(store: Store, dealing: _Dealing) -> None:
    """The rows would be there twice: in the file and in its drops."""
    beside = dealing.path.resolve().parent
    if "://" not in store.uri and Path(store.uri).resolve() == beside:
        raise PlanError(
            f"--to: expected another folder than that of {dealing.path.name}, whose rows would be "
            "there twice. Name one with --to, and give it to `nightshift train` with --source."
        )


def _times(table: pa.Table, dataset: Dataset) -> "pd.Series[pd.Timestamp] | None":
    if dataset.time is None:
        return None
    cells = instants(table[dataset.time], dataset.time_format, dataset.time_zone).cells
    if cells.isna().all():
        raise DataRejected(
            f"Column {dataset.time!r}: expected times, got none that can be read. Correct "
            "dataset.time_format in the plan."
        )
    return cells.fillna(cells.max())  # rows that will be set aside come last


def _by_time(times: "pd.Series[pd.Timestamp]", days: int) -> list[list[int]]:
    """As many rows a day as may be; rows of one instant stay together, in the file's order."""
    instant = times.dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)
    ranks = np.argsort(np.argsort(instant, kind="stable"), kind="stable")
    _, group = np.unique(instant, return_inverse=True)
    first = np.full(int(group.max()) + 1, len(ranks))
    np.minimum.at(first, group, ranks)
    return _parted(first[group] * days // len(ranks), days, "instants")


def _evenly(table: pa.Table, seed: int, days: int) -> list[list[int]]:
    order = np.random.default_rng(seed).permutation(table.num_rows)
    return _parted(order * days // table.num_rows, days, "rows")


def _parted(day: NDArray[np.int64], days: int, what: str) -> list[list[int]]:
    parts = [np.flatnonzero(day == number).tolist() for number in range(days)]
    empty = sum(not part for part in parts)
    if empty:
        raise PlanError(
            f"--days: expected at most as many days as there are {what} to deal, got {days}, of "
            f"which {empty} would have no row. Ask for fewer."
        )
    return parts


def _content(dealing: _Dealing, number: int) -> bytes:
    rows = dealing.days[number]
    if dealing.records is None:
        sink = io.BytesIO()
        pa_parquet.write_table(dealing.table.take(pa.array(rows)), sink)
        return sink.getvalue()
    content = dealing.records.chosen(rows).encode(dealing.encoding)
    # No time in it: the same rows are the same bytes whenever they are dealt.
    return gzip.compress(content, mtime=0) if dealing.suffix.endswith(".gz") else content


def _put(store: Store, name: str, content: bytes) -> bool:
    """Whether it was there already; another object of that name is left as it is."""
    try:
        store.write(name, content, ABSENT)
    except StoreConflict:
        if store.read(name)[0] == content:
            return True
        raise PlanError(
            f"{store.uri}/{name}: expected no such object, or the very drop, got another one. "
            "Move it, or deal to another folder with --to."
        ) from None
    return False


def _class_rows(plan: Plan, dealing: _Dealing, number: int) -> dict[str, dict[str, int]]:
    """Rows by class text; what is no class is not counted."""
    rows = dealing.table.take(pa.array(dealing.days[number]))
    told = {}
    for target in plan.targets:
        found = Counter(labels(rows[target.name], target).cells)
        told[target.name] = {text: found[text] for text in target.class_texts}
    return told
