import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.faults import NightClaimed, NightFailed, StoreConflict
from schemas.ledger import Champion, Claim, Outcome, Record
from schemas.manifest import Manifest
from schemas.results import ClassChange, Interval, Verdict
from schemas.store import ABSENT, ObjectRef, Store
from tasks import ledger
from tasks.ledger import Heartbeat
from tasks.storage import open_store

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
MANIFEST = Manifest(
    source="drops", objects=(ObjectRef(name="a.csv", generation=1, size=1, crc32c="AAAAAA=="),)
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "home"))


def record(
    run_id: str = "r1",
    outcome: Outcome = "held",
    at: datetime = NOW,
    plan: str = "comments",
    manifest: Manifest | None = MANIFEST,
    plan_digest: str = "p1",
) -> Record:
    return Record(
        plan=plan,
        outcome=outcome,
        run_id=run_id,
        started_at=at,
        ended_at=at + timedelta(minutes=5),
        reasons=("because",),
        plan_digest=plan_digest,
        code_version="0.1.0",
        manifest=manifest,
    )


def champion(version: int, previous: int | None = None, run_id: str = "r1") -> Champion:
    return Champion(
        plan="comments",
        version=version,
        digest=f"d{version}",
        since=NOW,
        run_id=run_id,
        previous=previous,
    )


def hold(store: Store, claim: Claim) -> None:
    """Puts somebody else's claim into the store."""
    store.write("claims/comments/m1.json", claim.model_dump_json().encode(), ABSENT)


def foreign(**changes: object) -> Claim:
    return Claim.model_validate(
        {
            "plan": "comments",
            "manifest_digest": "m1",
            "run_id": "other",
            "host": "another-host",
            "pid": 1,
            "started_at": NOW,
            "expires_at": NOW + timedelta(seconds=120),
            "plan_digest": "p1",
            "code_version": "0.1.0",
            **changes,
        }
    )


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_live_run_keeps_its_claim(store: Store) -> None:
    ledger.claim_night(store, "comments", "m1", "r1", NOW)
    with pytest.raises(NightClaimed, match=r"run r1 at work on it \(process \d+ on .* Wait for it"):
        ledger.claim_night(store, "comments", "m1", "r2", NOW)


def test_other_data_and_other_plans_are_free(store: Store) -> None:
    ledger.claim_night(store, "comments", "m1", "r1", NOW)
    assert ledger.claim_night(store, "comments", "m2", "r2", NOW).run_id == "r2"
    assert ledger.claim_night(store, "fire", "m1", "r3", NOW).run_id == "r3"


def test_of_sixteen_claimers_one_wins(store: Store) -> None:
    barrier, outcomes = threading.Barrier(16), []

    def claim(number: int) -> None:
        barrier.wait()
        try:
            outcomes.append(ledger.claim_night(store, "comments", "m1", f"r{number}", NOW).run_id)
        except NightClaimed:
            outcomes.append("claimed")

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 16
    assert outcomes.count("claimed") == 15


def test_of_sixteen_claimers_of_a_dead_runs_claim_one_wins(store: Store) -> None:
    hold(store, foreign(host=socket.gethostname(), pid=dead_pid()))
    test_of_sixteen_claimers_one_wins(store)
    assert [(r.run_id, r.note) for r in ledger.history(store)] == [("other", "killed")]


def test_the_same_run_may_claim_again(store: Store) -> None:
    ledger.claim_night(store, "comments", "m1", "r1", NOW)
    assert ledger.claim_night(store, "comments", "m1", "r1", NOW).run_id == "r1"
    assert ledger.history(store) == []


def test_a_silent_host_loses_its_claim_when_it_runs_out(store: Store) -> None:
    hold(store, foreign())
    with pytest.raises(NightClaimed, match="process 1 on another-host"):
        ledger.claim_night(store, "comments", "m1", "r2", NOW + timedelta(seconds=119))
    ledger.claim_night(store, "comments", "m1", "r2", NOW + timedelta(seconds=120))
    assert [r.run_id for r in ledger.history(store)] == ["other"]


def test_a_dead_process_of_this_host_loses_its_claim_at_once(store: Store) -> None:
    hold(store, foreign(host=socket.gethostname(), pid=dead_pid()))
    assert ledger.claim_night(store, "comments", "m1", "r2", NOW).run_id == "r2"
    (killed,) = ledger.history(store)
    assert (killed.outcome, killed.note, killed.plan_digest) == ("failed", "killed", "p1")
    assert "ended without a record" in killed.reasons[0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_pid_that_was_given_to_a_later_process_is_dead(store: Store) -> None:
    hold(
        store,
        foreign(
            host=socket.gethostname(),
            pid=os.getpid(),
            process_start="a1b2c3d4-1",
        ),
    )
    assert ledger.claim_night(store, "comments", "m1", "r2", NOW).run_id == "r2"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_corpse_that_nobody_buried_is_dead(store: Store) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    hold(store, foreign(host=socket.gethostname(), pid=child.pid, process_start="a1b2c3d4-1"))
    assert ledger.claim_night(store, "comments", "m1", "r2", NOW).run_id == "r2"
    child.wait()


def test_another_process_of_this_host_keeps_its_claim_until_it_dies(store: Store) -> None:
    program = (
        "import sys\n"
        "from datetime import datetime\n"
        "from tasks import ledger, storage\n"
        "now = datetime.fromisoformat(sys.argv[2])\n"
        "ledger.claim_night(storage.open_store(sys.argv[1]), 'comments', 'm1', 'r1', now)\n"
        "print('claimed', flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", program, store.uri, NOW.isoformat()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"claimed\n"
        with pytest.raises(NightClaimed, match=f"process {child.pid} on"):
            ledger.claim_night(store, "comments", "m1", "r2", NOW)
        child.kill()
    (killed,) = ledger.settle_killed(store, "comments", NOW)
    assert (killed.run_id, killed.note) == ("r1", "killed")
    assert ledger.claim_night(store, "comments", "m1", "r2", NOW).run_id == "r2"


def test_an_unreadable_claim_holds_nobody_up(store: Store) -> None:
    store.write("claims/comments/m1.json", b'{"plan": "comm', ABSENT)
    assert ledger.claim_night(store, "comments", "m1", "r1", NOW).run_id == "r1"


def test_a_renewed_claim_lives_on(store: Store) -> None:
    claim = ledger.claim_night(store, "comments", "m1", "r1", NOW, ttl_s=60)
    later = NOW + timedelta(seconds=50)
    assert ledger.renew(store, claim, later).expires_at == later + timedelta(seconds=60)
    with pytest.raises(NightClaimed, match="run r1 at work"):
        ledger.claim_night(store, "comments", "m1", "r2", NOW + timedelta(seconds=70))


def test_a_claim_that_was_taken_over_can_be_neither_renewed_nor_released(store: Store) -> None:
    claim = ledger.claim_night(store, "comments", "m1", "r1", NOW)
    ledger.claim_night(store, "comments", "m1", "r2", NOW + timedelta(seconds=121))
    with pytest.raises(StoreConflict, match=r"Expected run r1 to hold .* got r2: this run was sil"):
        ledger.renew(store, claim, NOW + timedelta(seconds=122))
    ledger.release(store, claim)
    assert [ref.name for ref in store.list("claims/")] == ["claims/comments/m1.json"]


def test_a_released_claim_is_gone_and_free(store: Store) -> None:
    claim = ledger.claim_night(store, "comments", "m1", "r1", NOW)
    ledger.release(store, claim)
    ledger.release(store, claim)
    assert list(store.list("claims/")) == []
    with pytest.raises(StoreConflict, match="got no claim"):
        ledger.renew(store, claim, NOW)


def test_a_heartbeat_outlives_the_first_expiry(store: Store) -> None:
    claim = ledger.claim_night(store, "comments", "m1", "r1", ledger.utc_now(), ttl_s=0.4)
    with Heartbeat(store, claim) as heartbeat:
        time.sleep(0.8)
        heartbeat.check()
        with pytest.raises(NightClaimed, match="run r1 at work"):
            ledger.claim_night(store, "comments", "m1", "r2", ledger.utc_now())


def test_a_heartbeat_tells_that_the_claim_was_lost(store: Store) -> None:
    claim = ledger.claim_night(store, "comments", "m1", "r1", NOW, ttl_s=0.2)
    ledger.claim_night(store, "comments", "m1", "r2", NOW + timedelta(days=1))
    with Heartbeat(store, claim) as heartbeat:
        time.sleep(0.3)
        with pytest.raises(StoreConflict, match="lost its turn"):
            heartbeat.check()


def test_a_record_is_written_once(store: Store) -> None:
    name = ledger.write_record(store, record())
    assert name == "ledger/comments/20261121T020000.000000Z-r1.json"
    assert ledger.write_record(store, record()) == name
    with pytest.raises(StoreConflict, match="somebody else wrote it first"):
        ledger.write_record(store, record(outcome="failed"))
    assert ledger.history(store) == [record()]


def test_history_is_oldest_first_and_by_plan(store: Store) -> None:
    nights = [
        record("r3", at=NOW + timedelta(days=2)),
        record("r1"),
        record("r2", at=NOW + timedelta(days=1), plan="fire"),
    ]
    for night in nights:
        ledger.write_record(store, night)
    assert [r.run_id for r in ledger.history(store)] == ["r1", "r2", "r3"]
    assert [r.run_id for r in ledger.history(store, "comments")] == ["r1", "r3"]


def test_the_history_of_a_new_home_is_empty(store: Store) -> None:
    assert ledger.history(store) == []
    assert ledger.champion(store, "comments") == (None, ABSENT)
    assert ledger.settle_killed(store, "comments", NOW) == []


def test_a_torn_record_is_named_and_hides_no_other(store: Store) -> None:
    name = ledger.write_record(store, record())
    torn = store.read(name)[0][:40]
    store.write("ledger/comments/20261122T020000.000000Z-r2.json", torn, ABSENT)
    assert ledger.history(store) == [record()]
    assert ledger.damaged(store) == ["ledger/comments/20261122T020000.000000Z-r2.json"]


@pytest.mark.parametrize("outcome", ["held", "insufficient-evidence", "promoted"])
def test_a_finished_night_settles_its_data_under_its_plan(outcome: Outcome) -> None:
    nights = [record(outcome=outcome)]
    assert ledger.finished_for(nights, "comments", MANIFEST.digest, "p1") == nights[0]
    assert ledger.finished_for(nights, "comments", MANIFEST.digest, "p2") is None
    assert ledger.finished_for(nights, "comments", "other", "p1") is None
    assert ledger.finished_for(nights, "fire", MANIFEST.digest, "p1") is None


@pytest.mark.parametrize("outcome", ["skipped", "failed", "rolled-back", "rejected-data"])
def test_an_unfinished_night_leaves_its_data_open(outcome: Outcome) -> None:
    nights = [record(outcome=outcome)]
    assert ledger.finished_for(nights, "comments", MANIFEST.digest, "p1") is None
    assert ledger.last_finished(nights, "comments") is None


def test_news_is_against_the_last_finished_night_not_the_last_seen() -> None:
    nights = [
        record("r1"),
        record("r2", "promoted", NOW + timedelta(days=1)),
        record("r3", "failed", NOW + timedelta(days=2)),
        record("r4", "held", NOW + timedelta(days=3), plan="fire"),
    ]
    assert ledger.last_finished(nights, "comments") == nights[1]


def test_a_killed_run_becomes_a_failed_record_and_its_claim_goes(store: Store) -> None:
    hold(store, foreign())
    assert ledger.settle_killed(store, "comments", NOW + timedelta(seconds=60)) == []
    (killed,) = ledger.settle_killed(store, "comments", NOW + timedelta(seconds=300))
    assert (killed.outcome, killed.note, killed.run_id) == ("failed", "killed", "other")
    assert killed.ended_at == NOW + timedelta(seconds=120)
    assert ledger.history(store) == [killed]
    assert ledger.settle_killed(store, "comments", NOW + timedelta(seconds=300)) == []
    assert list(store.list("claims/")) == []


def test_a_run_killed_between_record_and_release_is_not_recorded_twice(store: Store) -> None:
    hold(store, foreign())
    ledger.write_record(store, record("other"))
    assert ledger.settle_killed(store, "comments", NOW + timedelta(hours=1)) == []
    assert ledger.history(store) == [record("other")]
    assert list(store.list("claims/")) == []


def test_a_run_killed_between_promotion_and_record_keeps_the_champion_in_history(
    store: Store,
) -> None:
    hold(store, foreign())
    ledger.move_champion(store, "comments", champion(2, previous=1, run_id="other"), ABSENT)
    (killed,) = ledger.settle_killed(store, "comments", NOW + timedelta(hours=1))
    assert (killed.champion_before, killed.champion_after) == (1, 2)


def test_the_champion_moves_only_from_where_it_was_read(store: Store) -> None:
    first = ledger.move_champion(store, "comments", champion(1), ABSENT)
    with pytest.raises(StoreConflict, match="Expected generation 0"):
        ledger.move_champion(store, "comments", champion(2), ABSENT)
    second = ledger.move_champion(store, "comments", champion(2, 1), first)
    assert ledger.champion(store, "comments") == (champion(2, 1), second)


def test_eight_promoters_form_one_unbroken_chain(store: Store) -> None:
    ledger.move_champion(store, "comments", champion(0), ABSENT)
    barrier, moved = threading.Barrier(8), []

    def promote(number: int) -> None:
        barrier.wait()
        for turn in range(4):
            before, generation = ledger.champion(store, "comments")
            assert before is not None
            after = champion(1 + number + 8 * turn, previous=before.version)
            try:
                ledger.move_champion(store, "comments", after, generation)
            except StoreConflict:
                continue
            moved.append(after)

    threads = [threading.Thread(target=promote, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = {move.previous: move.version for move in moved}
    assert len(after) == len(moved) >= 4, "two promoters replaced the same champion"
    version = 0
    for _ in moved:
        version = after[version]
    last, _ = ledger.champion(store, "comments")
    assert last is not None
    assert last.version == version


def test_an_unreadable_champion_is_never_taken_for_none(store: Store) -> None:
    store.write("champions/comments/champion.json", b'{"plan"', ABSENT)
    with pytest.raises(NightFailed, match="never replaced blindly"):
        ledger.champion(store, "comments")


def test_a_record_of_before_a_row_could_have_several_labels_is_read(store: Store) -> None:
    f1 = Interval(value=0.1, low=0.0, high=0.2)
    change = ClassChange(target="label", name="yes", f1=f1)
    verdict = Verdict(
        decision="HOLD", reference="version 1", reasons=("a tie",), class_changes=(change,)
    )
    told = json.loads(record().model_copy(update={"verdict": verdict}).model_dump_json())
    del told["verdict"]["class_changes"][0]["target"]
    store.write(f"ledger/comments/{NOW:%Y-%m-%d}-old.json", json.dumps(told).encode(), ABSENT)
    (read,) = ledger.history(store, "comments")
    assert read.verdict is not None
    assert read.verdict.class_changes == (change.model_copy(update={"target": ""}),)
