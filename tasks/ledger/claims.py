"""Who works on a plan right now: one expiring claim a plan, and what becomes of a dead run's."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.faults import NightClaimed, NightshiftError, StoreConflict
from schemas.ledger import Claim, Record
from schemas.manifest import ManifestRef
from schemas.store import Store
from tasks.ledger.champions import champion
from tasks.ledger.records import history, write_record
from tasks.ledger.stored import as_json, stored, stored_names

TTL_S = 120.0
_TURNS = 5
_CORPSE = "dead, and its parent has not asked yet"


def utc_now() -> datetime:
    """The clock of heartbeats."""
    return datetime.now(UTC)


def claim_night(
    store: Store,
    plan: str,
    run_id: str,
    now: datetime,
    ttl_s: float = TTL_S,
    *,
    started_at: datetime | None = None,  # of the attempt, by default now
    plan_digest: str = "",
    code_version: str = "",
) -> Claim:
    """The sole right to work on this plan, or `NightClaimed` while a live run has it.

    To be taken before anything is looked at, so that what is found is still so when it is judged. A
    claim whose holder is dead or silent is settled as a killed night and taken over.
    """
    claim = Claim(
        plan=plan,
        run_id=run_id,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=started_at or now,
        expires_at=now + timedelta(seconds=ttl_s),
        process_start=_process_start(os.getpid()),
        ttl_s=ttl_s,
        plan_digest=plan_digest,
        code_version=code_version,
    )
    for _ in range(_TURNS):  # each turn is lost only to somebody else's write
        try:
            held, generation = stored(store, _claim_name(plan), Claim)
            if held is not None and held.run_id != run_id:
                _refuse_if_alive(held, now)
                _settle(store, held, now)
            store.write(_claim_name(plan), as_json(claim), generation)
        except StoreConflict as conflict:
            if isinstance(conflict, NightClaimed):
                raise
            continue
        return claim
    raise NightClaimed(
        f"Expected to claim plan {plan!r}, got outrun {_TURNS} times by other runs. One of them is "
        f"at work: wait for it, see `nightshift nights {plan}`."
    )


def at_work(store: Store, plan: str, now: datetime) -> Claim | None:
    """The claim of a live run on the plan; for a look, since it may end at any moment."""
    held, _ = stored(store, _claim_name(plan), Claim)
    return held if held is not None and _alive(held, now) else None


def renew(store: Store, claim: Claim, now: datetime) -> Claim:
    """The claim, worth another `ttl_s` from now; `StoreConflict` if somebody took it over."""
    held, generation = stored(store, _claim_name(claim.plan), Claim)
    if held is None or held.run_id != claim.run_id:
        raise StoreConflict(
            f"Expected run {claim.run_id} to hold the claim on plan {claim.plan!r}, got "
            f"{held.run_id if held else 'no claim'}: this run was silent for more than "
            f"{claim.ttl_s:.0f} s and lost its turn. Leave the night to the other run."
        )
    renewed = claim.model_copy(update={"expires_at": now + timedelta(seconds=claim.ttl_s)})
    store.write(_claim_name(claim.plan), as_json(renewed), generation)
    return renewed


def release(store: Store, claim: Claim) -> None:
    """Gives the claim back; one that another run took over stays with that run."""
    held, generation = stored(store, _claim_name(claim.plan), Claim)
    if held is not None and held.run_id == claim.run_id:
        store.delete(_claim_name(claim.plan), generation)


class Heartbeat:
    """Renews a claim four times a `ttl_s` for as long as the block lasts.

    `check()` raises where another run took the claim over. A store that can't be written for a
    while is tried again at the next beat.
    """

    def __init__(self, store: Store, claim: Claim, clock: Callable[[], datetime] = utc_now) -> None:
        self._store, self._claim, self._clock = store, claim, clock
        self._turn = threading.Lock()  # or the two writers of one run would outrun each other
        self._done = threading.Event()
        self._conflict: StoreConflict | None = None
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def found(self, manifest: ManifestRef) -> None:
        """Put into the claim what the run works on: should it be killed, its record says so."""
        with self._turn:
            self._claim = self._claim.model_copy(update={"manifest": manifest})
            self._claim = renew(self._store, self._claim, self._clock())

    def check(self) -> None:
        """Call it before anything that must not be done twice."""
        if self._conflict is not None:
            raise self._conflict

    def _beat(self) -> None:
        while not self._done.wait(self._claim.ttl_s / 4):
            try:
                with self._turn:
                    renew(self._store, self._claim, self._clock())
            except StoreConflict as conflict:
                self._conflict = conflict
                return
            except NightshiftError:
                continue  # the claim may run out meanwhile: then the next beat is a conflict


def settle_killed(store: Store, plan: str, now: datetime) -> list[Record]:
    """Every claim whose holder died becomes a `failed` record, unless one was written; then it is
    removed.
    """
    settled = []
    for name in stored_names(store, f"claims/{plan}/"):
        claim, generation = stored(store, name, Claim)
        if claim is not None and _alive(claim, now):
            continue
        record = _settle(store, claim, now) if claim is not None else None
        try:
            store.delete(name, generation)
        except StoreConflict:
            continue  # a new run took the claim over just now
        if record is not None:
            settled.append(record)
    return settled


def _settle(store: Store, claim: Claim, now: datetime) -> Record | None:
    """The record that a killed run could not write; None if it had written its own."""
    if any(record.run_id == claim.run_id for record in history(store, claim.plan)):
        return None
    # Killed between promotion and record: the champion moved, and its history must say so.
    present, _ = champion(store, claim.plan)
    moved = present if present is not None and present.run_id == claim.run_id else None
    record = Record(
        plan=claim.plan,
        outcome="failed",
        run_id=claim.run_id,
        started_at=claim.started_at,
        ended_at=max(claim.started_at, min(now, claim.expires_at)),
        reasons=(_obituary(claim),),
        plan_digest=claim.plan_digest,
        code_version=claim.code_version,
        champion_before=moved.previous if moved else None,
        champion_after=moved.version if moved else None,
        manifest=claim.manifest,
        note="killed",
    )
    try:
        write_record(store, record)
    except StoreConflict:
        return None  # the run, or another settler, wrote it first
    return record


def _obituary(claim: Claim) -> str:
    data = f" while it worked on data {claim.manifest.digest}" if claim.manifest else ""
    return (
        f"Killed: process {claim.pid} on {claim.host} ended without a record{data}; the next start "
        f"resumes it."
    )


def _refuse_if_alive(claim: Claim, now: datetime) -> None:
    if _alive(claim, now):
        raise NightClaimed(
            f"Expected plan {claim.plan!r} to be free, got run {claim.run_id} at work on it "
            f"(process {claim.pid} on {claim.host}, since {claim.started_at:%Y-%m-%d %H:%M} UTC). "
            f"Wait for it, or end that process."
        )


def _alive(claim: Claim, now: datetime) -> bool:
    """Not run out; on this host the process must exist too. Other hosts are believed."""
    if now >= claim.expires_at:
        return False
    if claim.host != socket.gethostname():
        return True
    try:
        os.kill(claim.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process
        pass
    start = _process_start(claim.pid)
    unknown = "" in {start, claim.process_start}
    return start != _CORPSE and (unknown or start == claim.process_start)


def _process_start(pid: int) -> str:
    """Boot and clock tick at which a process started: no later process of that pid has the same.

    Nothing where Linux's `/proc` is not to be had.
    """
    try:
        # proc(5): fields after the name, which may hold blanks itself and ends at the last ")".
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return ""
    return _CORPSE if fields[0] in {"Z", "X"} else f"{boot}-{fields[19]}"


def _claim_name(plan: str) -> str:
    return f"claims/{plan}/night.json"
