import gzip
import logging
import re
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prefect.logging import disable_run_logger
from prefect.states import Failed

from learning.rows import assembly
from learning.rows.assembly import assemble
from learning.rows.sides import read_side
from schemas.faults import DataRejected, NightFailed, ObjectMissing
from schemas.manifest import Rows, Shard
from schemas.plan import Plan
from schemas.store import Store
from tasks import ingestion
from tasks.ingestion import ingest
from tasks.scanning import scan
from tasks.storage import open_store

COMMENTS = {
    "name": "comments",
    "dataset": {"source": "drops", "columns": {"comment": "text", "likes": "number"}},
    "label": {"column": "mood", "classes": [-1, 0, 1]},
}


def plan(**changes: Any) -> Plan:
    dataset = COMMENTS["dataset"] | changes.pop("dataset", {})  # type: ignore[operator]
    return Plan.model_validate(COMMENTS | {"dataset": dataset} | changes)


LAX = {"dataset": {"quarantine": {"max_share": 0.05}}}


def csv(first: int, count: int) -> str:
    rows = (f"comment number {n},{n % 7},{n % 3 - 1}" for n in range(first, first + count))
    return "\n".join(["comment,likes,mood", *rows]) + "\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "drops"
    folder.mkdir()
    (folder / "day-1.csv").write_text(csv(0, 90))
    (folder / "day-2.csv.gz").write_bytes(gzip.compress(csv(90, 60).encode()))
    return folder


@pytest.fixture
def store(source: Path) -> Store:
    return open_store(str(source))


def shards_of(
    store: Store, cache: Path, wanted: Plan, on_read: Callable[[str], object] = len
) -> tuple[Shard, ...]:
    manifest = scan(store, wanted.dataset)
    return ingest(store, manifest, wanted, cache, cache / "quarantine", on_read)


def rows_of(store: Store, folder: Path, wanted: Plan, not_before: datetime | None = None) -> Rows:
    return assemble(shards_of(store, folder / "cache", wanted), wanted, folder / "work", not_before)


def sides(rows: Rows, *columns: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and keys of either side, and these columns."""
    names = ["__label0", "__key", *columns]
    train = read_side(rows.train, [*names, "__fold"])
    return train.to_pandas(), read_side(rows.holdout, names).to_pandas()


def test_shards_stand_in_the_order_of_names_with_their_rows(store: Store, tmp_path: Path) -> None:
    shards = shards_of(store, tmp_path, plan())
    assert [(shard.object_name, shard.rows) for shard in shards] == [
        ("day-1.csv", 90),
        ("day-2.csv.gz", 60),
    ]
    assert not any("day" in Path(shard.path).name for shard in shards)


def test_only_new_objects_are_read(store: Store, source: Path, tmp_path: Path) -> None:
    first = shards_of(store, tmp_path, plan())
    (source / "day-3.csv").write_text(csv(150, 30))
    read: list[str] = []
    again = shards_of(store, tmp_path, plan(), read.append)
    assert read == ["day-3.csv"]
    assert again[:2] == first


def test_another_meaning_of_the_columns_reads_again(store: Store, tmp_path: Path) -> None:
    shards_of(store, tmp_path, plan())
    other = plan(dataset={"columns": {"comment": "text"}, "ignore": {"likes": "not yet there"}})
    read: list[str] = []
    shards_of(store, tmp_path, other, read.append)
    assert read == ["day-1.csv", "day-2.csv.gz"]


def test_a_damaged_shard_is_read_again(store: Store, tmp_path: Path) -> None:
    shards = shards_of(store, tmp_path, plan())
    whole = Path(shards[0].path).read_bytes()
    Path(shards[0].path).write_bytes(whole[:-20])
    assert shards_of(store, tmp_path, plan()) == shards
    assert Path(shards[0].path).read_bytes() == whole


def test_the_faults_of_all_objects_are_told_at_once_and_no_cell_is(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text("comment,likes,mood\nsecret words,many,1\n")
    (source / "day-4.csv").write_text("comment,likes,mood\nfine,1,9\n")
    with pytest.raises(DataRejected, match=r"(?s)day-3.csv.*likes.*day-4.csv.*'9'") as fault:
        shards_of(store, tmp_path, plan())
    assert "secret words" not in str(fault.value)


def test_faults_of_many_objects_are_counted(store: Store, source: Path, tmp_path: Path) -> None:
    for day in range(3, 16):
        (source / f"day-{day}.csv").write_text("comment,likes,mood\nfine,1,9\n")
    with pytest.raises(DataRejected, match=r"\.\.\. and 3 more objects"):
        shards_of(store, tmp_path, plan())


def test_a_rejection_has_the_findings_of_all_objects(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text("comment,likes,mood\nfine,1,9\n")
    (source / "day-4.csv").write_bytes(b"comment,likes,mood\nfine,1,1\n\xff\xff")
    (source / "day-5.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataRejected, match="day-4") as fault:
        shards_of(store, tmp_path, plan())
    found = {finding.object_name: finding for finding in fault.value.findings}
    assert list(found) == ["day-4.csv", "day-5.parquet", "day-3.csv"]
    assert (found["day-3.csv"].column, found["day-3.csv"].rows) == ("mood", (1,))
    assert found["day-4.csv"].offsets == (28,)
    assert (found["day-5.parquet"].count, found["day-5.parquet"].todo) == (0, "Export it again.")


def test_a_known_shard_tells_again_what_its_rows_are(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text("comment,likes,mood\nfine,1,9\nfine,,1\n")
    for _ in range(2):
        shard = shards_of(store, tmp_path, plan(**LAX))[2]
        assert [finding.reason for finding in shard.findings] == list(shard.faults)
        assert shard.class_counts == ((0, 0, 1),)
        assert shard.missing == {"comment": 0, "likes": 1}
        assert shard.stored == dict.fromkeys(("comment", "likes", "mood"), "string")


def test_a_few_rows_that_break_the_schema_are_set_aside_with_their_reasons(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\nfine,1,9\n")
    shards = shards_of(store, tmp_path, plan(**LAX))
    assert [(shard.rows, shard.quarantined) for shard in shards] == [(90, 0), (60, 0), (60, 2)]
    assert [shard.quarantine for shard in shards[:2]] == ["", ""]
    aside = Path(shards[2].quarantine)
    assert aside.parent == tmp_path / "quarantine"
    assert aside.name.startswith("day-3.csv-")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    table = pd.read_csv(aside, dtype=str)
    assert table["row"].tolist() == ["61", "62"]
    assert table["comment"].tolist() == ["secret words", "fine"]
    assert table["reasons"].str.contains("likes").tolist() == [True, False]
    assert table["reasons"].str.contains("mood").tolist() == [False, True]


def test_rows_set_aside_are_in_no_side_and_counted_by_reason(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\nfine,1,9\n")
    rows = rows_of(store, tmp_path, plan(**LAX))
    texts = pd.concat(sides(rows, "comment"))["comment"]
    assert len(texts) == 210
    assert not {"secret words", "fine"} & set(texts)
    assert sorted(rows.quarantined.values()) == [1, 1]


def test_a_shard_remembers_what_was_set_aside(store: Store, source: Path, tmp_path: Path) -> None:
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\n")
    first = shards_of(store, tmp_path, plan(**LAX))
    assert shards_of(store, tmp_path, plan(**LAX), pytest.fail) == first
    strict = plan(dataset={"quarantine": {"max_share": 0}})
    with pytest.raises(DataRejected, match=r"at most 0 % .* got 1 of 211 rows \(0\.474 %\)"):
        shards_of(store, tmp_path, strict, pytest.fail)


def test_a_quarantine_file_that_is_gone_is_made_again(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\n")
    first = shards_of(store, tmp_path, plan(**LAX))
    Path(first[2].quarantine).unlink()
    read: list[str] = []
    assert shards_of(store, tmp_path, plan(**LAX), read.append) == first
    assert read == ["day-3.csv"]
    assert Path(first[2].quarantine).is_file()


def test_the_limit_is_a_share_of_all_rows_of_the_scan(
    store: Store, source: Path, tmp_path: Path
) -> None:
    # 2 of 5 rows of the object, and 2 of 155 of all.
    (source / "day-3.csv").write_text(csv(150, 3) + "fine,1,9\nfine,2,9\n")
    exact = plan(dataset={"quarantine": {"max_share": 2 / 155}})
    assert len(shards_of(store, tmp_path, exact)) == 3
    less = plan(dataset={"quarantine": {"max_share": 0.012}})
    with pytest.raises(DataRejected, match=r"at most 1\.2 % .*got 2 of 155 rows \(1\.29 %\)"):
        shards_of(store, tmp_path, less)


def test_one_broken_row_alone_in_its_object_is_a_matter_of_the_limit_too(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text("comment,likes,mood\nsecret words,many,1\n")
    shards = shards_of(store, tmp_path, plan(**LAX))
    assert [(shard.rows, shard.quarantined) for shard in shards] == [(90, 0), (60, 0), (0, 1)]
    assert shards_of(store, tmp_path, plan(**LAX), pytest.fail) == shards
    assert "secret words" in Path(shards[2].quarantine).read_text()
    rows = rows_of(store, tmp_path, plan(**LAX))
    assert sum(map(len, sides(rows))) == 150


def test_a_scan_of_broken_rows_alone_is_rejected_by_the_limit(
    store: Store, source: Path, tmp_path: Path
) -> None:
    for path in source.iterdir():
        path.unlink()
    (source / "day-3.csv").write_text("comment,likes,mood\nsecret words,many,1\nfine,1,9\n")
    told = r"at most 99 % .*max_share\), got 2 of 2 rows \(100 %\): [^\n]*\nday-3\.csv: 2 faults"
    with pytest.raises(DataRejected, match=told):
        shards_of(store, tmp_path, plan(dataset={"quarantine": {"max_share": 0.99}}))


def test_too_many_broken_rows_reject_the_data_with_counts_rows_and_place(
    store: Store, source: Path, tmp_path: Path
) -> None:
    (source / "day-3.csv").write_text(csv(150, 9) + "secret words,many,1\n")
    (source / "day-4.csv").write_text(csv(170, 9) + "fine,1,9\nfine,2,9\n")
    with pytest.raises(DataRejected, match=r"max_share\), got 3 of 171 rows") as fault:
        shards_of(store, tmp_path, plan())
    told = str(fault.value)
    assert re.search(r"column 'mood': .* \(2\); column 'likes': .* \(1\)", told)
    assert re.search(r"day-3\.csv: .*\n.*'likes'.*row 10", told)
    assert re.search(r"day-4\.csv: .*\n.*'mood'.*'9'.*rows 10, 11", told)
    assert str(tmp_path / "quarantine") in told
    assert "secret words" not in told
    assert len(list((tmp_path / "quarantine").glob("day-*.csv"))) == 2


def test_a_mere_check_sets_nothing_aside(store: Store, source: Path, tmp_path: Path) -> None:
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\n")
    found = scan(store, plan().dataset)
    shards = ingest(store, found, plan(**LAX), tmp_path, None)
    assert (shards[2].quarantined, shards[2].quarantine) == (1, "")
    assert not [path for path in tmp_path.rglob("*day-3*") if path.parent != source]


def test_what_was_set_aside_is_warned_of(
    store: Store,
    source: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingestion, "get_run_logger", logging.getLogger)
    (source / "day-3.csv").write_text(csv(150, 60) + "secret words,many,1\n")
    found = scan(store, plan().dataset)
    with caplog.at_level(logging.INFO):
        ingestion.ingest_objects.fn(store, found, plan(**LAX), tmp_path, tmp_path / "quarantine")
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage().startswith("set aside 1 of 211 rows (0.474 %): column 'likes'")
    assert warning.getMessage().endswith(f"see {tmp_path / 'quarantine'}")


def test_an_empty_object_is_rejected_data(store: Store, source: Path, tmp_path: Path) -> None:
    (source / "day-3.csv").write_bytes(b"")
    with pytest.raises(DataRejected, match=r"day-3\.csv"):
        shards_of(store, tmp_path, plan())


def test_an_object_that_changed_since_the_scan_is_not_read(
    store: Store, source: Path, tmp_path: Path
) -> None:
    found = scan(store, plan().dataset)
    (source / "day-2.csv.gz").write_bytes(gzip.compress(csv(91, 60).encode()))
    with pytest.raises(ObjectMissing, match="changed while it was being read"):
        ingest(store, found, plan(), tmp_path, tmp_path / "quarantine")
    assert len(list((tmp_path / "shards").iterdir())) == 1


def test_reading_leaves_no_litter(store: Store, tmp_path: Path) -> None:
    rows_of(store, tmp_path, plan())
    assert not list(tmp_path.rglob(".reading-*")) + list(tmp_path.rglob(".making-*"))


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
    assert ingestion._may_pass(None, None, Failed(data=fault("x"))) is again
