"""The memory of all nights: claims, create-only records, and the one object that names a champion.

Everything rests on the preconditions of a `Store`; nothing here is ever read, changed and written
back without one.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.faults import NightClaimed, NightFailed, NightshiftError, ObjectMissing, StoreConflict
from schemas.ledger import FINISHED, Champion, Claim, Record
from schemas.store import ABSENT, Store

TTL_S = 120.0
_TURNS = 5
_CORPSE = "dead, and its parent has not asked yet"

Noun = TypeVar("Noun", bound=BaseModel)


def utc_now() -> datetime:
    """The clock of heartbeats."""
    return datetime.now(UTC)


def claim_night(
    store: Store,
    plan: str,
    manifest_digest: str,
    run_id: str,
    now: datetime,
    ttl_s: float = TTL_S,
    *,
    started_at: datetime | None = None,  # of the attempt, by default now
    plan_digest: str = "",
    code_version: str = "",
) -> Claim:
    """The sole right to train this plan on this data, or `NightClaimed` while a live run has it.

    A claim whose holder is dead or silent is settled as a killed night and taken over.
    """
    claim = Claim(
        plan=plan,
        manifest_digest=manifest_digest,
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
            held, generation = _read(store, _claim_name(claim), Claim)
            if held is not None and held.run_id != run_id:
                _refuse_if_alive(held, now)
                _settle(store, held, now)
            store.write(_claim_name(claim), _json(claim), generation)
        except StoreConflict as conflict:
            if isinstance(conflict, NightClaimed):
                raise
            continue
        return claim
    raise NightClaimed(
        f"Expected to claim plan {plan!r} for its data {manifest_digest}, got outrun {_TURNS} "
        f"times by other runs. One of them is at work: wait for it, see `nightshift nights {plan}`."
    )


def renew(store: Store, claim: Claim, now: datetime) -> Claim:
    """The claim, worth another `ttl_s` from now; `StoreConflict` if somebody took it over."""
    held, generation = _read(store, _claim_name(claim), Claim)
    if held is None or held.run_id != claim.run_id:
        raise StoreConflict(
            f"Expected run {claim.run_id} to hold the claim on plan {claim.plan!r}, got "
            f"{held.run_id if held else 'no claim'}: this run was silent for more than "
            f"{claim.ttl_s:.0f} s and lost its turn. Leave the night to the other run."
        )
    renewed = claim.model_copy(update={"expires_at": now + timedelta(seconds=claim.ttl_s)})
    store.write(_claim_name(claim), _json(renewed), generation)
    return renewed


def release(store: Store, claim: Claim) -> None:
    """Gives the claim back; one that another run took over stays with that run."""
    held, generation = _read(store, _claim_name(claim), Claim)
    if held is not None and held.run_id == claim.run_id:
        store.delete(_claim_name(claim), generation)


class Heartbeat:
    """Renews a claim four times a `ttl_s` for as long as the block lasts.

    `check()` raises where another run took the claim over. A store that can't be written for a
    while is tried again at the next beat.
    """

    def __init__(self, store: Store, claim: Claim, clock: Callable[[], datetime] = utc_now) -> None:
        self._store, self._claim, self._clock = store, claim, clock
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

    def check(self) -> None:
        """Call it before anything that must not be done twice."""
        if self._conflict is not None:
            raise self._conflict

    def _beat(self) -> None:
        while not self._done.wait(self._claim.ttl_s / 4):
            try:
                renew(self._store, self._claim, self._clock())
            except StoreConflict as conflict:
                self._conflict = conflict
                return
            except NightshiftError:
                continue  # the claim may run out meanwhile: then the next beat is a conflict


def write_record(store: Store, record: Record) -> str:
    """The name of the new record; the same record twice is one, another one is a conflict."""
    name = record_name(record)
    content = _json(record)
    try:
        store.write(name, content, ABSENT)
    except StoreConflict:
        if store.read(name)[0] != content:
            raise
    return name


def record_name(record: Record) -> str:
    """Names sort by time: `ledger/PLAN/20261121T020000.000000Z-RUN.json`."""
    started = record.started_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"ledger/{record.plan}/{started}-{record.run_id}.json"


def history(store: Store, plan: str | None = None) -> list[Record]:
    """All readable records, oldest first; `damaged` names the others."""
    found = (record for _, record in _records(store, plan) if record is not None)
    return sorted(found, key=lambda record: (record.started_at, record.run_id))


def damaged(store: Store, plan: str | None = None) -> list[str]:
    """Names of records that can't be read: written by a newer version, or changed by hand."""
    return [name for name, record in _records(store, plan) if record is None]


def last_finished(history: Sequence[Record], plan: str) -> Record | None:
    """The newest night that settled a manifest: what is new tonight is new against this one."""
    finished = (r for r in _settled(history, plan) if r.manifest is not None)
    return max(finished, key=lambda record: record.started_at, default=None)


def finished_for(
    history: Sequence[Record], plan: str, manifest_digest: str, plan_digest: str
) -> Record | None:
    """The night that settled just this data under just this plan; another one would be skipped."""
    same = (
        record
        for record in _settled(history, plan)
        if record.manifest is not None
        and record.manifest.digest == manifest_digest
        and record.plan_digest == plan_digest
    )
    return max(same, key=lambda record: record.started_at, default=None)


def settle_killed(store: Store, plan: str, now: datetime) -> list[Record]:
    """Every claim whose holder died becomes a `failed` record, unless one was written; then it is
    removed.
    """
    settled = []
    for name in _names(store, f"claims/{plan}/"):
        claim, generation = _read(store, name, Claim)
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


def champion(store: Store, plan: str) -> tuple[Champion | None, int]:
    """Who answers now, with the generation that a move needs; `(None, 0)` before the first."""
    name = _champion_name(plan)
    found, generation = _read(store, name, Champion)
    if found is None and generation != ABSENT:
        raise NightFailed(
            f"Expected a champion in {name} of {store.uri}, got content that can't be read. It is "
            f"never replaced blindly: restore the object, or remove it to start without a champion."
        )
    return found, generation


def move_champion(store: Store, plan: str, champion: Champion, if_generation: int) -> int:
    """The new generation; `StoreConflict` if the champion moved since it was read."""
    return store.write(_champion_name(plan), _json(champion), if_generation)


def _settled(history: Sequence[Record], plan: str) -> Iterator[Record]:
    return (r for r in history if r.plan == plan and r.outcome in FINISHED)


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
        note="killed",
    )
    try:
        write_record(store, record)
    except StoreConflict:
        return None  # the run, or another settler, wrote it first
    return record


def _obituary(claim: Claim) -> str:
    return (
        f"Killed: process {claim.pid} on {claim.host} ended without a record while it worked on "
        f"data {claim.manifest_digest}; the next start resumes it."
    )


def _refuse_if_alive(claim: Claim, now: datetime) -> None:
    if _alive(claim, now):
        raise NightClaimed(
            f"Expected plan {claim.plan!r} to be free for its data {claim.manifest_digest}, got "
            f"run {claim.run_id} at work on it (process {claim.pid} on {claim.host}, since "
            f"{claim.started_at:%Y-%m-%d %H:%M} UTC). Wait for it, or end that process."
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


def _records(store: Store, plan: str | None) -> Iterator[tuple[str, Record | None]]:
    for name in _names(store, f"ledger/{plan}/" if plan else "ledger/"):
        yield name, _read(store, name, Record)[0]


def _names(store: Store, prefix: str) -> list[str]:
    """Nothing where the store itself does not exist yet: the first night is no fault."""
    try:
        return [ref.name for ref in store.list(prefix)]
    except ObjectMissing:
        return []


def _read(store: Store, name: str, noun: type[Noun]) -> tuple[Noun | None, int]:
    """`(None, 0)` if there is no such object, `(None, generation)` if it can't be read."""
    try:
        content, generation = store.read(name)
    except ObjectMissing:
        return None, ABSENT
    try:
        return noun.model_validate_json(content), generation
    except ValidationError:
        return None, generation


def _json(noun: BaseModel) -> bytes:
    return noun.model_dump_json(indent=1).encode()


def _claim_name(claim: Claim) -> str:
    return f"claims/{claim.plan}/{claim.manifest_digest}.json"


def _champion_name(plan: str) -> str:
    return f"champions/{plan}/champion.json"
