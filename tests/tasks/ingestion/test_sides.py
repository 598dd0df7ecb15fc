import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prefect.logging import disable_run_logger
from prefect.states import Failed

from learning.rows import assembly
from learning.rows.assembly import assemble
from schemas.faults import DataRejected, NightFailed
from schemas.store import Store
from tasks import ingestion
from tasks.scanning import scan
from tests.tasks.ingestion.dropped import csv, plan, rows_of, shards_of, sides


def test_every_row_is_on_one_side_and_counted(store: Store, tmp_path: Path) -> None:
    rows = rows_of(store, tmp_path, plan())
    train, holdout = sides(rows)
    assert (len(train), len(holdout)) == (rows.n_train, rows.n_holdout)
    assert rows.n_train + rows.n_holdout == 150
    assert not set(train["__key"]) & set(holdout["__key"])
    for side, counts in ((train, rows.train_counts), (holdout, rows.holdout_counts)):
        assert (tuple(side["__label0"].value_counts().sort_index().tolist()),) == counts


def test_either_side_has_the_promised_columns(store: Store, source: Path, tmp_path: Path) -> None:
    (source / "day-3.csv").write_text("comment,likes,mood\nno likes at all,,1\n")
    train, holdout = sides(rows_of(store, tmp_path, plan()), "comment", "likes", "__row")
    expected = {
        "comment": "str",
        "likes": "float64",
        "__label0": "int16",
        "__key": "uint64",
        "__row": "int64",
    }
    assert holdout.dtypes.astype(str).to_dict() == expected
    assert train.dtypes.astype(str).to_dict() == expected | {"__fold": "int32"}
    assert set(train["__fold"]) == {1, 2, 4}


def test_a_row_of_the_holdout_stays_there_when_rows_arrive(
    store: Store, source: Path, tmp_path: Path
) -> None:
    before = sides(rows_of(store, tmp_path, plan()))
    (source / "day-3.csv").write_text(csv(150, 60))
    after = sides(rows_of(store, tmp_path, plan()))
    assert set(before[1]["__key"]) <= set(after[1]["__key"])
    assert not set(before[0]["__key"]) & set(after[1]["__key"])


def test_a_later_row_of_the_same_key_corrects_the_earlier(
    store: Store, source: Path, tmp_path: Path
) -> None:
    for day, first in (("day-1.csv", 0), ("day-2.csv", 60)):
        lines = [f"{n},text {n},{n % 3 - 1}" for n in range(first, first + 60)]
        (source / day).write_text("\n".join(["id,comment,mood", *lines]))
    (source / "day-2.csv.gz").unlink()
    (source / "day-3.csv").write_text("id,comment,mood\n7,text 7 corrected,1\n")
    keyed = plan(dataset={"columns": {"comment": "text"}, "key": "id"})
    rows = rows_of(store, tmp_path, keyed)
    texts = pd.concat(sides(rows, "comment"))["comment"]
    assert "text 7 corrected" in set(texts)
    assert "text 7" not in set(texts)
    assert sum(rows.dropped.values()) == 1


def test_rows_of_an_object_that_vanished_leave(store: Store, source: Path, tmp_path: Path) -> None:
    rows_of(store, tmp_path, plan())
    (source / "day-2.csv.gz").unlink()
    rows = rows_of(store, tmp_path, plan())
    assert rows.n_train + rows.n_holdout == 90


def test_equal_content_and_settings_are_assembled_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(store, tmp_path, plan())
    monkeypatch.setattr(assembly, "clean", lambda *_: pytest.fail("cleaned again"))
    assert rows_of(store, tmp_path, plan()) == rows


@pytest.mark.parametrize("damaged", ["train.parquet", "rows.json"])
def test_a_damaged_side_is_made_again(store: Store, tmp_path: Path, damaged: str) -> None:
    rows = rows_of(store, tmp_path, plan())
    file = Path(rows.train).with_name(damaged)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert rows_of(store, tmp_path, plan()) == rows
    assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "changed",
    [
        {"split": {"salt": "other"}},
        {"search": {"folds": 5}},
        {"search": {"seed": 1}},
        {"dataset": {"cleaning": {"duplicates": "keep"}}},
    ],
    ids=["salt", "folds", "seed", "cleaning"],
)
def test_other_settings_give_another_digest(
    store: Store, tmp_path: Path, changed: dict[str, Any]
) -> None:
    assert (
        rows_of(store, tmp_path, plan()).digest != rows_of(store, tmp_path, plan(**changed)).digest
    )


def test_a_search_setting_that_moves_no_row_keeps_the_digest(store: Store, tmp_path: Path) -> None:
    longer = plan(search={"budget_minutes": 60})
    assert rows_of(store, tmp_path, plan()).digest == rows_of(store, tmp_path, longer).digest


def test_a_split_by_time_holds_the_latest_and_never_goes_back(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-2.csv.gz").unlink()
    lines = [f"text {n},{n % 3 - 1},2026-01-{1 + n // 10:02}T00:00:00Z" for n in range(100)]
    (source / "day-1.csv").write_text("\n".join(["comment,mood,at", *lines]))
    timed = plan(
        dataset={"columns": {"comment": "text"}, "time": "at"},
        split={"by": "time", "holdout_share": 0.2},
    )
    rows = rows_of(store, tmp_path, timed)
    train, holdout = sides(rows, "__time")
    assert rows.cutoff == datetime(2026, 1, 9, tzinfo=UTC)
    assert train["__time"].max() < rows.cutoff <= holdout["__time"].min()
    later = datetime(2026, 1, 10, tzinfo=UTC)
    assert rows_of(store, tmp_path, timed, later).cutoff == later


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([f"text {n},1" for n in range(60)], "expected at least two classes, got 1"),
        ([f"text {n},{n % 2}" for n in range(60)], "'-1' has 0"),
        ([f"text {n},{n % 2}" for n in range(60)] + ["x,-1"], "'-1' has [01]"),
        ([f"text {n},{n % 3 - 1}" for n in range(12)], "expected at least 20 rows"),
        (["same text,1"] * 30, r"after leaving out 29 "),
    ],
    ids=["one class", "absent class", "class of one row", "few rows", "one text"],
)
def test_too_little_data_is_rejected_with_counts(
    store: Store, source: Path, tmp_path: Path, lines: list[str], message: str
) -> None:
    (source / "day-2.csv.gz").unlink()
    (source / "day-1.csv").write_text("\n".join(["comment,mood", *lines]))
    with pytest.raises(DataRejected, match=f"Too little to train on.*{message}"):
        rows_of(store, tmp_path, plan(dataset={"columns": {"comment": "text"}}))
    assert not list(tmp_path.glob("work/*"))


def test_floors_are_the_plans(store: Store, source: Path, tmp_path: Path) -> None:
    (source / "day-2.csv.gz").unlink()
    lines = [f"text {n},{n % 2}" for n in range(60)]
    (source / "day-1.csv").write_text("\n".join(["comment,mood", *lines]))
    lax = plan(dataset={"columns": {"comment": "text"}, "floors": {"rows_per_class": 0}})
    assert rows_of(store, tmp_path, lax).train_counts[0][0] == 0


def test_two_runs_that_assemble_at_once_agree(store: Store, tmp_path: Path) -> None:
    shards, made = shards_of(store, tmp_path / "cache", plan()), []
    threads = [
        threading.Thread(target=lambda: made.append(assemble(shards, plan(), tmp_path / "work")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [made[0]] * 4
    assert len(sides(made[0])[0]) == made[0].n_train


def test_a_shard_that_vanished_is_told(store: Store, tmp_path: Path) -> None:
    shards = shards_of(store, tmp_path, plan())
    Path(shards[0].path).unlink()
    with pytest.raises(NightFailed, match=r"the shard of day-1.csv in .*Start the night again"):
        assemble(shards, plan(), tmp_path / "work")


def test_a_shard_damaged_after_assembly_fails_the_night_and_the_next_start_heals_it(
    store: Store, tmp_path: Path
) -> None:
    rows = rows_of(store, tmp_path, plan())
    before = sides(rows, "comment")
    damaged = Path(shards_of(store, tmp_path / "cache", plan())[0].path)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(NightFailed, match=r"the shard of day-1\.csv"):
        sides(rows, "comment")
    assert rows_of(store, tmp_path, plan()) == rows
    for side, again in zip(before, sides(rows, "comment"), strict=True):
        pd.testing.assert_frame_equal(side, again)


def test_the_tasks_give_what_their_functions_give(store: Store, tmp_path: Path) -> None:
    with disable_run_logger():
        found = scan(store, plan().dataset)
        shards = ingestion.ingest_objects.fn(
            store, found, plan(), tmp_path / "cache", tmp_path / "quarantine"
        )
        rows = ingestion.assemble_rows.fn(shards, plan(), tmp_path / "work")
    assert rows == rows_of(store, tmp_path, plan())


@pytest.mark.parametrize(("fault", "again"), [(NightFailed, True), (DataRejected, False)])
def test_only_faults_that_may_pass_are_tried_again(fault: type[Exception], again: bool) -> None:
    again_if = ingestion.ingest_objects.retry_condition_fn
    assert again_if is not None
    assert again_if(ingestion.ingest_objects, None, Failed(data=fault("x"))) is again
