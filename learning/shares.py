"""How families share the workers: evenly while all want work, all of it to who is left."""

import threading
from collections.abc import Iterable


class Shares:
    """Worker slots among the families that still search; safe across their threads."""

    def __init__(self, workers: int, families: Iterable[str]) -> None:
        self._workers = workers
        self._searching = set(families)
        self._lock = threading.Lock()

    def of(self, family: str) -> int:
        """Units of work that this family may have in flight right now, at least one."""
        with self._lock:
            rivals = len(self._searching | {family})
            return max(1, -(-self._workers // rivals))

    def leave(self, family: str) -> None:
        """End a family's search; the others take its slots."""
        with self._lock:
            self._searching.discard(family)
