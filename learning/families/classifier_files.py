"""A fitted classifier as bytes that are data, never a pickle, and back as one that only answers.

Boosters keep the text or binary of their own library, forests are plain arrays, the linear ones go
through skops, which builds only what is on our own list.
"""

import json
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, assert_never

import numpy as np
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
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
from learning.families.linear import PatientLogisticRegression
from learning.families.nbsvm import NaiveBayesLogistic
from learning.families.restored import OnlyAnswers

Format = Literal["skops", "lightgbm", "xgboost", "forest"]

_SUFFIXES: dict[Format, str] = {
    "skops": "skops",
    "lightgbm": "lgb",
    "xgboost": "xgb",
    "forest": "npz",
}

REVIEWED_TYPES = (
    "learning.features.encoders.Clock",
    "learning.features.encoders.Sparse",
    "learning.features.encoders.Vectors",
    "learning.families.linear.PatientLogisticRegression",
    "learning.families.nbsvm.NaiveBayesLogistic",
    "learning.features.words.CharacterCounts",
    "learning.features.words.TextStatistics",
    "learning.features.words.WordCounts",
    "numpy.dtype",
)
"""What may be built beside scikit-learn's, SciPy's and NumPy's own types that skops trusts."""

_LINEAR = (PatientLogisticRegression, NaiveBayesLogistic, DummyClassifier)


@dataclass(frozen=True)
class StoredClassifier:
    """`seen` are the classes of the fit, ascending: `body` may not tell them."""

    format: Format
    body: bytes
    seen: tuple[int, ...]


class LinearAnswers(OnlyAnswers):
    """A classifier of scikit-learn's kind."""

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        super().__init__(body, seen)
        self.estimator = loaded(body)
        if not isinstance(self.estimator, _LINEAR):
            kind = type(self.estimator).__name__
            raise ValueError(f"expected a classifier of ours, got {kind}")
        if np.asarray(self.estimator.classes_).tolist() != list(seen):
            raise ValueError(f"expected a classifier of the classes {seen}, got one of others")

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        answers: Probabilities = self.estimator.predict_proba(X)
        return answers


def stored(
    classifier: ClassifierMixin,  # fitted, or restored
) -> StoredClassifier:
    """All that answering needs; TypeError for a classifier that no plan has."""
    seen = tuple(int(c) for c in classifier.classes_)
    match classifier:
        case OnlyAnswers():
            return StoredClassifier(_format(classifier), classifier.body, seen)
        case LightGBMOfSeen():
            text: str = classifier.booster_.model_to_string()
            return StoredClassifier("lightgbm", text.encode(), seen)
        case XGBoostOfSeen():
            return StoredClassifier("xgboost", xgboost_bytes(classifier), seen)
        case RandomForestClassifier():  # imbalanced-learn's is one too
            return StoredClassifier("forest", forest_bytes(classifier), seen)
        case PatientLogisticRegression() | NaiveBayesLogistic() | DummyClassifier():
            return StoredClassifier("skops", dumped(classifier), seen)
        case _:
            raise TypeError(f"expected a classifier of ours, got {type(classifier).__name__}")


def restored(format: str, body: bytes, seen: tuple[int, ...]) -> OnlyAnswers:
    """Answers as the stored one did; ValueError, before anything is built, for foreign bytes."""
    known: Format = _known(format)
    match known:
        case "skops":
            return LinearAnswers(body, seen)
        case "lightgbm":
            return LightGBMAnswers(body, seen)
        case "xgboost":
            return XGBoostAnswers(body, seen)
        case "forest":
            return ForestAnswers(body, seen)
        case _:
            assert_never(known)


def suffix(format: str) -> str:
    """Of a file of this format, without the dot."""
    return _SUFFIXES[_known(format)]


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


def _known(format: str) -> Format:
    for known in _SUFFIXES:
        if format == known:
            return known
    raise ValueError(f"expected one of the formats {', '.join(_SUFFIXES)}, got {format!r}")


def _format(classifier: OnlyAnswers) -> Format:
    match classifier:
        case LightGBMAnswers():
            return "lightgbm"
        case XGBoostAnswers():
            return "xgboost"
        case ForestAnswers():
            return "forest"
        case _:
            return "skops"
