import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.faults import NightClaimed, StoreConflict
from schemas.store import ABSENT, Store
from tasks.ledger.champions import move_champion
from tasks.ledger.claims import (
    Heartbeat,
    at_work,
    claim_night,
    release,
    renew,
    settle_killed,
    utc_now,
)
from tasks.ledger.records import history, write_record
from tests.tasks.ledger.written import MANIFEST, NOW, champion, dead_pid, foreign, hold, record


def test_a_live_run_keeps_its_claim(store: Store) -> None:
    claim_night(store, "comments", "r1", NOW)
    with pytest.raises(NightClaimed, match=r"run r1 at work on it \(process \d+ on .* Wait for it"):
        claim_night(store, "comments", "r2", NOW)


def test_other_plans_are_free(store: Store) -> None:
    claim_night(store, "comments", "r1", NOW)
    assert claim_night(store, "fire", "r2", NOW).run_id == "r2"


def test_a_look_tells_who_is_at_work(store: Store) -> None:
    assert at_work(store, "comments", NOW) is None
    claim = claim_night(store, "comments", "r1", NOW)
    assert at_work(store, "comments", NOW) == claim
    assert at_work(store, "comments", NOW + timedelta(seconds=121)) is None


def test_what_a_run_works_on_stands_in_its_claim_and_in_its_killed_record(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", NOW, ttl_s=0.4)
    with Heartbeat(store, claim, lambda: NOW) as heartbeat:
        heartbeat.found(MANIFEST)
        time.sleep(0.3)  # a beat later it still does
        heartbeat.check()
    (killed,) = settle_killed(store, "comments", NOW + timedelta(days=1))
    assert killed.manifest == MANIFEST
    assert f"while it worked on data {MANIFEST.digest}" in killed.reasons[0]


def test_of_sixteen_claimers_one_wins(store: Store) -> None:
    barrier, outcomes = threading.Barrier(16), []

    def claim(number: int) -> None:
        barrier.wait()
        try:
            outcomes.append(claim_night(store, "comments", f"r{number}", NOW).run_id)
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
    assert [(r.run_id, r.note) for r in history(store)] == [("other", "killed")]


def test_the_same_run_may_claim_again(store: Store) -> None:
    claim_night(store, "comments", "r1", NOW)
    assert claim_night(store, "comments", "r1", NOW).run_id == "r1"
    assert history(store) == []


def test_a_silent_host_loses_its_claim_when_it_runs_out(store: Store) -> None:
    hold(store, foreign())
    with pytest.raises(NightClaimed, match="process 1 on another-host"):
        claim_night(store, "comments", "r2", NOW + timedelta(seconds=119))
    claim_night(store, "comments", "r2", NOW + timedelta(seconds=120))
    assert [r.run_id for r in history(store)] == ["other"]


def test_a_dead_process_of_this_host_loses_its_claim_at_once(store: Store) -> None:
    hold(store, foreign(host=socket.gethostname(), pid=dead_pid()))
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"
    (killed,) = history(store)
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
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_corpse_that_nobody_buried_is_dead(store: Store) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    hold(store, foreign(host=socket.gethostname(), pid=child.pid, process_start="a1b2c3d4-1"))
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"
    child.wait()


def test_another_process_of_this_host_keeps_its_claim_until_it_dies(store: Store) -> None:
    program = (
        "import sys\n"
        "from datetime import datetime\n"
        "from tasks.ledger.claims import claim_night\n"
        "from tasks.storage import open_store\n"
        "now = datetime.fromisoformat(sys.argv[2])\n"
        "claim_night(open_store(sys.argv[1]), 'comments', 'r1', now)\n"
        "print('claimed', flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", program, store.uri, NOW.isoformat()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"claimed\n"
        with pytest.raises(NightClaimed, match=f"process {child.pid} on"):
            claim_night(store, "comments", "r2", NOW)
        child.kill()
    (killed,) = settle_killed(store, "comments", NOW)
    assert (killed.run_id, killed.note) == ("r1", "killed")
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"


def test_an_unreadable_claim_holds_nobody_up(store: Store) -> None:
    store.write("claims/comments/night.json", b'{"plan": "comm', ABSENT)
    assert claim_night(store, "comments", "r1", NOW).run_id == "r1"


def test_a_renewed_claim_lives_on(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", NOW, ttl_s=60)
    later = NOW + timedelta(seconds=50)
    assert renew(store, claim, later).expires_at == later + timedelta(seconds=60)
    with pytest.raises(NightClaimed, match="run r1 at work"):
        claim_night(store, "comments", "r2", NOW + timedelta(seconds=70))


def test_a_claim_that_was_taken_over_can_be_neither_renewed_nor_released(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", NOW)
    claim_night(store, "comments", "r2", NOW + timedelta(seconds=121))
    with pytest.raises(StoreConflict, match=r"Expected run r1 to hold .* got r2: this run was sil"):
        renew(store, claim, NOW + timedelta(seconds=122))
    release(store, claim)
    assert [ref.name for ref in store.list("claims/")] == ["claims/comments/night.json"]


def test_a_released_claim_is_gone_and_free(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", NOW)
    release(store, claim)
    release(store, claim)
    assert list(store.list("claims/")) == []
    with pytest.raises(StoreConflict, match="got no claim"):
        renew(store, claim, NOW)


def test_a_heartbeat_outlives_the_first_expiry(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", utc_now(), ttl_s=0.4)
    with Heartbeat(store, claim) as heartbeat:
        time.sleep(0.8)
        heartbeat.check()
        with pytest.raises(NightClaimed, match="run r1 at work"):
            claim_night(store, "comments", "r2", utc_now())


def test_a_heartbeat_tells_that_the_claim_was_lost(store: Store) -> None:
    claim = claim_night(store, "comments", "r1", NOW, ttl_s=0.2)
    claim_night(store, "comments", "r2", NOW + timedelta(days=1))
    with Heartbeat(store, claim) as heartbeat:
        time.sleep(0.3)
        with pytest.raises(StoreConflict, match="lost its turn"):
            heartbeat.check()


def test_a_killed_run_becomes_a_failed_record_and_its_claim_goes(store: Store) -> None:
    hold(store, foreign())
    assert settle_killed(store, "comments", NOW + timedelta(seconds=60)) == []
    (killed,) = settle_killed(store, "comments", NOW + timedelta(seconds=300))
    assert (killed.outcome, killed.note, killed.run_id) == ("failed", "killed", "other")
    assert killed.ended_at == NOW + timedelta(seconds=120)
    assert history(store) == [killed]
    assert settle_killed(store, "comments", NOW + timedelta(seconds=300)) == []
    assert list(store.list("claims/")) == []


def test_a_run_killed_between_record_and_release_is_not_recorded_twice(store: Store) -> None:
    hold(store, foreign())
    write_record(store, record("other"))
    assert settle_killed(store, "comments", NOW + timedelta(hours=1)) == []
    assert history(store) == [record("other")]
    assert list(store.list("claims/")) == []


def test_a_run_killed_between_promotion_and_record_keeps_the_champion_in_history(
    store: Store,
) -> None:
    hold(store, foreign())
    move_champion(store, "comments", champion(2, previous=1, run_id="other"), ABSENT)
    (killed,) = settle_killed(store, "comments", NOW + timedelta(hours=1))
    assert (killed.champion_before, killed.champion_after) == (1, 2)
