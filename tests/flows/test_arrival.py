"""Looks that start nights, and many more that do not."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import arrival
from flows.arrival import train_on_arrival
from schemas.faults import NightFailed
from tasks.ledger.claims import claim_night, release, utc_now
from tasks.ledger.records import history
from tests.flows.conftest import SMALL

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def small(world):
    world.write_plan(**SMALL)
    return world


def look(world, settle_s=0.0, plans=None):
    return train_on_arrival(plans or [world.plan], settle_s=settle_s, return_state=True)


def outcomes(world):
    return [record.outcome for record in world.history()]


def test_what_arrived_starts_one_night_and_the_next_look_is_skipped_with_the_reason(small):
    assert look(small).is_completed()
    assert outcomes(small) == ["promoted"]
    small.drop("2026-01-02.csv", rows=60, seed=1)
    look(small)
    assert len(outcomes(small)) == 2
    state = look(small)
    assert (state.type.value, state.name) == ("COMPLETED", "Skipped")
    assert "no new data: 2 objects, the same as in the night of" in state.message
    small.write_plan(**SMALL, gate={"confidence": 0.9})
    assert "the plan has changed, which the nightly run takes up" in look(small).message
    assert len(outcomes(small)) == 2


def test_rejected_data_is_told_once_by_looks_and_each_night_by_the_nightly_run(small):
    (small.root / "drops" / "2026-01-02.csv").write_text("")
    assert look(small).is_failed()
    state = look(small)
    assert state.name == "Skipped"
    assert f"(run {small.history()[0].run_id}); mend or remove" in state.message
    assert outcomes(small) == ["rejected-data"]
    assert small.night().outcome == "rejected-data"
    small.write_plan(**SMALL, dataset={"source": "drops", "key": "id", "columns": {"x": "number"}})
    assert look(small).is_failed()  # another plan may take the same data


def test_failed_nights_are_tried_twice(small, monkeypatch):
    def broken(*_):
        raise NightFailed("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("flows.train._retrain", broken)
        assert [look(small).is_failed() for _ in range(3)] == [True, True, False]
    assert outcomes(small) == ["failed", "failed"]
    assert "2 nights on this data failed" in look(small).message
    small.drop("2026-01-02.csv", rows=60, seed=1)
    assert look(small).is_completed()
    assert outcomes(small)[2:] == ["promoted"]


def test_a_look_leaves_a_plan_alone_on_which_a_run_is_at_work(small):
    claim = claim_night(small.store, "tiny", "r1", utc_now())
    state = look(small)
    assert (state.type.value, state.name) == ("COMPLETED", "Skipped")
    assert "run r1 is at work on tiny since" in state.message
    release(small.store, claim)
    assert outcomes(small) == []


def test_a_look_during_a_night_of_another_plan_leaves_the_machine_to_it(small):
    other = small.root / "other.yaml"
    other.write_text(Path(small.plan).read_text().replace("name: tiny", "name: other"))
    claim_night(small.store, "other", "r1", utc_now())
    state = look(small, plans=[small.plan, str(other)])
    assert state.name == "Skipped"
    assert "run r1 is at work on other since" in state.message
    assert state.message.endswith("on this machine; a later look takes up what has arrived")
    assert outcomes(small) == []


def test_a_night_of_another_machine_keeps_a_look_off_its_own_plan_only(small, monkeypatch):
    other = small.root / "other.yaml"
    other.write_text(Path(small.plan).read_text().replace("name: tiny", "name: other"))
    claim = claim_night(small.store, "other", "r1", utc_now())
    elsewhere = claim.model_copy(update={"host": "elsewhere"})
    monkeypatch.setattr(
        arrival, "at_work", lambda _, plan, now: elsewhere if plan == "other" else None
    )
    assert look(small, plans=[small.plan, str(other)]).is_completed()
    assert outcomes(small) == ["promoted"]
    assert [record.plan for record in history(small.store, "other")] == []


def test_a_killed_night_is_taken_up_by_the_next_look(small):
    claim_night(small.store, "tiny", "r1", utc_now() - timedelta(hours=1))
    assert look(small).is_completed()
    assert outcomes(small) == ["failed", "promoted"]


def test_objects_that_are_still_arriving_wait_for_the_next_look(small, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        small.drop("2026-01-02.csv", rows=60, seed=1)

    monkeypatch.setattr(arrival, "time", SimpleNamespace(sleep=sleep))
    state = look(small, settle_s=7)
    assert (state.name, slept) == ("Skipped", [7])
    assert "objects are still arriving" in state.message
    assert outcomes(small) == []


def test_a_finished_folder_does_not_wait(small, monkeypatch):
    monkeypatch.setattr(arrival, "time", SimpleNamespace(sleep=pytest.fail))
    columns = {"x": "number", "noise": "number", "colour": "category"}
    dataset = {"source": "drops", "key": "id", "marker": "_SUCCESS", "columns": columns}
    small.write_plan(**SMALL, dataset=dataset)
    state = look(small, settle_s=60)
    assert "1 wait for '_SUCCESS' in their folder" in state.message
    (small.root / "drops" / "_SUCCESS").touch()
    assert look(small, settle_s=60).is_completed()
    assert outcomes(small) == ["promoted"]


def test_plans_that_can_not_be_looked_at_are_told_and_leave_no_record(small):
    (small.root / "bad.yaml").write_text("name: bad\nsurprise: 1\n")
    (small.root / "drops" / "2026-01-01.csv").rename(small.root / "elsewhere.csv")
    state = look(small, plans=[str(small.root / "bad.yaml"), small.plan])
    assert state.name == "Skipped"
    assert "bad.yaml: no look was possible:" in state.message
    assert "no objects yet" in state.message
    assert not (small.root / "home" / "state" / "ledger").exists()
