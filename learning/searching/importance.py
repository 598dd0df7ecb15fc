"""Which settings mattered in a study, from its trials' records alone."""

import math
from collections.abc import Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from schemas.knobs import Setting
from schemas.trials import TrialRecord

LEAST_TRIALS = 20
BEST_SHARE, LEAST_BEST = 0.1, 5
"""The best tenth is what the others are compared with, but never fewer than five trials."""
LOG_FROM = 20.0
"""A positive setting whose largest value is so many times its smallest was searched by ratio."""


def importances(trials: Sequence[TrialRecord]) -> dict[str, float]:
    """How much each setting's distribution among the best trials differs from that among all.

    PED-ANOVA (Watanabe et al. 2023); shares of 1, the largest first. Only whole trials with the
    settings of the last one count. Empty where they are too few, the best are not apart from the
    rest, or no setting varies.
    """
    whole = [t for t in trials if t.state == "COMPLETE" and not t.cut_off and t.score is not None]
    whole = [t for t in whole if set(t.params) == set(whole[-1].params)]
    scores = sorted((t.score for t in whole if t.score is not None), reverse=True)
    if len(whole) < LEAST_TRIALS or scores[_best(len(whole)) - 1] == scores[-1]:
        return {}
    spaces = {path: _distribution([t.params[path] for t in whole]) for path in whole[-1].params}
    varied = {path: space for path, space in spaces.items() if not space.single()}
    return _shares(whole, varied) if varied else {}


def _shares(trials: Sequence[TrialRecord], spaces: dict[str, BaseDistribution]) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        settings = {path: trial.params[path] for path in spaces}
        told = optuna.trial.create_trial(params=settings, distributions=spaces, value=trial.score)
        study.add_trial(told)
    share = _best(len(trials)) / len(trials)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {path: float(share) for path, share in found.items()}


def _best(trials: int) -> int:
    """How many of them are the best."""
    return max(LEAST_BEST, math.ceil(BEST_SHARE * trials))


def _distribution(settings: Sequence[Setting]) -> BaseDistribution:
    """A space that holds the settings; how it was searched is not in the records."""
    numbers = [s for s in settings if isinstance(s, int | float) and not isinstance(s, bool)]
    if len(numbers) < len(settings):
        return CategoricalDistribution(tuple(dict.fromkeys(settings)))
    low, high = min(numbers), max(numbers)
    by_ratio = low > 0 and high / low >= LOG_FROM
    if all(isinstance(s, int) for s in numbers):
        return IntDistribution(int(low), int(high), log=by_ratio)
    return FloatDistribution(float(low), float(high), log=by_ratio)
