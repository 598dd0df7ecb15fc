"""How families share the workers: evenly while all gain, all of it to who still does."""

import threading
from collections.abc import Iterable

from schemas.trials import TrialRecord

_PATIENCE = 15
"""Finished trials without a gain after which a family that is behind another one gives up."""


class Shares:
    """Worker slots among the families that still search; safe across their threads."""

    def __init__(self, workers: int, families: Iterable[str]) -> None:
        self._workers = workers
        self._searching = set(families)
        self._best: dict[str, float] = {}
        self._idle: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, family: str) -> int:
        """Units of work that this family may have in flight right now; 0 once it should end.

        It ends when it has not gained for a while and another family does better: a cheap family
        would else spend half of the night on hundredths, beside a costly one that is ahead.
        """
        with self._lock:
            if self._is_beaten(family):
                return 0
            rivals = len(self._searching | {family})
            return max(1, -(-self._workers // rivals))

    def learn(self, family: str, trial: TrialRecord) -> None:
        """Take note of a trial's end; one that was cut off says too little."""
        if trial.cut_off:
            return
        with self._lock:
            if trial.score is not None and trial.score > self._best.get(family, float("-inf")):
                self._best[family] = trial.score
                self._idle[family] = 0
            elif trial.state != "FAIL":
                self._idle[family] = self._idle.get(family, 0) + 1

    def leave(self, family: str) -> None:
        """End a family's search; the others take its slots."""
        with self._lock:
            self._searching.discard(family)

    def _is_beaten(self, family: str) -> bool:
        own = self._best.get(family, float("-inf"))
        behind = any(best > own for other, best in self._best.items() if other != family)
        return behind and self._idle.get(family, 0) >= _PATIENCE
