"""What the classifiers of one target say together; needs nothing of what fitted them."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import ClassifierMixin

from learning.arrays import Matrix, Probabilities


def predict_probabilities(
    classifiers: Sequence[ClassifierMixin], X: Matrix, classes: int
) -> Probabilities:
    """(rows, classes), the mean of the members; a class that no fit saw has probability 0."""
    probabilities: Probabilities = np.zeros((X.shape[0], classes))
    if X.shape[0] == 0:  # scikit-learn refuses an empty batch
        return probabilities
    for member in classifiers:
        seen = np.asarray(member.predict_proba(X), dtype=np.float64)
        probabilities[:, np.asarray(member.classes_, dtype=np.intp)] += seen
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities
