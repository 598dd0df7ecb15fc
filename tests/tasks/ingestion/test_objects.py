import gzip
import logging
import re
import stat
from pathlib import Path

import pandas as pd
import pytest

from schemas.faults import DataRejected, ObjectMissing
from schemas.store import Store
from tasks import ingestion
from tasks.ingestion import ingest
from tasks.scanning import scan
from tests.tasks.ingestion.dropped import LAX, csv, plan, rows_of, shards_of, sides


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
