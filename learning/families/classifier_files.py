"""A fitted classifier as bytes that are data, never a pickle, and back as one that only answers.

Boosters keep the text or binary of their own library, forests are plain arrays, the linear ones go
through skops, which builds only what is on our own list.
"""

import json
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from learning.arrays import Probabilities
from learning.families.boosters import (
    LightGBMAnswers,
    LightGBMOfSeen,
    XGBoostAnswers,
    XGBoostOfSeen,
    xgboost_bytes,
)
from learning.families.forests import ForestAnswers, forest_bytes
from learning.families.restored import OnlyAnswers

REVIEWED_CLASSIFIERS = (
    "learning.families.linear.PatientLogisticRegression",
    "learning.families.nbsvm.NaiveBayesLogistic",
    "sklearn.dummy.DummyClassifier",
)
"""The classifiers that skops keeps: those whose fit is plain arrays."""

REVIEWED_TYPES = (
    *REVIEWED_CLASSIFIERS,
    "learning.features.encoders.Clock",
    "learning.features.encoders.Sparse",
    "learning.features.encoders.Vectors",
    "learning.features.sentences.SentenceVectors",
    "learning.features.words.CharacterCounts",
    "learning.features.words.TextStatistics",
    "learning.features.words.WordCounts",
    "numpy.dtype",
)
"""What may be built beside scikit-learn's, SciPy's and NumPy's own types that skops trusts."""


@dataclass(frozen=True)
class StoredClassifier:
    """`seen` are the classes of the fit, ascending: `body` may not tell them."""

    format: str
    body: bytes
    seen: tuple[int, ...]


class LinearAnswers(OnlyAnswers):
    """A classifier of scikit-learn's kind."""

    format: ClassVar[str] = "skops"
    suffix: ClassVar[str] = "skops"

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        super().__init__(body, seen)
        self.estimator = loaded(body)
        if _type(self.estimator) not in REVIEWED_CLASSIFIERS:
            kind = type(self.estimator).__name__
            raise ValueError(f"expected a classifier of ours, got {kind}")
        if np.asarray(self.estimator.classes_).tolist() != list(seen):
            raise ValueError(f"expected a classifier of the classes {seen}, got one of others")

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        answers: Probabilities = self.estimator.predict_proba(X)
        return answers


_FORMATS: dict[str, type[OnlyAnswers]] = {
    kind.format: kind for kind in (LinearAnswers, LightGBMAnswers, XGBoostAnswers, ForestAnswers)
}


def stored(
    classifier: ClassifierMixin,  # fitted, or restored
) -> StoredClassifier:
    """All that answering needs; TypeError for a classifier that no plan has."""
    seen = tuple(int(c) for c in classifier.classes_)
    match classifier:
        case OnlyAnswers():
            return StoredClassifier(classifier.format, classifier.body, seen)
        case LightGBMOfSeen():
            text: str = classifier.booster_.model_to_string()
            return StoredClassifier(LightGBMAnswers.format, text.encode(), seen)
        case XGBoostOfSeen():
            return StoredClassifier(XGBoostAnswers.format, xgboost_bytes(classifier), seen)
        case RandomForestClassifier():  # imbalanced-learn's is one too
            return StoredClassifier(ForestAnswers.format, forest_bytes(classifier), seen)
        case _ if _type(classifier) in REVIEWED_CLASSIFIERS:
            return StoredClassifier(LinearAnswers.format, dumped(classifier), seen)
        case _:
            raise TypeError(f"expected a classifier of ours, got {type(classifier).__name__}")


def restored(format: str, body: bytes, seen: tuple[int, ...]) -> OnlyAnswers:
    """Answers as the stored one did; ValueError, before anything is built, for foreign bytes."""
    return _known(format)(body, seen)


def suffix(format: str) -> str:
    """Of a file of this format, without the dot."""
    return _known(format).suffix


def libraries() -> dict[str, str]:
    """The distributions that features and classifiers lean on, with their versions."""
    names = ("imbalanced-learn", "lightgbm", "numpy", "scikit-learn", "scipy", "skops")
    return {name: version(name) for name in (*names, _xgboost())}


def dumped(estimator: BaseEstimator) -> bytes:
    """Deflated: a vocabulary of 56,000 words takes 0.9 MB instead of 40."""
    body: bytes = skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
    return body


def loaded(body: bytes) -> BaseEstimator:
    """The estimator; ValueError where it holds a type that nobody reviewed, or can't be read."""
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=body)) - set(REVIEWED_TYPES))
    except _UNREADABLE as fault:
        raise ValueError(f"can't be read ({type(fault).__name__})") from fault
    if foreign:
        raise ValueError(f"holds types that we do not load: {', '.join(foreign)}")
    try:
        return skops.io.loads(body, trusted=list(REVIEWED_TYPES))
    except _UNREADABLE as fault:
        raise ValueError(f"can't be read ({type(fault).__name__})") from fault


def _xgboost() -> str:
    """Its distribution: with and without CUDA go by two names."""
    try:
        version("xgboost-cpu")
    except PackageNotFoundError:
        return "xgboost"
    return "xgboost-cpu"


_UNREADABLE = (zipfile.BadZipFile, json.JSONDecodeError, KeyError, TypeError, ValueError)


def _known(format: str) -> type[OnlyAnswers]:
    if format not in _FORMATS:
        raise ValueError(f"expected one of the formats {', '.join(_FORMATS)}, got {format!r}")
    return _FORMATS[format]


def _type(estimator: object) -> str:
    """As skops names it."""
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"
