"""A family's study on disk: what was tried, what a killed run left behind, what to try next.

One SQLite file a family, written by one process only. A finished trial comes back whole from its
record; a trial that was under way, or that the end of the run cut off, is tried again first.

What comes next is the method's: `tpe` goes from first points to what it learns, and prunes;
`random` draws; `grid` goes through every combination in order, and `none` has one point.
"""

import hashlib
import itertools
import json
import sqlite3
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import assert_never

import optuna
from optuna.trial import FrozenTrial, TrialState

from learning.searching.ranking import current
from learning.searching.space import (
    Point,
    Space,
    candidate,
    combinations,
    completed,
    first_points,
    grid,
    suggest,
)
from learning.searching.steps import is_before
from schemas.plan import Family, SearchMethod
from schemas.samplers import Imbalance
from schemas.trials import Candidate, TrialRecord

STARTUP_TRIALS = 5
"""Complete trials before the median prunes."""

_RECORD = "record"
_OPENING = threading.Lock()
"""The tables are made through Alembic's context, of which a process has one."""

_SAME_AGAIN = 10
"""Suggestions of a recipe that was tried already before one of them is taken after all."""


class Study:
    """Ask for a trial, tell its record. Not to be shared between threads."""

    def __init__(
        self,
        family: Family,
        kept: Sequence[Imbalance],
        knobs: Space,
        folder: Path,
        name: str,
        seed: int,
        method: SearchMethod = "tpe",
    ) -> None:
        self._family = family
        self._kept = kept
        self._knobs = knobs
        self._method: SearchMethod = method
        self._listed = _listed(knobs, method)
        path = folder / f"{family.classifier.kind}.db"
        self._study = _opened(path, _named(name, knobs, method), seed, method)
        self._countable: dict[int, frozenset[str] | None] = {}
        self._ahead: list[Point] = []
        self._tried: set[str] = set()
        self.resumed = tuple(self._take_up())

    def plan_ahead(self, warm: Iterable[Point], most: int) -> None:
        """Queue what `tpe` tries first: a cheap point, last night's best, the strong points.

        A space of no more than `most` points is queued as a whole, for want of anything to learn.
        What was tried already is left out. The other methods try nothing but their own points.
        """
        if self._method != "tpe":
            return
        first = first_points(self._family, self._knobs)
        near = [completed(point, self._knobs) for point in warm]
        planned = [*first[:1], *near, *first[1:], *(grid(self._knobs, most) or [])]
        self._queue(planned)

    def limit(self, most: int) -> int:
        """How many trials may begin, of `most` in the plan: a list ends only where it ends."""
        return sys.maxsize if self._method in ("grid", "none") else most

    def exhausted(self, most: int) -> bool:
        """Whether all points of the method's list, or of a space of at most `most`, were tried."""
        if self._method in ("grid", "none"):
            return not self._has_next()
        if most not in self._countable:
            points = grid(self._knobs, most)
            recipes = (_recipe(self._candidate(point)) for point in points or ())
            self._countable[most] = None if points is None else frozenset(recipes)
        recipes_of_all = self._countable[most]
        return recipes_of_all is not None and recipes_of_all <= self._tried

    def ask(self) -> tuple[optuna.Trial, Candidate]:
        """The next trial, running from now on; a recipe that was not tried if one is found."""
        for attempt in itertools.count(1):
            if self._has_next():
                self._study.enqueue_trial(self._ahead.pop(0))
            trial = self._study.ask()
            recipe = self._candidate(suggest(trial, self._knobs))
            if _recipe(recipe) not in self._tried or attempt >= _SAME_AGAIN:
                break
            self._study.tell(trial, state=TrialState.FAIL)
        self._tried.add(_recipe(recipe))
        return trial, recipe

    def tell(self, trial: optuna.Trial, record: TrialRecord) -> None:
        """Keep the record and end the trial; the record first, so that none is lost."""
        trial.set_user_attr(_RECORD, record.model_dump_json())
        value, state = _outcome(record)
        self._study.tell(trial, value, state=state)

    def outdone(self, trial: optuna.Trial, score: float, step: int) -> bool:
        """Report a score of a trial under way; whether earlier ones did better at this step.

        The pruner sees the scores of one kind alone (`learning.searching.steps`): those on whole
        folds are of the plan's objective, those of epochs are not.
        """
        trial.report(score, step)
        (told,) = (t for t in self._study.get_trials(deepcopy=False) if t.number == trial.number)
        seen = copy(told)
        seen.intermediate_values = {
            at: value for at, value in told.intermediate_values.items() if is_before(at, step)
        }
        return self._study.pruner.prune(self._study, seen)

    def abandon(self, trial: optuna.Trial) -> None:
        """End a trial of which nothing is known; it does not count."""
        self._study.tell(trial, state=TrialState.FAIL)

    def _has_next(self) -> bool:
        """Whether a point is queued, if need be from the method's list."""
        while not self._ahead:
            point = next(self._listed, None)
            if point is None:
                return False
            self._queue([point])
        return True

    def _candidate(self, point: Point) -> Candidate:
        return candidate(self._family, self._kept, point)

    def _take_up(self) -> list[TrialRecord]:
        """Records of ended trials; what was cut off, under way or lost its answers is queued."""
        records, unfinished = [], []
        for trial in self._study.get_trials(deepcopy=False):
            record = _record(trial)
            if trial.state == TrialState.RUNNING:
                self._end_stale(trial, record)
            if record is not None and _answers_are_kept(record):
                records.append(record)
            else:
                unfinished.append(trial.params)
        records = current(records)
        self._tried |= {_recipe(r.candidate) for r in records if r.candidate and not r.cut_off}
        self._queue([*(record.params for record in records if record.cut_off), *unfinished])
        return records

    def _end_stale(self, trial: FrozenTrial, record: TrialRecord | None) -> None:
        # A trial left running repels the sampler from its place for ever.
        if record is None:
            self._study.tell(trial.number, state=TrialState.FAIL)
        else:
            value, state = _outcome(record)
            self._study.tell(trial.number, value, state=state)

    def _queue(self, points: Iterable[Point]) -> None:
        """In memory only: each start plans anew from what it finds."""
        known = self._tried | {_recipe(self._candidate(point)) for point in self._ahead}
        for point in points:
            recipe = _recipe(self._candidate(point))
            # A trial that was killed before it had all its settings is no loss.
            if set(point) == set(self._knobs) and recipe not in known:
                known.add(recipe)
                self._ahead.append(point)


def _listed(knobs: Space, method: SearchMethod) -> Iterator[Point]:
    """The points that a method knows beforehand, one by one: a grid may be vast."""
    match method:
        case "grid":
            return combinations(knobs)
        case "none":
            return iter([completed({}, knobs)])
        case "tpe" | "random":
            return iter(())
        case _:
            assert_never(method)


def _opened(path: Path, name: str, seed: int, method: SearchMethod) -> optuna.Study:
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _OPENING:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"creator": partial(_connected, path)}
        )
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=_pruner(method),
        )
    # A sampler with the seed of the killed run would suggest that run's points again.
    seed += len(study.get_trials(deepcopy=False))
    samplers = optuna.samplers
    study.sampler = (
        samplers.TPESampler(seed=seed) if method == "tpe" else samplers.RandomSampler(seed=seed)
    )
    return study


def _pruner(method: SearchMethod) -> optuna.pruners.BasePruner:
    """Only who learns from other trials may end one by them: the others answer in full."""
    if method == "tpe":
        return optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS)
    return optuna.pruners.NopPruner()


def _connected(path: Path) -> sqlite3.Connection:
    # Optuna commits some twenty times a trial; a write-ahead log without a flush for each takes
    # a tenth of the time, survives a killed process, and at worst loses the last trials of a
    # machine that lost its power.
    connection = sqlite3.connect(path, timeout=60.0, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _named(name: str, knobs: Space, method: SearchMethod) -> str:
    """Optuna refuses a study whose choices changed, so a changed space is another study.

    And so is another method: the points of one are none of the other's.
    """
    drawn = json.dumps({path: repr(knob) for path, knob in sorted(knobs.items())})
    return f"{name}-{method}-{hashlib.sha256(drawn.encode()).hexdigest()[:8]}"


def _recipe(recipe: Candidate) -> str:
    return recipe.model_dump_json()


def _record(trial: FrozenTrial) -> TrialRecord | None:
    kept = trial.user_attrs.get(_RECORD)
    return None if kept is None else TrialRecord.model_validate_json(kept)


def _outcome(record: TrialRecord) -> tuple[float | None, TrialState]:
    """What Optuna is told. A score on some folds is no score to learn from: it has failed."""
    if record.state == "COMPLETE" and not record.cut_off:
        return record.score, TrialState.COMPLETE
    return None, TrialState.FAIL if record.cut_off else TrialState[record.state]


def _answers_are_kept(record: TrialRecord) -> bool:
    return record.state != "COMPLETE" or all(Path(path).is_file() for path in record.oof.values())
