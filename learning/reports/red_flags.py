"""What to look at before believing the contender: one line each, the figure and what to do."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from learning.reading.wording import amount
from learning.reports.recipes import contender_fit
from learning.reports.texts import figure
from schemas.night import Night
from schemas.results import ClassScore, RedFlag, TargetScore
from schemas.trials import FitEpoch, RefitResult

OVERFIT = 0.2
"""Training score above the upper bound of the holdout's interval. Boosted trees often stand 0.1
apart without harm, and chance is in the interval; 0.2 more is rows learned by heart."""
APART = 2.0
"""Times that precision or recall is the other: F1 is then at most 2/3, whatever the better one."""
THRESHOLD = 0.155
"""Average precision minus F1. The best cut of no precision-recall curve has an F1 that lies more
than 0.153 below the area under it, so a larger gap is a wrong cut, not a poor ranking."""
SWING = 0.05
"""Share of the loss that an epoch must move it by to count as a swing."""
TURNS = 2
"""From falling to rising or back: one may be overfitting, a second is oscillation."""
FEW_ROWS = 10
"""Of fewer rows precision and recall are mostly chance."""


def red_flags(night: Night) -> tuple[RedFlag, ...]:
    """Of the contender; most nights none."""
    fit = contender_fit(night)
    return (
        *_overfitting(night, fit),
        *_oscillation(fit),
        *(
            flag
            for place, target in enumerate(night.judgement.cards["challenger"].targets)
            for flag in _of_target(night, place, target, fit)
        ),
    )


def _overfitting(night: Night, fit: RefitResult) -> Iterator[RedFlag]:
    score = night.judgement.cards["challenger"].score
    # Below 0 there are only costs, which have no scale that a bound could be set on.
    if score.value >= 0 and fit.train_score > score.high + OVERFIT:
        yield RedFlag(
            kind="overfitting",
            told=(
                f"overfitting: {night.objective} is {figure(fit.train_score)} on the training rows "
                f"and {score.text()} on the holdout; expected at most {OVERFIT:g} above the "
                "upper bound. Regularise more (fewer epochs or rounds, more dropout or weight "
                "decay, a smaller model), or add rows"
            ),
        )


def _oscillation(fit: RefitResult) -> Iterator[RedFlag]:
    """Not of a fit whose loss is another one in later epochs, which moves it by itself."""
    if fit.settings.get("classifier.loss.deferred") or (
        fit.settings.get("classifier.loss.r_drop")
        and fit.settings.get("classifier.loss.r_drop_warm_up")
    ):
        return
    for member in sorted({each.member for each in fit.history}):
        own = [each for each in fit.history if each.member == member]
        for name, losses in _losses(own):
            if (turns := _turns(losses)) >= TURNS:
                told = ", ".join(map(figure, losses))
                yield RedFlag(
                    kind="oscillating loss",
                    told=(
                        f"oscillating loss: {name} turned {turns} times ({told}); expected fewer "
                        f"than {TURNS} turns of more than {SWING:.0%}. Lower "
                        "training.learning_rate, warm up longer, or take larger batches"
                    ),
                )


def _losses(own: Sequence[FitEpoch]) -> Iterator[tuple[str, list[float]]]:
    yield "the training loss", [each.train_loss for each in own]
    yield "the loss on rows held back", [e.held_loss for e in own if e.held_loss is not None]


def _turns(losses: Sequence[float]) -> int:
    """How often the loss changed its direction; moves below `SWING` have none.

    >>> _turns([1.0, 0.5, 0.8, 0.4]), _turns([1.0, 0.5, 0.6, 0.7]), _turns([1.0, 0.5, 0.51, 0.4])
    (2, 1, 0)
    """
    moves = [
        after > before
        for before, after in pairwise(losses)
        if abs(after - before) > SWING * abs(before)
    ]
    return sum(one != two for one, two in pairwise(moves))


def _of_target(
    night: Night, place: int, target: TargetScore, fit: RefitResult
) -> Iterator[RedFlag]:
    areas = fit.calibrations[place].average_precision if fit.calibrations else ()
    for c in target.counted:
        score, area = target.classes[c], areas[c] if areas else None
        rows = night.rows.train_counts[place][c]
        of, on = _called(night, target, score), amount(score.support, "holdout row")
        if score.support and score.f1 == 0:
            yield RedFlag(
                kind="class at zero",
                told=f"F1 of {of} is 0 on {on}: {_why(score, area, rows)}",
            )
        elif _apart(score):
            yield RedFlag(
                kind="precision and recall apart",
                told=(
                    f"precision of {of} is {figure(score.precision)} and recall "
                    f"{figure(score.recall)}: {_why(score, area, rows)}"
                ),
            )


def _apart(score: ClassScore) -> bool:
    precision, recall = score.precision, score.recall
    if precision is None or recall is None or score.support < FEW_ROWS:
        return False
    return max(precision, recall) >= APART * min(precision, recall)


def _why(
    score: ClassScore,
    area: float | None,  # average precision, out of fold
    rows: int,  # to train on
) -> str:
    """A class that is ranked well and decided badly has a wrong threshold; else it lacks data."""
    f1 = score.f1 or 0.0
    if area is None:
        return (
            f"{amount(rows, 'row')} to train on. Look at its rows and at the way they are labelled"
        )
    known = f"average precision out of fold {figure(area)}, F1 {figure(f1)}"
    if area - f1 > THRESHOLD:
        return (
            f"{known}: the threshold, as its rows are ranked well. Look at the objective, which "
            "offsets climb, and at how the class's share moved"
        )
    return (
        f"{known}: the data, as its rows are not ranked well either. Add rows "
        f"({rows:,} to train on), features that tell it, or look at the way it is labelled"
    )


def _called(night: Night, target: TargetScore, score: ClassScore) -> str:
    if target.is_flag:
        return f"'{target.name}'"
    return f"'{score.name}'" + (f" of {target.name}" if len(night.targets) > 1 else "")
