"""Whether the run that holds a claim lives, as far as this process can see."""

import os
import socket
from datetime import datetime
from pathlib import Path

from schemas.ledger import Claim

_CORPSE = "dead, and its parent has not asked yet"


def alive(claim: Claim, now: datetime) -> bool:
    """Not run out; where its process would be seen here, that must exist too. Others are believed:
    those of other hosts, and of containers that share a host's name but not its processes.
    """
    if now >= claim.expires_at:
        return False
    ours = process_start(os.getpid())
    if claim.host != socket.gethostname() or _realm(claim.process_start) != _realm(ours):
        return True
    try:
        os.kill(claim.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process
        pass
    start = process_start(claim.pid)
    unknown = "" in {start, claim.process_start}
    return start != _CORPSE and (unknown or start == claim.process_start)


def process_start(pid: int) -> str:
    """Boot, our namespace of processes, and the clock tick at which this one of them started: no
    later process of that pid has the same. Nothing where Linux's `/proc` is not to be had.
    """
    try:
        # proc(5): fields after the name, which may hold blanks itself and ends at the last ")".
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return _CORPSE if fields[0] in {"Z", "X"} else f"{boot}-{namespace}-{fields[19]}"


def _realm(start: str) -> str:
    """Within which a pid means one process."""
    return start.rpartition("-")[0]
