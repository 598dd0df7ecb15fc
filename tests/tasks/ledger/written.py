"""Records, champions and claims as tests write them."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from schemas.ledger import Champion, Claim, Outcome, Record
from schemas.manifest import Manifest, ManifestRef
from schemas.store import ABSENT, ObjectRef, Store
from tasks.ledger.holders import process_start

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
MANIFEST = Manifest(
    source="drops", objects=(ObjectRef(name="a.csv", generation=1, size=1, crc32c="AAAAAA=="),)
).listed()


def record(
    run_id: str = "r1",
    outcome: Outcome = "held",
    at: datetime = NOW,
    plan: str = "comments",
    manifest: ManifestRef | None = MANIFEST,
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
    store.write("claims/comments/night.json", claim.model_dump_json().encode(), ABSENT)


def foreign(**changes: object) -> Claim:
    return Claim.model_validate(
        {
            "plan": "comments",
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


def neighbour(pid: int) -> Claim:
    """The claim of a process that would be seen here, and started long before ours."""
    start = process_start(os.getpid())
    before = f"{start.rpartition('-')[0]}-1" if start else ""
    return foreign(host=socket.gethostname(), pid=pid, process_start=before)


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
