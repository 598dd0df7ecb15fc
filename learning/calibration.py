"""Bias-corrected temperature scaling: probabilities that mean what they say.

Fitted on out-of-fold rows in their natural shares, it undoes both over-confidence and the prior
that a sampler or class weights have put in (Guo et al. 2017; Alexandari et al. 2020).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from learning.arrays import Labels, Probabilities, log_probabilities
from learning.metrics import log_loss
from schemas.strict import Strict

RIDGE = 1.0
"""Pull to the identity in rows: with few rows or a class of one, stay near what the model said."""
LARGEST_LOG_TEMPERATURE = 3.0


class Calibration(Strict):
    """Log-probabilities are divided by `temperature`, moved by `biases`, and normalised again."""

    temperature: float
    biases: tuple[float, ...]


def identity(classes: int) -> Calibration:
    """The calibration that changes nothing."""
    return Calibration(temperature=1.0, biases=(0.0,) * classes)


def fit_calibration(probabilities: Probabilities, labels: Labels) -> Calibration:
    """The calibration of least log-loss, never worse than none; absent classes keep bias 0."""
    classes = probabilities.shape[1]
    if not len(labels):
        return identity(classes)
    logs = log_probabilities(probabilities)
    free = np.bincount(labels, minlength=classes) > 0
    own = (np.arange(len(labels)), labels)

    def penalised(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Loss and gradient at (log temperature, biases)."""
        scaled = logs * np.exp(-point[0])
        log_q = log_softmax(scaled + point[1:], axis=1)
        loss = -float(log_q[own].sum()) + RIDGE / 2 * float(point @ point)
        away = np.exp(log_q)
        away[own] -= 1.0
        slope = np.concatenate(([-(away * scaled).sum()], away.sum(0) * free)) + RIDGE * point
        return loss / len(labels), slope / len(labels)

    bounds = [(-LARGEST_LOG_TEMPERATURE, LARGEST_LOG_TEMPERATURE)] + [(None, None)] * classes
    found = minimize(penalised, np.zeros(1 + classes), jac=True, method="L-BFGS-B", bounds=bounds)
    fitted = Calibration(
        temperature=float(np.exp(found.x[0])), biases=tuple(float(b) for b in found.x[1:])
    )
    better = log_loss(apply(fitted, probabilities), labels) <= log_loss(probabilities, labels)
    return fitted if better else identity(classes)


def apply(calibration: Calibration, probabilities: Probabilities) -> Probabilities:
    """Calibrated probabilities; rows sum to 1."""
    if calibration == identity(probabilities.shape[1]):
        return probabilities
    scaled = log_probabilities(probabilities) / calibration.temperature
    calibrated: Probabilities = softmax(scaled + np.asarray(calibration.biases), axis=1)
    return calibrated
