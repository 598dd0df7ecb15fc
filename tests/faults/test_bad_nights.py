"""Rows of which each is valid, and which all together are not what a night may learn from."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.standing import (
    BAD,
    FIRST,
    Standing,
    as_csv,
    every,
    fine_without,
    refused,
    rows,
    spoiled,
)

pytestmark = pytest.mark.filterwarnings("default")


def _restored(world: Standing, before: bytes) -> None:
    world.put(before, FIRST)
    fine_without(world)


def test_one_class_alone_is_refused_before_anything_is_trained(world: Standing) -> None:
    before = (world.drops / FIRST).read_bytes()
    world.put(as_csv(spoiled(rows(200), {"y": every("no", 200)})), FIRST)
    told = refused(world)
    assert "expected at least two classes, got no;" in told.record.reasons[0]
    table = world.findings(told.record)
    assert table["object"].unique().tolist() == ["all objects together"]
    assert table["what_to_do"].str.contains("Add labelled rows, or lower the floor").all()
    _restored(world, before)


def test_a_class_of_one_row_is_named_with_its_count(world: Standing) -> None:
    before = (world.drops / FIRST).read_bytes()
    labels = every("no", 100) | dict.fromkeys(range(101, 200), "yes") | {200: "NA"}
    world.put(as_csv(spoiled(rows(200), {"y": labels})), FIRST)
    told = refused(world)
    assert "'NA' has " in told.record.reasons[0]
    assert "dataset.floors.rows_per_class" in told.record.reasons[0]
    _restored(world, before)


def test_too_few_rows_are_refused_with_the_floor(world: Standing) -> None:
    before = (world.drops / FIRST).read_bytes()
    world.put(as_csv(rows(15)), FIRST)
    told = refused(world)
    assert "expected at least 20 rows (dataset.floors.rows), got " in told.record.reasons[0]
    _restored(world, before)


def test_texts_that_come_again_stay_on_their_side_and_the_champion_stays(world: Standing) -> None:
    world.write_plan(key=None, ignore={"id": "names nothing but the row"})
    assert world.night().outcome == "held"  # by texts, as by ids
    before = world.champion()
    again = rows(600, draw_of=0)
    again["id"] = "again-" + again["id"]
    again["note"] = "  " + again["note"].str.upper().str.replace(" ", "  ")
    world.put(as_csv(again))
    record = world.night()
    assert record.outcome == "held", record.reasons
    assert world.champion() == before
    train, holdout = world.groups(record)
    assert not train & holdout
    assert len(train | holdout) == 600  # nothing lost, and each text once
    assert world.night().outcome == "skipped"
    (world.drops / BAD).unlink()
    world.put(as_csv(rows(60, draw_of=3)), "2026-01-03.csv")
    assert world.night().outcome in {"promoted", "held", "insufficient-evidence"}


def test_rows_of_a_day_to_come_are_refused_by_number(world: Standing) -> None:
    columns = {name: role for name, role in world.columns.items() if name != "seen"}
    world.write_plan(columns=columns, time="seen")
    late = f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%dT%H:%M:%SZ}"
    world.put(as_csv(spoiled(rows(), {"seen": {4: late, 9: late}})))
    told = refused(world)
    assert f"2 later in {BAD} (rows 4, 9)" in told.record.reasons[0]
    finding = told.of(BAD)
    assert (finding["column"], finding["row_numbers"]) == ("seen", "4 9")
    assert "clock or the time zone" in finding["what_to_do"]


def test_classes_that_moved_are_refused_where_the_plan_says_so(world: Standing) -> None:
    world.write_plan(drift={"action": "reject", "min_rows": 50})
    world.put(as_csv(spoiled(rows(), {"y": every("yes")})))
    told = refused(world)
    assert f"Drift in {BAD}" in told.record.reasons[0]
    table = world.findings(told.record)
    assert table["expected"].str.contains("the share of class 'yes' of 'y' near 31.5%").any()
    assert table["got"].str.contains("100.0% of 60 rows").any()
    assert table["what_to_do"].str.contains("dataset.drift.action: warn").all()


def test_by_default_drift_is_told_and_learned_from_and_then_it_is_no_news(world: Standing) -> None:
    gone = rows()
    world.put(as_csv(spoiled(gone, {"y": every("yes"), "x": every("")})))
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}, record.reasons
    notes = [reason for reason in record.reasons if reason.startswith(f"drift in {BAD}: ")]
    assert any("class 'yes' of 'y' is 100.0% of 60 rows, was 31.5% of 600" in n for n in notes)
    assert any("missing cells of 'x' is 100.0% of 60 rows, was 0.0%" in n for n in notes)
    page = world.home / "state" / "models" / "standing" / record.run_id / "night.json"
    assert '"where": "2026-01-02.csv"' in page.read_text()
    assert record.profile.rows == 660
    assert record.profile.missing["x"] == 60
    assert world.findings(record)["object"].unique().tolist() == [BAD]
    assert world.night().outcome == "skipped"


def test_a_column_without_any_value_is_named_and_the_others_are_learned_from(
    world: Standing,
) -> None:
    world.put(as_csv(spoiled(rows(200), {"x": every("", 200)})), FIRST)
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}, record.reasons
    assert any("no value in any of 200 rows: 'x'" in reason for reason in record.reasons)


def test_a_bit_that_flips_in_a_kept_shard_fails_one_night_and_the_next_reads_anew(
    world: Standing,
) -> None:
    world.write_plan(cleaning={"missing_text": "reject"})  # other rows are made of the same shard
    (shard,) = (world.home / "cache" / "standing" / "shards").glob("*.parquet")
    content = bytearray(shard.read_bytes())
    content[len(content) // 4] ^= 1
    shard.write_bytes(content)
    record = world.night()
    assert record.outcome == "failed", record.reasons
    assert f"the shard of {FIRST}" in record.reasons[0]
    assert "Start the night again" in record.reasons[0]
    assert world.night().outcome in {"promoted", "held", "insufficient-evidence"}
