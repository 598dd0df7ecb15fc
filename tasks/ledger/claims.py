"""Who works on a plan right now: one expiring claim a plan, and what becomes of a dead run's."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from schemas.faults import NightClaimed, NightFailed, NightshiftError, StoreConflict
from schemas.ledger import Claim, Record
from schemas.manifest import ManifestRef
from schemas.store import ABSENT, Store
from tasks.ledger.champions import champion
from tasks.ledger.holders import alive, process_start
from tasks.ledger.records import history, write_record
from tasks.ledger.stored import as_json, stored, stored_names

TTL_S = 120.0
_TURNS = 5


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
        process_start=process_start(os.getpid()),
        ttl_s=ttl_s,
        plan_digest=plan_digest,
        code_version=code_version,
    )
    for _ in range(_TURNS):  # each turn is lost only to somebody else's write
        try:
            held, generation = _held(store, plan)
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
    held, _ = _held(store, plan)
    return held if held is not None and alive(held, now) else None


def renew(store: Store, claim: Claim, now: datetime) -> Claim:
    """The claim, worth another `ttl_s` from now; `StoreConflict` if somebody took it over."""
    held, generation = stored(store, _claim_name(claim.plan), Claim, of_later=True)
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
    held, generation = stored(store, _claim_name(claim.plan), Claim, of_later=True)
    if held is not None and held.run_id == claim.run_id:
        store.delete(_claim_name(claim.plan), generation)


class Heartbeat:
    """Renews a claim four times a `ttl_s` for as long as the block lasts.

    `check()` raises where another run took the claim over, and where one may have: a beat can hang
    for longer than the claim lasts. A store that can't be written for a while is tried again at the
    next beat.
    """

    def __init__(self, store: Store, claim: Claim, clock: Callable[[], datetime] = utc_now) -> None:
        self._store, self._claim, self._clock = store, claim, clock
        self._turn = threading.Lock()  # or the two writers of one run would outrun each other
        self._done = threading.Event()
        self._conflict: StoreConflict | None = None
        self._until = claim.expires_at
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
            self._renew()

    def check(self) -> None:
        """Call it before anything that must not be done twice."""
        if self._conflict is not None:
            raise self._conflict
        if self._clock() >= self._until:
            raise StoreConflict(
                f"Expected run {self._claim.run_id} to renew its claim on plan "
                f"{self._claim.plan!r} before {self._until:%H:%M:%S} UTC, got no answer of "
                f"{self._store.uri}: another run may be at work by now. Start again once the store "
                f"answers; what was tried is resumed."
            )

    def _beat(self) -> None:
        while not self._done.wait(self._claim.ttl_s / 4):
            try:
                with self._turn:
                    self._renew()
            except StoreConflict as conflict:
                self._conflict = conflict
                return
            except NightshiftError:
                continue  # the claim may run out meanwhile: then the next beat is a conflict

    def _renew(self) -> None:
        self._claim = renew(self._store, self._claim, self._clock())
        self._until = self._claim.expires_at


def settle_killed(store: Store, plan: str, now: datetime) -> list[Record]:
    """Every claim whose holder died becomes a `failed` record, unless one was written; then it is
    removed. One that can't be read is left to whoever claims the plan.
    """
    settled = []
    for name in stored_names(store, f"claims/{plan}/"):
        claim, generation = stored(store, name, Claim, of_later=True)
        if claim is None or alive(claim, now):
            continue
        record = _settle(store, claim, now)
        try:
            store.delete(name, generation)
        except StoreConflict:
            continue  # a new run took the claim over just now
        if record is not None:
            settled.append(record)
    return settled


def _held(store: Store, plan: str) -> tuple[Claim | None, int]:
    """The claim on a plan, a later release's too. Who holds one that can't be read may be alive."""
    held, generation = stored(store, _claim_name(plan), Claim, of_later=True)
    if held is None and generation != ABSENT:
        raise NightFailed(
            f"Expected the claim on plan {plan!r} in {_claim_name(plan)} of {store.uri} to be "
            f"readable, got content that this release can't read: another one may be at work. "
            f"Where no run is (see `nightshift nights {plan}`), remove that object."
        )
    return held, generation


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
    if alive(claim, now):
        raise NightClaimed(
            f"Expected plan {claim.plan!r} to be free, got run {claim.run_id} at work on it "
            f"(process {claim.pid} on {claim.host}, since {claim.started_at:%Y-%m-%d %H:%M} UTC). "
            f"Wait for it, or end that process."
        )


def _claim_name(plan: str) -> str:
    return f"claims/{plan}/night.json"
