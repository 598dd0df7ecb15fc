import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.faults import NightClaimed, NightFailed, StoreConflict
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
from tasks.storage import LocalStore
from tests.tasks.ledger.written import (
    MANIFEST,
    NOW,
    champion,
    dead_pid,
    foreign,
    hold,
    neighbour,
    record,
)


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
    hold(store, neighbour(dead_pid()))
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
    hold(store, neighbour(dead_pid()))
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"
    (killed,) = history(store)
    assert (killed.outcome, killed.note, killed.plan_digest) == ("failed", "killed", "p1")
    assert "ended without a record" in killed.reasons[0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_pid_that_was_given_to_a_later_process_is_dead(store: Store) -> None:
    hold(store, neighbour(os.getpid()))
    assert claim_night(store, "comments", "r2", NOW).run_id == "r2"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_corpse_that_nobody_buried_is_dead(store: Store) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    hold(store, neighbour(child.pid))
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


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("realm", ["a1b2c3d4-4026531836", "a1b2c3d4", ""])
def test_a_container_of_the_same_name_is_believed_until_its_claim_runs_out(
    store: Store, realm: str
) -> None:
    started = f"{realm}-1" if realm else ""
    hold(store, foreign(host=socket.gethostname(), pid=dead_pid(), process_start=started))
    assert settle_killed(store, "comments", NOW) == []
    with pytest.raises(NightClaimed, match="run other at work"):
        claim_night(store, "comments", "r2", NOW)
    assert claim_night(store, "comments", "r2", NOW + timedelta(seconds=120)).run_id == "r2"


def test_a_claim_of_a_later_release_is_respected_until_it_runs_out(store: Store) -> None:
    later = json.loads(foreign(manifest=MANIFEST).model_dump_json()) | {"queue": "night"}
    later["manifest"]["colour"] = "red"
    store.write("claims/comments/night.json", json.dumps(later).encode(), ABSENT)
    assert settle_killed(store, "comments", NOW) == []
    with pytest.raises(NightClaimed, match="run other at work"):
        claim_night(store, "comments", "r1", NOW)
    (killed,) = settle_killed(store, "comments", NOW + timedelta(seconds=120))
    assert (killed.run_id, killed.manifest) == ("other", MANIFEST)


def test_a_claim_that_cannot_be_read_is_left_to_a_person(store: Store) -> None:
    content = b'{"plan": "comm'
    generation = store.write("claims/comments/night.json", content, ABSENT)
    assert settle_killed(store, "comments", NOW) == []
    for ask in (
        lambda: claim_night(store, "comments", "r1", NOW),
        lambda: at_work(store, "comments", NOW),
    ):
        with pytest.raises(NightFailed, match=r"claims/comments/night.json .* remove that object"):
            ask()
    assert store.read("claims/comments/night.json") == (content, generation)


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


def test_a_claim_that_ran_out_while_a_beat_hung_is_no_longer_trusted(tmp_path: Path) -> None:
    hung, times = threading.Event(), [NOW]

    class Hanging(LocalStore):
        def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
            hung.wait(timeout=10)
            return super().read(name, generation)

    claim = claim_night(LocalStore(tmp_path), "comments", "r1", NOW, ttl_s=0.2)
    with Heartbeat(Hanging(tmp_path), claim, lambda: times[-1]) as heartbeat:
        heartbeat.check()
        times.append(claim.expires_at)
        with pytest.raises(StoreConflict, match=r"to renew its claim .* another run may be at"):
            heartbeat.check()
        hung.set()
        time.sleep(0.3)
        heartbeat.check()  # nobody had taken it, and a beat came through


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
