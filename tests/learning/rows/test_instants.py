"""Rows dated after tomorrow are refused, by object and number."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from learning.rows.instants import refuse_future
from schemas.faults import DataRejected
from schemas.manifest import ROW, TIME, Shard

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def _shard(folder: Path, *days: float) -> Shard:
    path = folder / "shard.parquet"
    times = [NOW + timedelta(days=day) for day in days]
    columns = {TIME: pa.array(times, pa.timestamp("us", "UTC")), ROW: range(1, len(days) + 1)}
    pa_parquet.write_table(pa.table(columns), path)
    return Shard(object_name="b.csv", path=str(path), rows=len(days))


def test_rows_of_yesterday_and_of_a_clock_that_is_ahead_are_fine(tmp_path: Path) -> None:
    refuse_future([_shard(tmp_path, -400, -1, 0, 0.9)], "seen", NOW)


def test_rows_of_a_day_to_come_are_told_by_number(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"'seen': .* 2 later in b\.csv \(rows 2, 4\)") as told:
        refuse_future([_shard(tmp_path, -1, 30, 0, 400_000)], "seen", NOW)
    assert "2026-11-22 02:00 UTC" in str(told.value)
    assert "Correct the clock or the time zone" in str(told.value)
    (finding,) = told.value.findings
    assert (finding.object_name, finding.count, finding.rows) == ("b.csv", 2, (2, 4))


def test_an_object_of_which_no_row_is_valid_has_no_day(tmp_path: Path) -> None:
    refuse_future([_shard(tmp_path)], "seen", NOW)
