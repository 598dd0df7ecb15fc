"""Undoing the class shares that a sampler or class weights have put into the probabilities.

A classifier learns the prior of the rows that it is fitted on. Where only the shares of classes
differ from nature's, its probabilities are off by one factor a class (Saerens et al. 2002). Made
rows (SMOTE and its like) also move the classes themselves, so this is half the way: calibration on
out-of-fold rows in their natural shares goes the rest.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.arrays import Probabilities

ClassRows = Sequence[float] | NDArray[np.integer] | NDArray[np.floating]


def prior_shift(
    trained: ClassRows,  # rows, or their weight, of each class that the fit has seen
    natural: ClassRows,  # the same as nature gives them
) -> tuple[float, ...]:
    """Logarithm of the factor for each class; 0 for classes that either lacks.

    >>> [round(shift, 3) for shift in prior_shift((50, 50), (99, 1))]
    [0.683, -3.912]
    """
    fitted, given = np.asarray(trained, dtype=np.float64), np.asarray(natural, dtype=np.float64)
    known = (fitted > 0) & (given > 0)
    shift = np.zeros(len(known))
    shift[known] = np.log(given[known] / given[known].sum())
    shift[known] -= np.log(fitted[known] / fitted[known].sum())
    return tuple(float(each) for each in shift)


def shifted(probabilities: Probabilities, shift: Sequence[float]) -> Probabilities:
    """Probabilities times the factors, rows summing to 1 again; shifts of 0 change no bit."""
    moved = np.asarray(shift, dtype=np.float64)
    if not moved.any():
        return probabilities
    weighed = probabilities * np.exp(moved - moved.max())
    weighed /= weighed.sum(1, keepdims=True)
    return np.asarray(weighed)
