"""One family's search under the night's shared budget: ask, fit folds in workers, score, tell.

The unit of work is one fold of one trial. Between units a trial may be pruned, and that of a
network between its epochs too: its workers are then killed. Shortly before the deadline networks
are asked to end after a step, with how far they came kept; at the deadline every unit is killed
from outside. A fold that was answered before a crash is not fitted again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NoReturn

from learning.searching.channel import Listener, ask_to_end, take_back
from learning.searching.flights import EpochTold, Flight, Unit
from learning.searching.folds import fit_fold, kept_seconds
from learning.searching.gains import last_gain
from learning.searching.lanes import Lanes
from learning.searching.oof import Truth, early_score, read_truth, score_oof
from learning.searching.ranking import best, current
from learning.searching.space import Point, space
from learning.searching.steps import epoch_step
from learning.searching.studies import Study
from learning.searching.units import Units, why
from learning.searching.workers import WorkerPool
from schemas.dataset import Column
from schemas.faults import FitInterrupted, NightFailed
from schemas.label import Target
from schemas.manifest import Rows
from schemas.objectives import Objective
from schemas.plan import Family, Search
from schemas.samplers import Imbalance
from schemas.trials import FoldResult, StudyResult, TrialRecord, TrialState

FAILURES_THAT_END_IT = 5
"""When as many first trials fail, no later one will do better."""

_LOOK_EVERY_S = 1.0
"""The deadline and the share of the workers move while a unit runs."""

_NOTICE_S, _NOTICE = 10.0, 0.1
"""Before the deadline, in seconds and as a share of the search: a fit can keep how far it came."""

_STUCK = 10
_STUCK_AT_LEAST_S = 60.0
"""A unit is stuck when it takes this many times as long as the slowest before it."""


def run_study(
    family: Family,
    *,
    kept: Sequence[Imbalance],  # methods to search over, best first
    rows: Rows,
    columns: Mapping[str, Column],
    targets: Sequence[Target],
    objective: Objective,
    search: Search,
    pool: WorkerPool,
    deadline: Callable[[], float],  # seconds on the clock `now`; may move
    folder: Path,  # keeps the study and the out-of-fold answers
    study_name: str,  # equal names are the same study, taken up again
    warm: Sequence[Point],  # last night's best points
    on_trial: Callable[[TrialRecord], None],
    on_kept: Callable[[TrialRecord], None],  # each trial of an earlier run, before all others
    on_fold: Callable[[float, float, bool], None],  # score on the folds so far, seconds a fold,
    # whether the trial has ended: until then the score is an early one
    on_epoch: Callable[[EpochTold], None],  # each of a network, within seconds
    share: Callable[[], int],  # units that may be in flight right now; 0 ends the search
    now: Callable[[], float] = time.monotonic,
    vectors: Path | None = None,  # keeps what encoders make of texts
) -> StudyResult:
    """Everything that was found until the deadline, the trial limit or the end of the space.

    Raises
    ------
    NightFailed
        The first trials failed, or all of them did.
    """
    knobs = space(family, columns, kept)
    study = Study(family, kept, knobs, folder, study_name, search.seed, method=search.method)
    study.plan_ahead(warm, search.trials)
    truth = read_truth(rows, targets, objective)
    units = Units(columns, rows, truth.targets, search.seed, search.folds, pool, folder, vectors)
    bench = _Bench(truth, search, units)
    told = _Told(on_trial, on_kept, on_fold, on_epoch)
    lanes = Lanes(share, search.folds, whole_trials=family.classifier.reads_text)
    return _Search(family.classifier.kind, study, bench, deadline, told, lanes, now).run()


@dataclass(frozen=True)
class _Told:
    """Who is told of what happens."""

    on_trial: Callable[[TrialRecord], None]
    on_kept: Callable[[TrialRecord], None]
    on_fold: Callable[[float, float, bool], None]
    on_epoch: Callable[[EpochTold], None]


@dataclass(frozen=True)
class _Bench:
    """What every unit of a search has in common."""

    truth: Truth
    search: Search
    units: Units


class _Search:
    def __init__(
        self,
        family: str,
        study: Study,
        bench: _Bench,
        deadline: Callable[[], float],
        told: _Told,
        lanes: Lanes,
        now: Callable[[], float],
    ) -> None:
        self._family = family
        self._study = study
        self._bench = bench
        self._deadline = deadline
        self._told = told
        self._lanes = lanes
        self._now = now
        self._records = list(study.resumed)
        self._flights: list[Flight] = []
        self._units: dict[Future[FoldResult], Unit] = {}
        self._fold_s: list[float] = []
        self._scored_at: list[tuple[float, float]] = []

    def run(self) -> StudyResult:
        started = self._started = self._now()
        self._remember()
        try:
            while self._left_s() > 0 and self._lanes.units > 0:
                self._start_units()
                if not self._units:
                    break
                self._land_units()
                self._give_notice()
            self._stop_flights()
            self._check_scores()
        finally:
            for unit in self._units:
                unit.cancel()
        seconds = self._now() - started
        kept = {record.number for record in self._study.resumed}
        return StudyResult(
            family=self._family,
            trials=tuple(self._records),
            best=best(self._records),
            resumed=sum(record.number in kept for record in self._records),
            seconds=seconds,
            last_gain=last_gain(self._scored_at, seconds),
        )

    def _remember(self) -> None:
        """What an earlier run has learned of times and scores counts as if it had been tonight."""
        for record in self._study.resumed:
            fold_s = record.seconds / max(1, len(record.oof))
            self._fold_s += [fold_s] * len(record.oof)
            if record.score is not None:
                self._told.on_fold(record.score, fold_s, True)
            if record.score is not None and not record.cut_off:
                self._scored_at.append((0.0, record.score))
            self._told.on_kept(record)

    def _left_s(self) -> float:
        return self._deadline() - self._now()

    @property
    def _notice_s(self) -> float:
        """What networks have before the deadline to keep how far they came."""
        whole_s = self._deadline() - self._started
        return min(_NOTICE_S, _NOTICE * whole_s) if self._lanes.whole_trials else 0.0

    def _start_units(self) -> None:
        while len(self._units) < self._lanes.units:
            flight = self._next_flight()
            if flight is None:
                return
            self._start_unit(flight, flight.ahead.pop(0))

    def _next_flight(self) -> Flight | None:
        """As the lanes say, one fold of a trial at a time; more when no trial may start."""
        busy = {id(unit.flight) for unit in self._units.values()}
        ready = [flight for flight in self._flights if flight.ahead]
        idle = [flight for flight in ready if id(flight) not in busy]
        if (idle or ready) and not self._fits(folds=1):
            return None
        if idle:
            return idle[0]
        if ready and self._lanes.whole_trials:
            return ready[0]
        if self._may_start():
            trial, recipe = self._study.ask()
            self._flights.append(Flight(trial, recipe, list(range(self._bench.search.folds))))
            return self._flights[-1]
        return ready[0] if ready else None

    def _may_start(self) -> bool:
        most = self._bench.search.trials
        # One that an earlier run cut off is to be tried again; it must not take its own place.
        begun = sum(not record.cut_off for record in self._records) + len(self._flights)
        if begun >= self._study.limit(most) or self._study.exhausted(most):
            return False
        return self._fits(folds=self._bench.search.folds)

    def _fits(self, folds: int) -> bool:
        """Whether so many folds of one trial are expected to end before the deadline."""
        expected_s = median(self._fold_s) * self._lanes.rounds(folds) if self._fold_s else 0.0
        return expected_s <= self._left_s() and self._notice_s < self._left_s()

    def _start_unit(self, flight: Flight, fold: int) -> None:
        job = self._bench.units.job(flight.recipe, fold, self._lanes.threads)
        out = Path(job.out)
        seconds = kept_seconds(out)
        if seconds is not None:
            self._land(flight, fold, job.out, seconds)
            return
        take_back(out)
        left_s = self._left_s()
        stuck_s = max(_STUCK_AT_LEAST_S, _STUCK * max(self._fold_s, default=float("inf")))
        unit = self._bench.units.pool.submit(fit_fold, job, min(left_s, stuck_s))
        self._units[unit] = Unit(flight, fold, left_s <= stuck_s, Listener(out))

    def _land_units(self) -> None:
        left_s = self._left_s()
        to_notice_s = left_s - self._notice_s
        patience_s = min(max(to_notice_s if to_notice_s > 0 else left_s, 0.0), _LOOK_EVERY_S)
        done, _ = wait(self._units, timeout=patience_s, return_when=FIRST_COMPLETED)
        self._hear()  # before a fold that has ended leaves
        for future in done:
            if future not in self._units:  # its trial was ended by another unit of this round
                continue
            unit = self._units.pop(future)
            fault = future.exception()
            if fault is None:
                result = future.result()
                self._land(unit.flight, unit.fold, result.out, result.fit_s + result.predict_s)
            elif isinstance(fault, FitInterrupted) or (
                isinstance(fault, TimeoutError) and unit.to_the_end
            ):
                unit.flight.ahead.append(unit.fold)  # the deadline may have moved on meanwhile
            else:
                self._end(unit.flight, "FAIL", _why(fault))

    def _land(self, flight: Flight, fold: int, out: str, seconds: float) -> None:
        self._fold_s.append(seconds)
        flight.answered(fold, out, seconds)
        done, folds = len(flight.files), self._bench.search.folds
        if done == folds:
            self._end(flight, "COMPLETE", "")
            return
        # Cross-fitted offsets take seconds of 200,000 rows, in which no worker gets new work: they
        # wait for the trial's end.
        early = early_score(self._bench.truth, flight.files)
        self._told.on_fold(early, flight.seconds / done, False)
        if self._study.outdone(flight.trial, early, done):
            self._end(flight, "PRUNED", f"below the median after {done} of {folds} folds")

    def _hear(self) -> None:
        """Pass on new epochs of networks, and end the trials that are outdone at one."""
        for flight in list(self._flights) if self._lanes.whole_trials else []:
            units = {future: u for future, u in self._units.items() if u.flight is flight}
            for unit in units.values():
                for told in unit.listener.fresh():
                    self._told.on_epoch(EpochTold(flight.trial.number, unit.fold, told))
            runs = any(not future.done() for future in units)
            for epoch, score in flight.comparable([*units.values()]):
                step = epoch_step(len(flight.files), epoch)
                if self._study.outdone(flight.trial, score, step) and runs:
                    self._end(flight, "PRUNED", f"below the median after epoch {epoch} of a fold")
                    break

    def _give_notice(self) -> None:
        if self._left_s() <= self._notice_s:
            for unit in self._units.values():
                ask_to_end(unit.listener.out)

    def _end(self, flight: Flight, state: TrialState, note: str, *, cut_off: bool = False) -> None:
        found = score_oof(self._bench.truth, flight.files) if flight.files else None
        record = flight.record(state, note, found, cut_off=cut_off)
        if record.score is not None and not cut_off:
            self._told.on_fold(record.score, flight.seconds / len(flight.files), True)
            self._scored_at.append((self._now() - self._started, record.score))
        self._flights.remove(flight)
        for future in [f for f, unit in self._units.items() if unit.flight is flight]:
            del self._units[future]
            future.cancel()
        self._study.tell(flight.trial, record)
        self._records = current([*self._records, record])
        self._told.on_trial(record)
        self._check_failures()

    def _check_failures(self) -> None:
        failed = self._failed()
        if len(failed) == len(self._records) == FAILURES_THAT_END_IT:
            self._refuse(f"the first {len(failed)} trials", failed)

    def _check_scores(self) -> None:
        """Whether a search that has ended has failed: it may have had few trials."""
        failed = self._failed()
        if failed and all(record.score is None for record in self._records):
            self._refuse(f"{len(failed)} of {len(self._records)} trials", failed)

    def _failed(self) -> list[TrialRecord]:
        return [record for record in self._records if record.state == "FAIL"]

    def _refuse(self, which: str, failed: Sequence[TrialRecord]) -> NoReturn:
        notes = "; ".join(sorted({record.note for record in failed}))
        raise NightFailed(
            f"No trial of {self._family} has a score; {which} failed: {notes}. "
            "Expected settings that fit the data; change or remove this family in the plan."
        )

    def _stop_flights(self) -> None:
        """What the end cut off: scored on the folds it has, or forgotten if it has none.

        Its folds are an unbiased if noisier sample. Without them a costly family, of which a short
        night finishes one trial at most, would never be heard.
        """
        gave_way = self._left_s() > 0 and self._lanes.units == 0
        why = "its family gave way to a better one" if gave_way else "the time was up"
        for flight in list(self._flights):
            if flight.files:
                done = f"{len(flight.files)} of {self._bench.search.folds} folds"
                note = f"{why}: scored on {done}"
                self._end(flight, "COMPLETE", note, cut_off=True)
            else:
                self._study.abandon(flight.trial)


def _why(fault: BaseException) -> str:
    if isinstance(fault, TimeoutError):
        return "killed: it took many times as long as any fold before it"
    return why(fault)
