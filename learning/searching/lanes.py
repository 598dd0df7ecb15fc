"""How a family's share of the workers becomes units side by side, with so many threads each."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lanes:
    """A unit a worker, on one thread, each of another trial where there is one: so a trial can be
    pruned between its folds.

    With `whole_trials` the folds of a trial run side by side instead, and share the workers' cores:
    of fits that take minutes a night has few, and half a trial is worth little.
    """

    share: Callable[[], int]  # workers that the family may use right now
    folds: int
    whole_trials: bool = False

    @property
    def threads(self) -> int:
        """Of each unit.

        >>> Lanes(lambda: 8, folds=3, whole_trials=True).threads, Lanes(lambda: 8, folds=3).threads
        (2, 1)
        """
        return max(1, self.share() // self.folds) if self.whole_trials else 1

    @property
    def units(self) -> int:
        """Side by side; 0 once the family should end."""
        return self.share() // self.threads

    def rounds(self, folds: int) -> int:
        """One after the other, that so many folds of one trial take.

        >>> Lanes(lambda: 2, folds=3, whole_trials=True).rounds(3)
        2
        """
        return -(-folds // max(1, self.units)) if self.whole_trials else folds
