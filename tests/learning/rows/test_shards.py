"""A shard gives back what it was made of, and what its object broke."""

import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learning.reading.quarantine import Fault, Tally
from learning.reading.tables import Read
from learning.rows.exports import write_private
from learning.rows.shards import (
    Kept,
    faults_of,
    kept_shard,
    quarantine_name,
    quarantine_told,
    write_shard,
)
from schemas.label import MultiLabel, targets
from schemas.manifest import Shard
from tests.learning.reading.tables import joined

LOW = Fault("amount", "at least 0", "other numbers", np.array([0, 1]))
MOODS = targets(MultiLabel(columns=("sad", "calm")))


def frame(rows: int) -> pd.DataFrame:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "said": pd.Series([f"text {row}" for row in range(rows)], dtype="str"),
            "amount": pd.Series(np.arange(rows), dtype="float64"),
            "at": pd.Series([start] * rows, dtype="datetime64[us, UTC]"),
            "meaning": pd.Series([np.zeros(2, dtype=np.float32)] * rows, dtype=object),
            "__label0": np.zeros(rows, dtype=np.int16),
            "__label1": np.ones(rows, dtype=np.int16),
            "__key": np.arange(rows, dtype=np.uint64),
            "__row": np.arange(1, rows + 1),
            "__weight": np.ones(rows),
        }
    )


def read(rows: int, broken: int = 0) -> Read:
    bad = pd.DataFrame({"row": range(broken), "reasons": ["column 'amount': too low"] * broken})
    return Read(frame(rows), bad, (LOW,) if broken else (), stored={"said": "string"})


def test_a_shard_tells_its_rows_and_what_was_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    told = write_shard([read(4, broken=2)], path, "day.csv", MOODS)
    assert told == kept_shard(path)
    tally = Tally("day.csv")
    tally.add([LOW])
    assert told == Kept(
        rows=4,
        quarantined=2,
        findings=tally.findings,
        class_counts=((4, 0), (0, 4)),
        missing={"said": 0, "amount": 0, "at": 0, "meaning": 0},
        stored={"said": "string"},
    )
    assert told.faults == {"column 'amount': expected at least 0": 2}


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    write_shard([read(4)], tmp_path / "a.parquet")
    back = joined([tmp_path / "a.parquet"])
    pd.testing.assert_frame_equal(back, frame(4))


@pytest.mark.parametrize("order", [(0, 3), (3, 0)])
def test_a_shard_without_a_valid_row_joins_the_others(
    order: tuple[int, int], tmp_path: Path
) -> None:
    paths = [tmp_path / f"{place}.parquet" for place in range(2)]
    for rows, path in zip(order, paths, strict=True):
        write_shard([read(rows, broken=1)], path)
    pd.testing.assert_frame_equal(joined(paths), frame(3))
    assert list(joined(paths, ["__label0", "__label1"])) == ["__label0", "__label1"]


def test_a_file_that_is_no_shard_of_ours_is_none(tmp_path: Path) -> None:
    frame(3).drop(columns=["at"]).to_parquet(tmp_path / "other.parquet")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 and no more")
    for name in ("other", "damaged", "missing"):
        assert kept_shard(tmp_path / f"{name}.parquet") is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("day.csv", "day.csv-0af3.csv"),
        ("2026/11/day 1.csv.gz", "2026_11_day_1.csv.gz-0af3.csv"),
        ("../../.ssh/ключ", "_.._.ssh_-0af3.csv"),
        ("a" * 300, "a" * 80 + "-0af3.csv"),
        ("...", "-0af3.csv"),
    ],
)
def test_the_name_of_a_quarantine_file_is_plain_and_leads_nowhere(name: str, plain: str) -> None:
    assert quarantine_name(name, "0af3") == plain
    assert Path(plain).name == plain


def test_rows_set_aside_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "quarantine" / "plan" / "day.csv"
    cells = pd.DataFrame({"row": [3], "reasons": ["x"], "said": ['a "quoted"\nline, with comma']})
    for _ in range(2):
        write_private(cells, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    pd.testing.assert_frame_equal(pd.read_csv(path), cells, check_dtype=False)


def test_reasons_of_all_objects_are_summed_the_most_frequent_first() -> None:
    shards = [
        Shard(object_name="a", path="", rows=90, quarantined=3, faults={"low": 1, "label": 2}),
        Shard(object_name="b", path="", rows=100),
        Shard(object_name="c", path="", rows=5, quarantined=2, faults={"low": 2}),
    ]
    assert faults_of(shards) == {"low": 3, "label": 2}
    assert quarantine_told(shards) == "5 of 200 rows (2.5 %): low (3); label (2)"
