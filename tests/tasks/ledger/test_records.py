import json
from datetime import timedelta

import pytest

from schemas.faults import StoreConflict
from schemas.ledger import Outcome
from schemas.manifest import Manifest
from schemas.results import ClassChange, Interval, Verdict
from schemas.store import ABSENT, ObjectRef, Store
from tasks.ledger.champions import champion as standing
from tasks.ledger.claims import settle_killed
from tasks.ledger.records import attempts, damaged, history, last_finished, write_record
from tests.tasks.ledger.written import MANIFEST, NOW, record


def test_a_record_is_written_once(store: Store) -> None:
    name = write_record(store, record())
    assert name == "ledger/comments/20261121T020000.000000Z-r1.json"
    assert write_record(store, record()) == name
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        write_record(store, record(outcome="failed"))
    assert history(store) == [record()]


def test_history_is_oldest_first_and_by_plan(store: Store) -> None:
    nights = [
        record("r3", at=NOW + timedelta(days=2)),
        record("r1"),
        record("r2", at=NOW + timedelta(days=1), plan="fire"),
    ]
    for night in nights:
        write_record(store, night)
    assert [r.run_id for r in history(store)] == ["r1", "r2", "r3"]
    assert [r.run_id for r in history(store, "comments")] == ["r1", "r3"]


def test_the_history_of_a_new_home_is_empty(store: Store) -> None:
    assert history(store) == []
    assert standing(store, "comments") == (None, ABSENT)
    assert settle_killed(store, "comments", NOW) == []


def test_a_torn_record_is_named_and_hides_no_other(store: Store) -> None:
    name = write_record(store, record())
    torn = store.read(name)[0][:40]
    store.write("ledger/comments/20261122T020000.000000Z-r2.json", torn, ABSENT)
    assert history(store) == [record()]
    assert damaged(store) == ["ledger/comments/20261122T020000.000000Z-r2.json"]


@pytest.mark.parametrize("outcome", ["held", "insufficient-evidence", "promoted"])
def test_a_finished_night_settles_its_data(outcome: Outcome) -> None:
    nights = [record(outcome=outcome)]
    assert last_finished(nights, "comments") == nights[0]
    assert last_finished(nights, "fire") is None


@pytest.mark.parametrize("outcome", ["skipped", "failed", "rolled-back", "rejected-data"])
def test_an_unfinished_night_leaves_its_data_open(outcome: Outcome) -> None:
    assert last_finished([record(outcome=outcome)], "comments") is None


def test_attempts_are_of_one_plan_as_it_was_and_one_manifest() -> None:
    nights = [
        record("r1", "failed"),
        record("r2", "failed", plan="fire"),
        record("r3", "failed", plan_digest="p2"),
        record("r4", "failed", manifest=None),
        record("r5", "failed", manifest=MANIFEST.model_copy(update={"digest": "other"})),
        record("r6", "rejected-data"),
        record("r7", "failed"),
    ]
    found = attempts(nights, "comments", MANIFEST.digest, "p1", "failed")
    assert [attempt.run_id for attempt in found] == ["r1", "r7"]


def test_a_record_that_held_its_whole_manifest_is_read(store: Store) -> None:
    whole = Manifest(
        source="drops", objects=(ObjectRef(name="a.csv", generation=1, size=1, crc32c="AAAAAA=="),)
    )
    told = record().model_dump(mode="json") | {"manifest": whole.model_dump(mode="json")}
    store.write("ledger/comments/old.json", json.dumps(told).encode(), ABSENT)
    assert [read.manifest for read in history(store)] == [whole.listed()]


def test_news_is_against_the_last_finished_night_not_the_last_seen() -> None:
    nights = [
        record("r1"),
        record("r2", "promoted", NOW + timedelta(days=1)),
        record("r3", "failed", NOW + timedelta(days=2)),
        record("r4", "held", NOW + timedelta(days=3), plan="fire"),
    ]
    assert last_finished(nights, "comments") == nights[1]


def test_a_record_of_before_a_row_could_have_several_labels_is_read(store: Store) -> None:
    f1 = Interval(value=0.1, low=0.0, high=0.2)
    change = ClassChange(target="label", name="yes", f1=f1)
    verdict = Verdict(
        decision="HOLD", reference="version 1", reasons=("a tie",), class_changes=(change,)
    )
    told = json.loads(record().model_copy(update={"verdict": verdict}).model_dump_json())
    del told["verdict"]["class_changes"][0]["target"]
    store.write(f"ledger/comments/{NOW:%Y-%m-%d}-old.json", json.dumps(told).encode(), ABSENT)
    (read,) = history(store, "comments")
    assert read.verdict is not None
    assert read.verdict.class_changes == (change.model_copy(update={"target": ""}),)
