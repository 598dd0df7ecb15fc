"""A fitted model as data: a sealed folder of plain files, never a pickle.

Nothing is parsed before every byte has matched the seal, and then only types on our own list are
built.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer

from learning.answers import Answers
from learning.arrays import Decisions, Keys, Offsets, Probabilities
from learning.deciding.calibration import Calibration, apply
from learning.deciding.offsets import decide
from learning.deciding.priors import shifted
from learning.families.answering import predict_probabilities
from learning.families.classifier_files import dumped, libraries, loaded, restored, stored, suffix
from learning.keeping.seals import refused, seal, unseal
from learning.rows.roles import has_role, missing_cells
from schemas.dataset import Column
from schemas.label import Target
from schemas.strict import Strict

_FEATURES, _CARD, _KEYS = "features.skops", "model.json", "training_keys.npy"
_CLASSIFIER = re.compile(r"classifier-\d+-\d+\.[a-z]+")


@dataclass(frozen=True)
class Head:
    """What answers for one target, with what makes a decision of its answer; no sampler.

    `shift` takes out the prior that the fit put in, before `calibration`.
    """

    target: Target
    classifiers: tuple[ClassifierMixin, ...]
    shift: tuple[float, ...]
    calibration: Calibration
    offsets: Offsets

    def decide(self, probabilities: Probabilities) -> Decisions:
        """Indices into the target's classes; `probabilities` are our own calibrated ones."""
        return decide(probabilities, self.offsets)


@dataclass(frozen=True)
class FittedModel:
    """Features, and on them a head for each target."""

    features: ColumnTransformer
    heads: tuple[Head, ...]
    columns: Mapping[str, Column]

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(head.target for head in self.heads)

    def probabilities(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Calibrated, (rows, classes) a target; the frame as for `raw_probabilities`."""
        return tuple(
            apply(head.calibration, shifted(raw, head.shift))
            for head, raw in zip(self.heads, self.raw_probabilities(frame), strict=True)
        )

    def raw_probabilities(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """As the classifiers give them, (rows, classes) a target: neither shifted nor calibrated.

        A feature that the frame lacks, or has in another role, is missing cells.
        """
        known = {
            name: frame[name]
            if name in frame.columns and has_role(frame[name], column)
            else missing_cells(column, frame.index)
            for name, column in self.columns.items()
        }
        matrix = (
            self.features.transform(pd.DataFrame(known, index=frame.index))
            if len(frame)
            else np.zeros((0, 1))  # scikit-learn refuses an empty batch
        )
        return tuple(
            predict_probabilities(head.classifiers, matrix, head.target.classes)
            for head in self.heads
        )

    def answers(self, frame: pd.DataFrame) -> Answers:
        """Probabilities and decisions of every target."""
        probabilities = self.probabilities(frame)
        decisions = [
            head.decide(part) for head, part in zip(self.heads, probabilities, strict=True)
        ]
        return Answers(probabilities, np.column_stack(decisions))


class _Stored(Strict):
    """One classifier's file; `seen`: the classes that it was fitted on."""

    file: str
    format: str
    seen: tuple[int, ...]


class _HeadCard(Strict):
    target: Target
    classifiers: tuple[_Stored, ...]
    shift: tuple[float, ...]
    calibration: Calibration
    offsets: tuple[float, ...]


class _Card(Strict):
    """`model.json`."""

    layout: Literal[2] = 2
    columns: dict[str, Column]
    heads: tuple[_HeadCard, ...]
    libraries: dict[str, str]


def save(
    model: FittedModel,
    folder: Path,  # new, or empty
    training_keys: Keys,  # group keys and marks of the rows it was fitted on, in any order
) -> str:
    """Write the model's files; the sha256 of its manifest."""
    files: dict[str, bytes] = {_FEATURES: dumped(model.features)}
    heads = []
    for place, head in enumerate(model.heads):
        kept, bodies = _classifier_files(place, head.classifiers)
        files |= bodies
        heads.append(
            _HeadCard(
                target=head.target,
                classifiers=kept,
                shift=head.shift,
                calibration=head.calibration,
                offsets=tuple(head.offsets.tolist()),
            )
        )
    card = _Card(
        columns=dict(model.columns),
        heads=tuple(heads),
        libraries=libraries(),
    )
    files[_CARD] = (card.model_dump_json(indent=2) + "\n").encode()
    files[_KEYS] = _array_bytes(np.unique(training_keys))
    return seal(folder, files)


def load(folder: Path, digest: str | None) -> FittedModel:
    """The model, if every byte is what its manifest says and the manifest is the one of `digest`.

    Without a digest only damage is noticed, not a model that was swapped as a whole.
    """
    files = _opened(folder, digest)
    card = _read_card(folder, files[_CARD])
    heads = tuple(
        Head(
            target=head.target,
            classifiers=tuple(_read(folder, files, each) for each in head.classifiers),
            shift=head.shift,
            calibration=head.calibration,
            offsets=np.asarray(head.offsets, dtype=np.float64),
        )
        for head in card.heads
    )
    features = _features(folder, files[_FEATURES])
    return FittedModel(features=features, heads=heads, columns=card.columns)


def training_keys(folder: Path, digest: str | None) -> Keys:
    """Sorted group keys and row marks of what the stored model was fitted on; checked alike."""
    body = _opened(folder, digest)[_KEYS]
    keys: NDArray[np.uint64] = np.load(io.BytesIO(body), allow_pickle=False)
    return keys


def _classifier_files(
    place: int, classifiers: Sequence[ClassifierMixin]
) -> tuple[tuple[_Stored, ...], dict[str, bytes]]:
    kept, bodies = [], {}
    for member, classifier in enumerate(classifiers):
        one = stored(classifier)
        file = f"classifier-{place}-{member}.{suffix(one.format)}"
        kept.append(_Stored(file=file, format=one.format, seen=one.seen))
        bodies[file] = one.body
    return tuple(kept), bodies


def _read(folder: Path, files: Mapping[str, bytes], one: _Stored) -> ClassifierMixin:
    if one.file not in files:
        raise refused(folder, f"expected {one.file}, as {_CARD} says, got none")
    try:
        return restored(one.format, files[one.file], one.seen)
    except ValueError as fault:
        raise refused(folder, f"{one.file} {fault}") from fault


def _features(folder: Path, body: bytes) -> BaseEstimator:
    try:
        return loaded(body)
    except ValueError as fault:
        raise refused(folder, f"{_FEATURES} {fault}") from fault


def _opened(folder: Path, digest: str | None) -> dict[str, bytes]:
    return unseal(folder, digest, needed={_FEATURES, _CARD, _KEYS}, also=_CLASSIFIER)


def _read_card(folder: Path, body: bytes) -> _Card:
    try:
        return _Card.model_validate_json(body)
    except ValidationError as fault:
        raise refused(folder, f"{_CARD} is not one that this version reads: {fault}") from fault


def _array_bytes(array: Keys) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array.astype(np.uint64), allow_pickle=False)
    return stream.getvalue()
