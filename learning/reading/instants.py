"""Cells become instants: UTC, to the microsecond. A cell that names no one instant is refused."""

from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from learning.reading.cells import Cells, all_bad, decoded, good, is_text

MISSING = ("", "NA", "N/A", "NAN", "NAT", "NULL", "NONE")

Instants: TypeAlias = "pd.Series[Any]"

OFFSET = r" ?(Z|[+-]\d\d(:?\d\d)?)$"
ISO = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?"
LOCAL = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$"

UTC: Final = "datetime64[us, UTC]"


def instants(column: pa.ChunkedArray, form: str | None = None, zone: str | None = None) -> Cells:
    """Text is read by `form` (as of `strptime`), else as ISO 8601; an offset in it holds.

    Times without one are of `zone`, an IANA name. What clocks there show twice or never, an hour
    each on two days of the year, is bad: nobody can tell which instant was meant.
    """
    column = decoded(column)
    stored = pt.is_timestamp(column.type) or pt.is_date(column.type)
    if stored and getattr(column.type, "tz", None) is not None:
        column = column.cast(pa.timestamp("us", "UTC"), safe=False)
        return good(column.to_pandas().astype(UTC), _expected(form, zone))
    if stored and zone is not None:
        naive = column.cast(pa.timestamp("us"), safe=False).to_pandas()
        return _read(_in_utc(naive, zone), column.is_valid(), _expected(None, zone))
    if not is_text(column.type):
        return all_bad(column, _expected(None, None), UTC)
    column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    missing = pc.is_in(pc.utf8_upper(column), value_set=pa.array(MISSING))
    column = pc.if_else(missing, pa.scalar(None, pa.string()), column)
    read = _iso(column, zone) if form is None else _formed(column, form, zone)
    return _read(read, column.is_valid(), _expected(form, zone))


def _expected(form: str | None, zone: str | None) -> str:
    where = f" that clocks of {zone} show once" if zone is not None else ""
    if form is not None:
        return f"a time written as {form!r}{where}"
    if zone is not None:
        return f"a time{where}, such as 2026-01-31T09:30:00"
    return "a time with its offset from UTC, such as 2026-01-31T09:30:00Z"


def _read(cells: pd.Series, valid: pa.ChunkedArray, expected: str) -> Cells:
    return Cells(cells, cells.isna().to_numpy() & valid.to_numpy(), expected)


def _iso(column: pa.ChunkedArray, zone: str | None) -> Instants:
    column = pc.utf8_upper(column)
    told = _matching(column, ISO + OFFSET)
    read: Instants = pd.to_datetime(told, utc=True, format="ISO8601", errors="coerce").astype(UTC)
    if zone is None:
        return read
    local = pd.to_datetime(_matching(column, LOCAL), format="ISO8601", errors="coerce")
    return read.fillna(_in_utc(local, zone))


def _formed(column: pa.ChunkedArray, form: str, zone: str | None) -> Instants:
    cells, told = column.to_pandas(), "%z" in form.replace("%%", "")
    read: Instants = pd.to_datetime(cells, utc=told, format=form, errors="coerce")
    return read.astype(UTC) if told else _in_utc(read, zone or "UTC")


def _matching(column: pa.ChunkedArray, pattern: str) -> "pd.Series[str]":
    told = pc.fill_null(pc.match_substring_regex(column, pattern), False)
    cells: pd.Series[str] = pc.if_else(told, column, pa.scalar(None, pa.string())).to_pandas()
    return cells


def _in_utc(naive: Instants, zone: str) -> Instants:
    local = naive.astype("datetime64[us]").dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    utc: Instants = local.dt.tz_convert("UTC")
    return utc
