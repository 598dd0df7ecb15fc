"""A fitted model as data: a sealed folder of plain files, never a pickle.

Nothing is parsed before every byte has matched the seal, and then only types on our own list are
built.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import skops.io
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from learning.arrays import Decisions, Keys, Offsets, Probabilities
from learning.boosters import BoosterClassifier, read_booster
from learning.calibration import Calibration, apply
from learning.offsets import decide
from learning.pipelines import predict_probabilities
from learning.seals import refused, seal, unseal
from schemas.dataset import Column
from schemas.label import ClassValue
from schemas.strict import Strict

REVIEWED_TYPES = (
    "learning.classifiers.PatientLogisticRegression",
    "learning.features.WordCounts",
    "numpy.dtype",
)
"""What may be built beside scikit-learn's, SciPy's and NumPy's own types that skops trusts."""

_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy", "skops")
_FEATURES, _CARD, _KEYS = "features.skops", "model.json", "training_keys.npy"
_CLASSIFIERS = {"skops": "classifier.skops", "lightgbm": "classifier.lgb"}


@dataclass(frozen=True)
class FittedModel:
    """Features and classifier with what makes a decision of their answer; no sampler.

    `class_values` are the classes as the plan writes them, `class_texts` as tables show them.
    """

    pipeline: Pipeline
    columns: Mapping[str, Column]
    class_texts: tuple[str, ...]
    class_values: tuple[ClassValue, ...]
    calibration: Calibration
    offsets: Offsets

    def probabilities(self, frame: pd.DataFrame) -> Probabilities:
        """Calibrated. A feature that the frame lacks, or has in another role, is missing cells."""
        known = {name: _cells(frame, name, column) for name, column in self.columns.items()}
        features = pd.DataFrame(known, index=frame.index)
        raw = predict_probabilities(self.pipeline, features, len(self.class_texts))
        return apply(self.calibration, raw)

    def decide(self, probabilities: Probabilities) -> Decisions:
        """Indices into the classes, by the offsets; `probabilities` are our own calibrated ones."""
        return decide(probabilities, self.offsets)


class _Card(Strict):
    """`model.json`. `seen`: the classes that a booster was fitted on."""

    layout: Literal[1] = 1
    columns: dict[str, Column]
    class_texts: tuple[str, ...]
    class_values: tuple[ClassValue, ...]
    calibration: Calibration
    offsets: tuple[float, ...]
    classifier: Literal["skops", "lightgbm"]
    seen: tuple[int, ...] = ()
    libraries: dict[str, str]


def save(
    model: FittedModel,
    folder: Path,  # new, or empty
    training_keys: Keys,  # group keys and marks of the rows it was fitted on, in any order
) -> str:
    """Write the model's files; the sha256 of its manifest."""
    classifier = model.pipeline.named_steps["classifier"]
    card = _card(model, classifier)
    files = {
        _FEATURES: _dumped(model.pipeline.named_steps["features"]),
        _CLASSIFIERS[card.classifier]: _classifier_bytes(classifier),
        _CARD: (card.model_dump_json(indent=2) + "\n").encode(),
        _KEYS: _array_bytes(np.unique(training_keys)),
    }
    return seal(folder, files)


def load(folder: Path, digest: str | None) -> FittedModel:
    """The model, if every byte is what its manifest says and the manifest is the one of `digest`.

    Without a digest only damage is noticed, not a model that was swapped as a whole.
    """
    files = _opened(folder, digest)
    card = _read_card(folder, files[_CARD])
    stored = _CLASSIFIERS[card.classifier]
    if stored not in files:
        raise refused(folder, f"expected {stored}, as {_CARD} says, got none")
    classifier: ClassifierMixin = (
        read_booster(files[stored], card.seen)
        if card.classifier == "lightgbm"
        else _loaded(folder, stored, files[stored])
    )
    features = _loaded(folder, _FEATURES, files[_FEATURES])
    return FittedModel(
        pipeline=Pipeline([("features", features), ("classifier", classifier)]),
        columns=card.columns,
        class_texts=card.class_texts,
        class_values=card.class_values,
        calibration=card.calibration,
        offsets=np.asarray(card.offsets, dtype=np.float64),
    )


def training_keys(folder: Path, digest: str | None) -> Keys:
    """Sorted group keys and row marks of what the stored model was fitted on; checked alike."""
    body = _opened(folder, digest)[_KEYS]
    keys: NDArray[np.uint64] = np.load(io.BytesIO(body), allow_pickle=False)
    return keys


def _cells(frame: pd.DataFrame, name: str, column: Column) -> pd.Series:
    number = column.role == "number"
    if name in frame.columns and is_numeric_dtype(frame[name].dtype) == number:
        return frame[name]
    return pd.Series(
        np.nan if number else None, index=frame.index, dtype=float if number else object
    )


def _opened(folder: Path, digest: str | None) -> dict[str, bytes]:
    return unseal(folder, digest, needed={_FEATURES, _CARD, _KEYS}, most=set(_CLASSIFIERS.values()))


def _card(model: FittedModel, classifier: ClassifierMixin) -> _Card:
    boosted = isinstance(classifier, LGBMClassifier | BoosterClassifier)
    return _Card(
        columns=dict(model.columns),
        class_texts=model.class_texts,
        class_values=model.class_values,
        calibration=model.calibration,
        offsets=tuple(model.offsets.tolist()),
        classifier="lightgbm" if boosted else "skops",
        seen=tuple(int(c) for c in classifier.classes_) if boosted else (),
        libraries={name: version(name) for name in _LIBRARIES},
    )


def _classifier_bytes(classifier: ClassifierMixin) -> bytes:
    if isinstance(classifier, LGBMClassifier | BoosterClassifier):
        text: str = classifier.booster_.model_to_string()
        return text.encode()
    return _dumped(classifier)


def _dumped(estimator: BaseEstimator) -> bytes:
    # Deflated: a vocabulary of 56,000 words takes 0.9 MB instead of 40.
    body: bytes = skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
    return body


def _loaded(folder: Path, name: str, body: bytes) -> BaseEstimator:
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=body)) - set(REVIEWED_TYPES))
        if foreign:
            raise refused(folder, f"{name} holds types that we do not load: {', '.join(foreign)}")
        return skops.io.loads(body, trusted=list(REVIEWED_TYPES))
    except (zipfile.BadZipFile, json.JSONDecodeError, KeyError, TypeError, ValueError) as fault:
        raise refused(folder, f"{name} can't be read ({type(fault).__name__})") from fault


def _read_card(folder: Path, body: bytes) -> _Card:
    try:
        return _Card.model_validate_json(body)
    except ValidationError as fault:
        raise refused(folder, f"{_CARD} is not one that this version reads: {fault}") from fault


def _array_bytes(array: Keys) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array.astype(np.uint64), allow_pickle=False)
    return stream.getvalue()
