"""What each variant was worth: its figures over all repeats, and its difference to the base.

A repeat asks the same rows again, so it counts like one more target of each row: rows are drawn
whole, with all their repeats, and the repeats' figures are averaged. That is the chance of the
rows alone; what folds and seeds add is seen between the repeats and widens the intervals. Without
it, of trees that differed by their seed only 20 to 27 % were called apart at 95 %; with it 3 to 5.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

import numpy as np
from scipy.stats import chi2, norm

from learning.answers import Answers
from learning.arrays import LabelTable, Probabilities
from learning.deciding.bootstrap import paired, score_interval
from learning.deciding.metrics import class_figures, confusion
from learning.deciding.objectives import MeanF, overall
from learning.searching.oof import Truth, gathered, score_oof
from learning.searching.units import Fits
from learning.variants.listing import BASE
from schemas.results import Interval
from schemas.variants import Standing, Variant, VariantClass, VariantScore

RESAMPLES = 1000
CONFIDENCE = 0.95
PRIOR_FREEDOM = 4
"""What the variance of all variants counts, in repeats, for that of one."""


@dataclass(frozen=True)
class Answered:
    """A variant in one repeat; decisions (rows, targets), after cross-fitted offsets.

    Those of all variants and repeats are in memory at once, so they are as small as labels are.
    """

    fits: Fits
    decisions: LabelTable
    score: float
    plain: float


def answered(truth: Truth, fits: Fits) -> Answered:
    """Cross-fitted decisions and their score; probabilities stay on disk."""
    found = score_oof(truth, fits.files)
    decisions = found.answers.decisions.astype(np.int16)
    return Answered(fits, decisions, found.score, found.plain)


def scored(
    variants: Sequence[Variant],
    truths: Mapping[int, Truth],  # of each repeat: equal rows in equal order, other folds
    found: Mapping[str, Mapping[int, Answered]],  # variant: repeat: answers
    notes: Mapping[str, str],  # variant: why it has no answers, or fewer
) -> tuple[VariantScore, ...]:
    """Every variant's figures, in their order; those without answers are `failed`."""
    base = found.get(BASE, {})
    each = [
        _scored(variant, truths, base, found.get(variant.name, {}), notes.get(variant.name, ""))
        for variant in variants
    ]
    apart = {
        name: [own[repeat].score - base[repeat].score for repeat in sorted(set(own) & set(base))]
        for name, own in found.items()
        if name != BASE
    }
    of_score = repeat_errors({one.variant.name: one.repeat_scores for one in each})
    of_difference = repeat_errors(apart)
    return tuple(
        _told(one, of_score.get(one.variant.name), of_difference.get(one.variant.name))
        for one in each
    )


def repeat_errors(repeated: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Standard error of each variant's mean over its repeats; none where nobody has two.

    A few repeats tell a variance badly, so each is drawn to that of all (Smyth 2004).

    >>> {name: round(e, 4) for name, e in repeat_errors({"a": [0.1, 0.3], "b": [0.2]}).items()}
    {'a': 0.1, 'b': 0.1414}
    """
    freedom = {name: len(each) - 1 for name, each in repeated.items() if each}
    if not sum(freedom.values()):
        return {}
    squares = {name: float(np.var(repeated[name]) * len(repeated[name])) for name in freedom}
    pooled = _pooled(squares, freedom)
    return {
        name: math.sqrt(
            (squares[name] + PRIOR_FREEDOM * pooled)
            / (freedom[name] + PRIOR_FREEDOM)
            / (freedom[name] + 1)
        )
        for name in freedom
    }


def _pooled(squares: Mapping[str, float], freedom: Mapping[str, int]) -> float:
    """The variance of all; a few wild variants do not count beyond the median (Phipson 2016)."""
    repeated = [name for name in squares if freedom[name]]
    usual = median(squares[name] / float(chi2.median(freedom[name])) for name in repeated)
    return min(usual, sum(squares.values()) / sum(freedom.values()))


def _told(one: VariantScore, of_score: float | None, of_difference: float | None) -> VariantScore:
    """With intervals as wide as rows and repeats together ask, and what they say of the variant."""
    if one.standing == "failed":
        return one
    difference = _widened(one.difference, of_difference)
    score = _widened(one.score, of_score)
    standing: Standing = "base"
    if difference is not None:
        standing = "undecided" if of_difference is None else _standing(difference)
    update = {"score": score, "difference": difference, "standing": standing}
    return one.model_copy(update=update)


def _widened(interval: Interval | None, error: float | None) -> Interval | None:
    if interval is None or error is None:
        return interval
    reach = float(norm.ppf((1 + CONFIDENCE) / 2)) * error
    return Interval(
        value=interval.value,
        low=interval.value - math.hypot(interval.value - interval.low, reach),
        high=interval.value + math.hypot(interval.high - interval.value, reach),
    )


def _standing(difference: Interval) -> Standing:
    return "better" if difference.low > 0 else "worse" if difference.high < 0 else "within noise"


def _scored(
    variant: Variant,
    truths: Mapping[int, Truth],
    base: Mapping[int, Answered],
    own: Mapping[int, Answered],
    note: str,
) -> VariantScore:
    """Its figures, with intervals of the rows alone."""
    repeats = sorted(set(own) & set(base))
    if not repeats:
        return VariantScore(variant=variant, standing="failed", note=note or "no repeat was done")
    asked = [truths[repeat] for repeat in repeats]
    labels = np.hstack([truth.labels for truth in asked])
    aims = [aim for truth in asked for aim in truth.aims]
    targets = [target for truth in asked for target in truth.targets]
    answers = _joined(asked, [own[repeat] for repeat in repeats])
    difference: Interval | None = None
    if own is not base:
        reference = _joined(asked, [base[repeat] for repeat in repeats])
        # One seed: the rows are drawn alike for every variant.
        difference = paired(
            labels, reference, answers, aims, targets, RESAMPLES, CONFIDENCE, seed=0
        ).score
    return VariantScore(
        variant=variant,
        standing="base",
        repeats=len(repeats),
        score=score_interval(labels, answers, aims, RESAMPLES, CONFIDENCE, seed=0),
        plain_score=mean(own[repeat].plain for repeat in repeats),
        difference=difference,
        repeat_scores=tuple(own[repeat].score for repeat in repeats),
        accuracy=float((answers.decisions == labels).mean()),
        macro_f1=overall([MeanF(target.counted) for target in targets], labels, answers),
        classes=_classes(asked[0], labels, answers),
        seconds=sum(own[repeat].fits.seconds for repeat in repeats),
        note=note,
    )


def _joined(truths: Sequence[Truth], answers: Sequence[Answered]) -> Answers:
    """All repeats side by side, as if each were more targets of the same rows."""
    probabilities: list[Probabilities] = []
    for truth, each in zip(truths, answers, strict=True):
        whole, scored = gathered(each.fits.files, truth.folds, truth.targets)
        if not scored.all():
            raise ValueError("expected an answer to every row in every repeat, got fewer")
        probabilities += whole
    return Answers(tuple(probabilities), np.hstack([each.decisions for each in answers]))


def _classes(
    truth: Truth,
    labels: LabelTable,  # (rows, repeats * targets)
    answers: Answers,
) -> tuple[VariantClass, ...]:
    told = []
    for t, target in enumerate(truth.targets):
        places = range(t, labels.shape[1], len(truth.targets))
        counts = [confusion(labels[:, p], answers.decisions[:, p], target.classes) for p in places]
        figures = [class_figures(count) for count in counts]
        for c, name in enumerate(target.class_texts):
            told.append(
                VariantClass(
                    target=target.name,
                    name=name,
                    support=int(counts[0][c].sum()),
                    precision=_mean_of_known([each.precision[c] for each in figures]),
                    recall=_mean_of_known([each.recall[c] for each in figures]),
                    f1=_mean_of_known([each.f1[c] for each in figures]),
                )
            )
    return tuple(told)


def _mean_of_known(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return mean(known) if known else None
