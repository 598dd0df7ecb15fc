import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from learning.reading.instants import instants

BERLIN = "Europe/Berlin"


def _column(cells: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, type=kind)])


def _utc(cells: "pd.Series[pd.Timestamp]") -> list[str | None]:
    return [None if pd.isna(cell) else f"{cell:%Y-%m-%dT%H:%M:%S}" for cell in cells]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31T09:30:00Z",
        "2026-01-31 09:30:00z",
        "2026-01-31T10:30:00+01:00",
        "2026-01-31 01:30:00 -0800",
        "2026-01-31T09:30Z",
        "2026-01-31T09:30:00.000000+00",
    ],
)
def test_a_time_with_an_offset_is_an_instant(cell: str) -> None:
    found = instants(_column([cell, None]))
    assert found.cells[0] == pd.Timestamp("2026-01-31T09:30:00Z")
    assert found.cells.dtype == "datetime64[us, UTC]"
    assert not found.bad.any()


@pytest.mark.parametrize(
    "cell",
    ["2026-01-31T09:30:00", "2026-01-31", "31.01.2026 09:30Z", "2026-13-31T09:30:00Z", "now"],
)
def test_a_time_without_an_offset_is_told_by_row(cell: str) -> None:
    assert instants(_column(["2026-01-31T09:30:00Z", cell])).bad.tolist() == [False, True]


def test_a_stored_time_needs_its_zone() -> None:
    naive = _column([dt.datetime(2026, 1, 31, 9, 30)])
    assert instants(naive).bad.all()
    zoned = naive.cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "Europe/Berlin"))
    found = instants(zoned)
    assert found.cells.dtype == "datetime64[us, UTC]"
    assert not found.bad.any()


@pytest.mark.parametrize("cell", ["", " ", "NA", "NaT", "null", "none", None])
@pytest.mark.parametrize("form", [None, "%d.%m.%Y"])
def test_what_exports_write_for_nothing_is_a_missing_time(
    cell: str | None, form: str | None
) -> None:
    found = instants(_column([cell], pa.string()), form, BERLIN)
    assert found.cells.isna().all()
    assert not found.bad.any()
    assert found.cells.dtype == "datetime64[us, UTC]"


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    cells = ["2026-01-31T09:30:00", "2026-07-01 09:30", "2026-01-31", "2026-01-31T09:30:00.25"]
    found = instants(_column(cells), zone=BERLIN)
    assert not found.bad.any()
    assert _utc(found.cells) == [
        "2026-01-31T08:30:00", "2026-07-01T07:30:00", "2026-01-30T23:00:00", "2026-01-31T08:30:00",
    ]  # fmt: skip
    assert found.cells[3].microsecond == 250_000


def test_an_offset_in_the_cell_holds_against_the_zone() -> None:
    found = instants(_column(["2026-01-31T09:30:00Z", "2026-01-31T09:30:00"]), zone=BERLIN)
    assert _utc(found.cells) == ["2026-01-31T09:30:00", "2026-01-31T08:30:00"]


@pytest.mark.parametrize(
    "cell", ["2026-03-29T02:30:00", "2026-10-25T02:30:00"], ids=["shown-never", "shown-twice"]
)
def test_a_time_that_clocks_do_not_show_once_is_told_by_row(cell: str) -> None:
    clear = "2026-10-25T03:30:00"
    found = instants(_column([cell, clear]), zone=BERLIN)
    assert found.bad.tolist() == [True, False]
    assert found.expected == (
        "a time that clocks of Europe/Berlin show once, such as 2026-01-31T09:30:00"
    )
    stored = instants(_column([dt.datetime.fromisoformat(cell), None]), zone=BERLIN)
    assert stored.bad.tolist() == [True, False]


def test_every_hour_of_a_year_is_the_instant_that_python_says() -> None:
    hours = pd.date_range("2026-01-01", "2026-12-31T23:00", freq="h", tz="UTC")
    local = hours.tz_convert("America/New_York")
    written = [f"{each:%Y-%m-%d %H:%M}" for each in local]
    found = instants(_column(written), zone="America/New_York")
    assert found.bad.sum() == 2  # the hour that clocks show twice
    good = ~found.bad
    assert (found.cells[good] == pd.Series(hours)[good]).all()
    withoffset = instants(
        _column([f"{each:%d/%m/%Y %H.%M %z}" for each in local]), "%d/%m/%Y %H.%M %z"
    )
    assert (withoffset.cells == pd.Series(hours)).all()


@pytest.mark.parametrize(
    ("form", "cell", "told"),
    [
        ("%d.%m.%Y %H:%M", "31.01.2026 09:30", "2026-01-31T08:30:00"),
        ("%m/%d/%y %I:%M %p", "01/31/26 09:30 PM", "2026-01-31T20:30:00"),
        ("%Y-%j", "2026-031", "2026-01-30T23:00:00"),
    ],
)
def test_a_format_says_how_cells_are_read(form: str, cell: str, told: str) -> None:
    found = instants(_column([f" {cell} ", "2026-01-31T09:30:00"]), form, BERLIN)
    assert found.bad.tolist() == [False, True]
    assert _utc(found.cells) == [told, None]


@pytest.mark.parametrize("cell", ["31.02.2026", "1.1.26", "31.01.2026 10:00", "2026-01-31"])
def test_a_cell_of_another_format_is_told_by_row(cell: str) -> None:
    found = instants(_column(["31.01.2026", cell]), "%d.%m.%Y", "UTC")
    assert found.bad.tolist() == [False, True]
    assert found.expected == "a time written as '%d.%m.%Y' that clocks of UTC show once"


def test_stored_days_and_times_are_of_the_zone() -> None:
    expected = ["2026-01-30T23:00:00", None]
    for cells in ([dt.date(2026, 1, 31), None], [dt.datetime(2026, 1, 31), None]):
        assert _utc(instants(_column(cells), zone=BERLIN).cells) == expected
    assert instants(_column([dt.date(2026, 1, 31)])).got == "date32[day]"


def test_numbers_are_no_times() -> None:
    assert instants(_column([1_700_000_000]), zone=BERLIN).got == "int64"
