"""The arrays that pass between the modules of this room, each under the name of what it means."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Probabilities: TypeAlias = NDArray[np.float64]
"""(rows, classes), each row sums to 1."""

Labels: TypeAlias = NDArray[np.integer]
"""(rows,) true classes as indices into the target's classes."""

LabelTable: TypeAlias = NDArray[np.integer]
"""(rows, targets) true classes, each as an index into its target's classes."""

Decisions: TypeAlias = NDArray[np.integer]
"""(rows,) decided classes as indices into the target's classes."""

Weights: TypeAlias = NDArray[np.float64]
"""(rows,) above 0: how much a row counts when a classifier is fitted."""

Folds: TypeAlias = NDArray[np.int32]
"""(rows,) bit i is set where split i scores the row; the other splits train on it."""

Offsets: TypeAlias = NDArray[np.float64]
"""(classes,) added to the log-probabilities before the arg max."""

Keys: TypeAlias = NDArray[np.uint64]
"""(rows,) hash of the row's group; rows of one group never part."""

Matrix: TypeAlias = NDArray[np.floating] | csr_matrix
"""(rows, features): SciPy's CSR where there is text, else dense."""

Instants: TypeAlias = NDArray[np.datetime64]
"""(rows,) in UTC to the microsecond."""

Mask: TypeAlias = NDArray[np.bool_]
"""(rows,) true where a row is meant."""

SMALLEST_PROBABILITY = 1e-12


def log_probabilities(probabilities: Probabilities) -> NDArray[np.float64]:
    """Logarithms, finite: a probability below `SMALLEST_PROBABILITY` counts as that.

    >>> log_probabilities(np.array([[1.0, 0.0]])).round(2).tolist()
    [[0.0, -27.63]]
    """
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return logs
