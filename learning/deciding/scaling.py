"""The fits behind calibration: scores and labels in, a few numbers out.

All are rising functions of the score they are given, and all stay near the identity on few rows.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from sklearn.isotonic import IsotonicRegression

from learning.arrays import Labels, Mask

Numbers = NDArray[np.float64]

RIDGE = 1.0
"""Pull to the identity in rows: with few rows or a class of one, stay near what the model said."""
LARGEST_LOG_SLOPE = 3.0


def temperature_and_biases(
    logs: Numbers,  # (n, classes) log-probabilities
    labels: Labels,
) -> tuple[float, Numbers]:
    """What divides and what is added of least log loss; absent classes keep bias 0.

    Bias-corrected temperature scaling (Guo et al. 2017; Alexandari et al. 2020).
    """
    classes = logs.shape[1]
    free = np.bincount(labels, minlength=classes) > 0
    own = (np.arange(len(labels)), labels)

    def penalised(point: Numbers) -> tuple[float, Numbers]:
        """Loss and gradient at (log temperature, biases)."""
        scaled = logs * np.exp(-point[0])
        # By hand: SciPy's log_softmax takes three times as long.
        moved = scaled + point[1:]
        moved -= moved.max(1, keepdims=True)
        away = np.exp(moved)
        whole = away.sum(1, keepdims=True)
        loss = float(np.log(whole).sum() - moved[own].sum()) + RIDGE / 2 * float(point @ point)
        away /= whole
        away[own] -= 1.0
        slope = np.concatenate(([-(away * scaled).sum()], away.sum(0) * free)) + RIDGE * point
        return loss / len(labels), slope / len(labels)

    bounds = [(-LARGEST_LOG_SLOPE, LARGEST_LOG_SLOPE)] + [(None, None)] * classes
    found = minimize(penalised, np.zeros(1 + classes), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), found.x[1:]


def slope_and_intercept(log_odds: Numbers, positive: Mask) -> tuple[float, float]:
    """Of the sigmoid that says how likely a row is positive (Platt 1999, with his targets).

    The targets are a little inside of 0 and 1, so rows that are all told apart make no step of it.
    Where all rows are alike the line changes nothing.
    """
    if positive.all() or not positive.any():
        return 1.0, 0.0
    yes, no = _targets(positive)
    targets = np.where(positive, yes, no)

    def penalised(point: Numbers) -> tuple[float, Numbers]:
        """Loss and gradient at (log slope, intercept)."""
        scaled = log_odds * np.exp(point[0])
        score = scaled + point[1]
        loss = -(targets * log_expit(score) + (1 - targets) * log_expit(-score)).sum()
        away = expit(score) - targets
        slope = np.array([(away * scaled).sum(), away.sum()]) + RIDGE * point
        return float(loss + RIDGE / 2 * (point @ point)) / len(targets), slope / len(targets)

    bounds = [(-LARGEST_LOG_SLOPE, LARGEST_LOG_SLOPE), (None, None)]
    found = minimize(penalised, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), float(found.x[1])


def steps(scores: Numbers, positive: Mask) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scores in rising order, and how likely a row of that score is positive: never falling.

    Pool adjacent violators (Zadrozny and Elkan 2002), kept within Platt's targets: rows that were
    never positive are rare, not impossible. Where all rows are alike it changes nothing.
    """
    if positive.all() or not positive.any():
        return (0.0, 1.0), (0.0, 1.0)
    yes, no = _targets(positive)
    fitted = IsotonicRegression(y_min=no, y_max=yes).fit(scores, positive.astype(np.float64))
    return tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist())


def _targets(positive: Mask) -> tuple[float, float]:
    """Platt's, for positive rows and for the others: the share that one row of each more gives."""
    count = int(positive.sum())
    return (count + 1) / (count + 2), 1 / (len(positive) - count + 2)
