"""A fitted model as data: a folder of plain files under one sha256 manifest, never a pickle.

Nothing is parsed before every byte has matched the manifest, and then only types on our own list
are built. The digest of the manifest is kept outside of the model, in the ledger and the registry.
"""

import hashlib
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
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from learning.arrays import Decisions, Keys, Offsets, Probabilities
from learning.boosters import BoosterClassifier, read_booster
from learning.calibration import Calibration, apply
from learning.offsets import decide
from learning.pipelines import predict_probabilities
from schemas.dataset import Column
from schemas.faults import ModelRefused
from schemas.label import ClassValue
from schemas.strict import Strict

REVIEWED_TYPES = (
    "learning.classifiers.PatientLogisticRegression",
    "learning.features.WordCounts",
    "numpy.dtype",
)
"""What may be built beside scikit-learn's, SciPy's and NumPy's own types that skops trusts."""

_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy", "skops")
_FEATURES, _CARD, _KEYS, _MANIFEST = (
    "features.skops",
    "model.json",
    "training_keys.npy",
    "manifest.json",
)
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
        """Calibrated; `frame` has at least the plan's feature columns."""
        raw = predict_probabilities(self.pipeline, frame[list(self.columns)], len(self.class_texts))
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


class _File(Strict):
    sha256: str
    size: int


class _Manifest(Strict):
    files: dict[str, _File]


def save(
    model: FittedModel,
    folder: Path,  # new, or empty
    training_keys: Keys,  # group keys of the rows that the model was fitted on, in any order
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
    entries = {name: _File(sha256=_sha256(body), size=len(body)) for name, body in files.items()}
    manifest = (_Manifest(files=entries).model_dump_json(indent=2) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelRefused(f"expected an empty folder to save a model in, got files in {folder}")
    for name, body in (files | {_MANIFEST: manifest}).items():
        (folder / name).write_bytes(body)
    return _sha256(manifest)


def load(folder: Path, digest: str | None) -> FittedModel:
    """The model, if every byte is what its manifest says and the manifest is the one of `digest`.

    Without a digest only damage is noticed, not a model that was swapped as a whole.
    """
    files = _verified(folder, digest)
    card = _read_card(folder, files[_CARD])
    stored = _CLASSIFIERS[card.classifier]
    if stored not in files:
        raise _refused(folder, f"expected {stored}, as {_CARD} says, got none")
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
    """Sorted group keys of the rows that the stored model was fitted on, after the same checks."""
    keys: NDArray[np.uint64] = np.load(
        io.BytesIO(_verified(folder, digest)[_KEYS]), allow_pickle=False
    )
    return keys


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
            raise _refused(folder, f"{name} holds types that we do not load: {', '.join(foreign)}")
        return skops.io.loads(body, trusted=list(REVIEWED_TYPES))
    except (zipfile.BadZipFile, json.JSONDecodeError, KeyError, TypeError, ValueError) as fault:
        raise _refused(folder, f"{name} can't be read ({type(fault).__name__})") from fault


def _read_card(folder: Path, body: bytes) -> _Card:
    try:
        return _Card.model_validate_json(body)
    except ValidationError as fault:
        raise _refused(folder, f"{_CARD} is not one that this version reads: {fault}") from fault


def _verified(folder: Path, digest: str | None) -> dict[str, bytes]:
    """Every file's bytes, read once: what is checked is what is parsed."""
    if not folder.is_dir():
        raise ModelRefused(f"expected a model folder at {folder}, got nothing there")
    found = {path.name for path in folder.iterdir()}
    if _MANIFEST not in found:
        raise _refused(folder, f"expected {_MANIFEST}, got none")
    body = (folder / _MANIFEST).read_bytes()
    if digest is not None and _sha256(body) != digest:
        raise _refused(folder, f"expected the manifest {digest}, got {_sha256(body)}")
    manifest = _read_manifest(folder, body)
    wanted = set(manifest.files)
    extra, missing = found - wanted - {_MANIFEST}, (wanted | {_FEATURES, _CARD, _KEYS}) - found
    if extra or missing:
        raise _refused(
            folder, f"{_names(missing)} missing and {_names(extra)} too many, by its {_MANIFEST}"
        )
    return {name: _checked(folder, name, entry) for name, entry in manifest.files.items()}


def _read_manifest(folder: Path, body: bytes) -> _Manifest:
    try:
        manifest = _Manifest.model_validate_json(body)
    except ValidationError as fault:
        raise _refused(folder, f"{_MANIFEST} can't be read") from fault
    strange = set(manifest.files) - {_FEATURES, _CARD, _KEYS, *_CLASSIFIERS.values()}
    if strange:
        raise _refused(folder, f"{_MANIFEST} names {_names(strange)}, which no model has")
    return manifest


def _checked(folder: Path, name: str, entry: _File) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise _refused(folder, f"{name} is not a plain file")
    body = path.read_bytes()
    if len(body) != entry.size:
        raise _refused(folder, f"{name} has {len(body)} bytes, expected {entry.size}")
    if _sha256(body) != entry.sha256:
        raise _refused(folder, f"{name} was changed: its sha256 is not the one in {_MANIFEST}")
    return body


def _refused(folder: Path, what: str) -> ModelRefused:
    return ModelRefused(
        f"The model in {folder} was not loaded: {what}. "
        "Restore the folder from where it was registered, or train again."
    )


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _array_bytes(array: Keys) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array.astype(np.uint64), allow_pickle=False)
    return stream.getvalue()
