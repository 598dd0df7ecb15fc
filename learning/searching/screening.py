"""Every imbalance method on equal folds with one cheap learner: which are worth searching over.

The class-weighted baseline of the night is always among them. It goes first and has the search's
whole time; the others share a part of it, for what they cost the search loses.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.deciding.bootstrap import paired, score_interval
from learning.deciding.metrics import class_figures, confusion
from learning.searching.oof import OofScore, Truth, read_truth, score_oof
from learning.searching.space import candidate, middle
from learning.searching.units import Fits, Units, awaited, stop
from learning.searching.workers import WorkerPool
from schemas.classifiers import LogisticRegression
from schemas.dataset import Column
from schemas.faults import NightFailed
from schemas.features import Features, TextFeatures
from schemas.knobs import open_knobs, settle
from schemas.manifest import Rows
from schemas.plan import Family, Plan
from schemas.samplers import ClassWeights, Imbalance
from schemas.trials import Candidate, MethodScore

MOST_KEPT = 3
SHARE = 0.25
"""Of the time that is left for the search when the screening starts."""

RESAMPLES = 1000
CONFIDENCE = 0.95

CHEAP = Family(
    classifier=LogisticRegression(C=1.0),
    features=Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=2)),
)
BALANCED = ClassWeights(exponent=1.0)


@dataclass(frozen=True)
class _Screened:
    told: MethodScore
    found: OofScore | None
    late: bool = False


BASELINE_S = 60.0
"""What the baseline gets at the least."""


def screen(
    plan: Plan,
    rows: Rows,
    columns: Mapping[str, Column],
    pool: WorkerPool,
    deadline: Callable[[], float],  # monotonic seconds
    folder: Path,  # keeps the out-of-fold answers
    on_method: Callable[[MethodScore], None],
) -> tuple[MethodScore, ...]:
    """Best first; those not significantly worse than the best are `kept`, three at most.

    A method without a score (its fit failed, or the time was up) says why in its `note` and comes
    last. Where the time was up for all of them, the first of the plan are kept unseen. `on_method`
    is told each as it is scored, before any is kept.

    Raises
    ------
    NightFailed
        The baseline has no score, or every method of the plan failed.
    """
    truth = read_truth(rows, plan.targets, plan.objective)
    planned = searched(plan)
    methods = _methods(planned)
    # The baseline is the night's floor: a budget too small for it is overrun, not the night failed.
    least = time.monotonic() + BASELINE_S
    limits = [lambda: max(least, deadline()), *[_part(deadline)] * (len(methods) - 1)]
    search = plan.search
    units = Units(columns, rows, plan.targets, search.seed, search.folds, pool, folder)
    recipes = [candidate(CHEAP, [_mid(method)], {}) for method in methods]
    jobs = [units.jobs(recipe) for recipe in recipes]
    running = [
        units.started(folds, limit() - time.monotonic())
        for folds, limit in zip(jobs, limits, strict=True)
    ]
    screened: list[_Screened] = []
    try:
        each = zip(methods, recipes, jobs, running, limits, strict=True)
        for method, recipe, folds, started, limit in each:
            fits = awaited(folds, started, _left(limit))
            told = _screened(method, recipe, fits, truth, search.seed, planned=method in planned)
            screened.append(told)
            on_method(screened[-1].told)
    finally:
        for started in running:
            stop(started)
    return _ranked(plan, screened, truth)


def searched(plan: Plan) -> tuple[Imbalance, ...]:
    """The plan's methods against imbalance, where any of its families uses one."""
    if all(family.classifier.reads_text for family in plan.families):
        return ()
    return plan.imbalance


def baseline(methods: Sequence[MethodScore]) -> MethodScore:
    """The class-weighted logistic regression that a first champion must beat, or be."""
    return next(score for score in methods if score.candidate.imbalance == BALANCED)


def _methods(planned: Sequence[Imbalance]) -> list[Imbalance]:
    """The plan's, the baseline first: the night can't do without it."""
    others = [method for method in planned if _mid(method) != BALANCED]
    same = [method for method in planned if _mid(method) == BALANCED]
    return [*(same or [BALANCED]), *others]


def _mid(method: Imbalance) -> Imbalance:
    """Settled for the screening: the middle of a range, the first choice."""
    return settle(method, {path: middle(knob) for path, knob in open_knobs(method).items()})


def _part(deadline: Callable[[], float]) -> Callable[[], float]:
    """A part of the time from now to the deadline, also when that moves closer."""
    started = time.monotonic()
    until = started + SHARE * (deadline() - started)
    return lambda: min(until, deadline())


def _left(limit: Callable[[], float]) -> Callable[[], float]:
    return lambda: limit() - time.monotonic()


def _screened(
    method: Imbalance,
    recipe: Candidate,
    fits: Fits,
    truth: Truth,
    seed: int,
    *,
    planned: bool,
) -> _Screened:
    told = MethodScore(
        method=method.kind if planned else f"{method.kind} (baseline)",
        imbalance=method,
        seconds=fits.seconds,
        kept=False,
        candidate=recipe,
        note="the time for the screening was up" if fits.late else fits.note,
    )
    if fits.note:
        return _Screened(told, found=None, late=fits.late)
    found = score_oof(truth, fits.files)
    return _Screened(_with_figures(told, found, truth, seed, fits.files), found)


def _with_figures(
    told: MethodScore, found: OofScore, truth: Truth, seed: int, oof: dict[int, str]
) -> MethodScore:
    interval = score_interval(found.labels, found.answers, truth.aims, RESAMPLES, CONFIDENCE, seed)
    figures = {
        "score": interval.value,
        "low": interval.low,
        "high": interval.high,
        "plain_score": found.plain,
        "log_loss": found.log_loss,
        "recalls": _recalls(found, truth),
        "fold_scores": found.fold_scores,
        "oof": oof,
    }
    return told.model_copy(update=figures)


def _recalls(found: OofScore, truth: Truth) -> tuple[tuple[float, ...], ...]:
    each = []
    for place, target in enumerate(truth.targets):
        decided = found.answers.decisions[:, place]
        recalls = class_figures(confusion(found.labels[:, place], decided, target.classes)).recall
        each.append(tuple(recall or 0.0 for recall in recalls))
    return tuple(each)


def _ranked(plan: Plan, screened: Sequence[_Screened], truth: Truth) -> tuple[MethodScore, ...]:
    ranked = sorted(
        screened,
        key=lambda s: (s.found is None, -(s.told.score or 0.0), s.told.log_loss or 0.0),
    )
    floor = baseline([s.told for s in ranked])
    wanted = searched(plan)
    planned = [s for s in ranked if s.told.imbalance in wanted]
    late = [s.told.imbalance for s in planned if s.late]
    scored = [s for s in planned if s.found is not None]
    if floor.score is None or (wanted and not (scored or late)):
        notes = "; ".join(f"{s.told.method}: {s.told.note}" for s in ranked if s.told.note)
        raise NightFailed(
            f"The screening gave no baseline or no method to search over: {notes}. "
            "Give the night more time (search.budget_minutes) or other methods (imbalance)."
        )
    kept = (_good(scored, truth, plan.search.seed) or late)[:MOST_KEPT]
    return tuple(s.told.model_copy(update={"kept": s.told.imbalance in kept}) for s in ranked)


def _good(scored: Sequence[_Screened], truth: Truth, seed: int) -> list[Imbalance]:
    """The best, which is the first, and those that chance may have put below it."""
    best = scored[0].found if scored else None
    return [s.told.imbalance for s in scored if _as_good(best, s.found, truth, seed)]


def _as_good(best: OofScore | None, found: OofScore | None, truth: Truth, seed: int) -> bool:
    if best is None or found is None:
        return False
    difference = paired(
        best.labels,
        best.answers,
        found.answers,
        truth.aims,
        truth.targets,
        RESAMPLES,
        CONFIDENCE,
        seed,
    )
    return difference.score.high >= 0
