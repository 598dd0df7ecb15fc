"""Probabilities that mean what they say: of rows given 0.7, seven in ten are of that class.

Fitted on out-of-fold rows in their natural shares, after `priors` has undone what a sampler put
in. The kinds are told apart by `kind`, from the simplest to the freest; more freedom has to earn
its place on rows that it was not fitted on.
"""

from typing import Annotated, Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit, softmax

from learning.arrays import Labels, Probabilities, log_probabilities
from learning.deciding.metrics import log_loss
from learning.deciding.scaling import slope_and_intercept, steps, temperature_and_biases
from schemas.plan import CalibrationMethod
from schemas.strict import Strict

ISOTONIC_ROWS = 1000
ISOTONIC_ROWS_A_CLASS = 50
"""Fewer, and steps follow chance (Niculescu-Mizil and Caruana 2005 give 1,000 rows)."""
GRAIN = 1e-3
"""Share of the given probability in an isotonic one, so that rows on one step keep their order."""

_Fitted = Literal["temperature", "sigmoid", "isotonic"]


class Unchanged(Strict):
    """The probabilities as they are."""

    kind: Literal["none"] = "none"
    classes: int


class Temperature(Strict):
    """Log-probabilities are divided by `temperature`, moved by `biases`, and normalised again."""

    kind: Literal["temperature"] = "temperature"
    temperature: float
    biases: tuple[float, ...]


class Sigmoid(Strict):
    """Each class's log-odds times its slope plus its intercept, normalised over the classes.

    Of two classes only the second's figures are kept. Of more, normalising takes the classes'
    means off their shares again, and `then` puts them back.
    """

    kind: Literal["sigmoid"] = "sigmoid"
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    then: Temperature | None = None


class Curve(Strict):
    """A line through points; beyond its ends it is level."""

    given: tuple[float, ...]
    meant: tuple[float, ...]


class Isotonic(Strict):
    """Each class's probability through its own rising curve, normalised over the classes.

    Of two classes only the second's curve is kept; `then` as with `Sigmoid`.
    """

    kind: Literal["isotonic"] = "isotonic"
    curves: tuple[Curve, ...]
    then: Temperature | None = None


Calibration = Annotated[Unchanged | Temperature | Sigmoid | Isotonic, Field(discriminator="kind")]


def identity(classes: int) -> Calibration:
    """The calibration that changes nothing."""
    return Unchanged(classes=classes)


def fit_calibration(
    probabilities: Probabilities,  # out-of-fold, in natural shares
    labels: Labels,
    parts: NDArray[np.integer],  # (rows,) rows of one part were answered by one fit, or are related
    method: CalibrationMethod,
) -> Calibration:
    """The calibration asked for, but none where it costs log loss on its own rows.

    `auto` calibrates each part by a fit on the others and takes a freer kind only where it lowers
    the log loss by more than one standard error (Breiman et al. 1984).
    """
    classes = probabilities.shape[1]
    if not len(labels) or method == "none":
        return identity(classes)
    if method != "auto":
        return _fitted(method, probabilities, labels)
    chosen: Calibration = identity(classes)
    losses = _losses(probabilities, labels)
    for kind in _worth_trying(labels):
        gained = losses - _cross_fitted_losses(kind, probabilities, labels, parts)
        if gained.mean() > gained.std() / np.sqrt(len(gained)):
            chosen, losses = _fitted(kind, probabilities, labels), losses - gained
    return chosen


def apply(calibration: Calibration, probabilities: Probabilities) -> Probabilities:
    """Calibrated probabilities; rows sum to 1."""
    match calibration:
        case Unchanged():
            return probabilities
        case Temperature(temperature=temperature, biases=biases):
            scaled = log_probabilities(probabilities) / temperature
            return np.asarray(softmax(scaled + np.asarray(biases), axis=1))
        case Sigmoid(slopes=slopes, intercepts=intercepts, then=then):
            meant = _log_odds(_asked(probabilities)) * np.asarray(slopes) + np.asarray(intercepts)
            whole = _whole(expit(meant))
        case Isotonic(curves=curves, then=then):
            asked = _asked(probabilities)
            through = [np.interp(p, c.given, c.meant) for p, c in zip(asked.T, curves, strict=True)]
            whole = _whole((1 - GRAIN) * np.stack(through, axis=1) + GRAIN * asked)
        case _:
            assert_never(calibration)
    return whole if then is None else apply(then, whole)


def _fitted(kind: _Fitted, probabilities: Probabilities, labels: Labels) -> Calibration:
    fitted = _fit(kind, probabilities, labels)
    better = log_loss(apply(fitted, probabilities), labels) <= log_loss(probabilities, labels)
    return fitted if better else identity(probabilities.shape[1])


def _fit(kind: _Fitted, probabilities: Probabilities, labels: Labels) -> Calibration:
    if kind == "temperature":
        return _temperature(probabilities, labels)
    alone = _against_rest(kind, probabilities, labels)
    if probabilities.shape[1] == 2:
        return alone
    then = _temperature(apply(alone, probabilities), labels)
    return alone.model_copy(update={"then": then})


def _temperature(probabilities: Probabilities, labels: Labels) -> Temperature:
    temperature, biases = temperature_and_biases(log_probabilities(probabilities), labels)
    return Temperature(temperature=temperature, biases=tuple(float(b) for b in biases))


def _against_rest(
    kind: Literal["sigmoid", "isotonic"], probabilities: Probabilities, labels: Labels
) -> Sigmoid | Isotonic:
    """Each class that is asked against all others."""
    asked = _asked(probabilities)
    first = probabilities.shape[1] - asked.shape[1]
    own = [labels == c for c in range(first, probabilities.shape[1])]
    if kind == "sigmoid":
        lines = [slope_and_intercept(z, y) for z, y in zip(_log_odds(asked).T, own, strict=True)]
        slopes, intercepts = zip(*lines, strict=True)
        return Sigmoid(slopes=slopes, intercepts=intercepts)
    curves = [steps(p, y) for p, y in zip(asked.T, own, strict=True)]
    return Isotonic(curves=tuple(Curve(given=x, meant=y) for x, y in curves))


def _asked(probabilities: Probabilities) -> Probabilities:
    """Columns that have a line or curve of their own: of two classes the second says it all."""
    return probabilities[:, 1:] if probabilities.shape[1] == 2 else probabilities


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_probabilities(probabilities) - log_probabilities(1 - probabilities)


def _whole(asked: NDArray[np.float64]) -> Probabilities:
    """The opposite of `_asked`, each row summing to 1."""
    if asked.shape[1] == 1:
        return np.hstack([1 - asked, asked])
    return np.asarray(asked / asked.sum(1, keepdims=True))


def _worth_trying(labels: Labels) -> tuple[_Fitted, ...]:
    """The kinds that so many rows can bear, the simplest first."""
    counts = np.bincount(labels)
    steps_bear = len(labels) >= ISOTONIC_ROWS and counts[counts > 0].min() >= ISOTONIC_ROWS_A_CLASS
    return ("temperature", "sigmoid", "isotonic") if steps_bear else ("temperature", "sigmoid")


def _losses(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """(rows,) log loss of each."""
    return np.asarray(-log_probabilities(probabilities)[np.arange(len(labels)), labels])


def _cross_fitted_losses(
    kind: _Fitted, probabilities: Probabilities, labels: Labels, parts: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Each part's losses after a fit on the other parts; odd and even rows where there is one."""
    if len(np.unique(parts)) == 1:
        parts = np.arange(len(labels)) % 2
    losses = _losses(probabilities, labels)
    for part in np.unique(parts):
        inside = parts == part
        if not inside.all():
            fitted = _fit(kind, probabilities[~inside], labels[~inside])
            losses[inside] = _losses(apply(fitted, probabilities[inside]), labels[inside])
    return losses
