"""The night's one budget: what is left for the search after a reserve for judging."""

import threading
import time
from collections.abc import Callable

_FIXED_S = 6.0
_LARGEST_SHARE = 0.5
_MARGIN = 1.4
_GRACE, _LEAST_GRACE_S = 0.25, 60.0


class Budget:
    """Seconds from the night's start to its end, shared by all families.

    The reserve pays for the final fit on all training rows, its predictions and the bootstrap. It
    is estimated fold by fold from the slowest of each family's best trials so far, so it grows as
    soon as the search finds that costly settings win.
    """

    def __init__(
        self, minutes: float, folds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.started = clock()
        self.total_s = minutes * 60
        self._folds = folds
        self._best: dict[tuple[str, bool], tuple[float, float]] = {}
        self._lock = threading.Lock()

    @property
    def elapsed_s(self) -> float:
        return self.clock() - self.started

    def learn(
        self,
        family: str,
        score: float,  # of the trial on the folds it has
        fold_s: float,  # seconds that its folds took, each
        whole: bool = True,  # it has ended; until then the score is of the arg max
    ) -> None:
        """Take note of what the final fit of this family's best trial will cost.

        Trials under way compare with each other only: what offsets add to them is not known yet.
        """
        with self._lock:
            if score >= self._best.get((family, whole), (float("-inf"), 0.0))[0]:
                self._best[family, whole] = (score, fold_s * self._folds / (self._folds - 1))

    @property
    def reserve_s(self) -> float:
        """Seconds kept back for the final fits and the judgement."""
        with self._lock:
            refit_s = max((seconds for _, seconds in self._best.values()), default=0.0)
        return min(_FIXED_S + _MARGIN * refit_s, _LARGEST_SHARE * self.total_s)

    @property
    def patience_s(self) -> float:
        """Seconds after which a final fit counts as stuck: what is left, and a grace.

        The reserve is an estimate; to kill a fit for its error would throw the night away.
        """
        left_s = max(0.0, self.total_s - self.elapsed_s)
        return left_s + max(_LEAST_GRACE_S, _GRACE * self.total_s)

    def deadline(self) -> float:
        """When the search must stop, on this budget's clock; moves as the reserve is learned."""
        return self.started + self.total_s - self.reserve_s
