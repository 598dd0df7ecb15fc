"""Says once that Cloud Storage does not answer, while it is tried again in silence."""

import logging
import os
import threading
import time
from datetime import datetime, timedelta

SOON_S = 5.0
"""A first try that failed only after so long is told; a shorter one may pass at once."""

QUIET_S = 120.0
"""Within which all that fails is one outage."""

_LOG = logging.getLogger(__name__)


class Outages:
    """Of all operations together: sixteen threads that wait for one service are one outage."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = 0.0  # by the monotonic clock

    def note(self, doing: str, got: str, tries: int, waited_s: float, deadline_s: float) -> None:
        """After each failed try; tells of none that may pass at once, and of one outage once."""
        if tries < 2 and waited_s < SOON_S:
            return
        now = time.monotonic()
        with self._lock:
            if now < self._quiet_until:
                return
            self._quiet_until = now + QUIET_S
        until = datetime.now().astimezone() + timedelta(seconds=max(0.0, deadline_s - waited_s))
        _LOG.warning(
            "Cloud Storage%s does not answer (%s): trying to %s until %s",
            emulated(),
            got,
            doing,
            f"{until:%H:%M:%S}",
        )


def emulated() -> str:
    """Where it is asked, if that is not Google's own address."""
    host = os.environ.get("STORAGE_EMULATOR_HOST", "")
    return f" at {host} (STORAGE_EMULATOR_HOST)" if host else ""


OUTAGES = Outages()
