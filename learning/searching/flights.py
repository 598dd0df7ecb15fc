"""Trials under way, and what is heard of their folds while these run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

import optuna

from learning.searching.channel import Listener
from learning.searching.oof import OofScore
from schemas.trials import Candidate, FitEpoch, TrialRecord, TrialState


@dataclass(frozen=True)
class EpochTold:
    """An epoch of one fold of a trial, as soon as it is over."""

    trial: int
    fold: int
    epoch: FitEpoch


@dataclass
class Flight:
    """A trial under way; `ahead` are the folds that no unit was started for."""

    trial: optuna.Trial
    recipe: Candidate
    ahead: list[int]
    files: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    compared: int = 0  # epochs of the folds beside each other, since one was answered last

    def record(
        self, state: TrialState, note: str, found: OofScore | None, *, cut_off: bool
    ) -> TrialRecord:
        return TrialRecord(
            number=self.trial.number,
            state=state,
            params=self.trial.params,
            candidate=self.recipe,
            score=found.score if found and state == "COMPLETE" else None,
            plain_score=found.plain if found and state == "COMPLETE" else None,
            log_loss=found.log_loss if found and state == "COMPLETE" else None,
            fold_scores=found.fold_scores if found else (),
            seconds=self.seconds,
            oof=dict(sorted(self.files.items())),
            cut_off=cut_off,
            note=note,
        )

    def answered(self, fold: int, out: str, seconds: float) -> None:
        """Take note of a fold's answers."""
        self.seconds += seconds
        self.files[fold] = out
        self.compared = 0

    def comparable(self, units: Sequence["Unit"]) -> list[tuple[int, float]]:
        """Epochs that all these folds of the trial have told, once each, with the mean score.

        Of a network with several members, the first one's.
        """
        each = [unit.scores for unit in units]
        told = min(map(len, each), default=0)
        fresh = range(self.compared, told)
        self.compared = max(self.compared, told)
        return [(place + 1, fmean(scores[place] for scores in each)) for place in fresh]


@dataclass(frozen=True)
class Unit:
    """A fold in a worker; `to_the_end`: its limit was the deadline, as it stood when it began."""

    flight: Flight
    fold: int
    to_the_end: bool
    listener: Listener

    @property
    def scores(self) -> list[float]:
        """Of the rows that its epochs held back, so far as they were heard; mean over targets."""
        heard = self.listener.heard
        return [fmean(epoch.macro_f1) for epoch in heard if epoch.macro_f1 and not epoch.member]
