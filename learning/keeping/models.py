"""A fitted model as data: a sealed folder of plain files, never a pickle.

Nothing is parsed before every byte has matched the seal, and then only types on our own list are
built.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from learning.answers import Answers
from learning.arrays import Decisions, Keys, Offsets, Probabilities
from learning.deciding.calibration import Calibration, apply
from learning.deciding.offsets import decide
from learning.deciding.priors import shifted
from learning.keeping.bodies import Body, FromText, OnFeatures
from learning.keeping.body_files import (
    KNOWN,
    StoredClassifier,
    feature_files,
    feature_libraries,
    network_files,
    network_libraries,
    read_features,
    read_network,
)
from learning.keeping.seals import refused, seal, unseal
from learning.rows.roles import has_role, missing_cells
from schemas.dataset import Column
from schemas.label import Target
from schemas.strict import Strict

_CARD, _KEYS = "model.json", "training_keys.npy"


@dataclass(frozen=True)
class Head:
    """What makes a probability and a decision of the body's answer on one target.

    `shift` takes out the prior that the fit put in, before `calibration`.
    """

    target: Target
    shift: tuple[float, ...]
    calibration: Calibration
    offsets: Offsets

    def decide(self, probabilities: Probabilities) -> Decisions:
        """Indices into the target's classes; `probabilities` are our own calibrated ones."""
        return decide(probabilities, self.offsets)


@dataclass(frozen=True)
class FittedModel:
    """What answers rows, and a head for each target."""

    body: Body
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
        """As the body gives them, (rows, classes) a target: neither shifted nor calibrated.

        A feature that the frame lacks, or has in another role, is missing cells.
        """
        known = {
            name: frame[name]
            if name in frame.columns and has_role(frame[name], column)
            else missing_cells(column, frame.index)
            for name, column in self.columns.items()
        }
        return self.body.raw_probabilities(pd.DataFrame(known, index=frame.index))

    def answers(self, frame: pd.DataFrame) -> Answers:
        """Probabilities and decisions of every target."""
        probabilities = self.probabilities(frame)
        decisions = [
            head.decide(part) for head, part in zip(self.heads, probabilities, strict=True)
        ]
        return Answers(probabilities, np.column_stack(decisions))


class _HeadCard(Strict):
    target: Target
    shift: tuple[float, ...]
    calibration: Calibration
    offsets: tuple[float, ...]


class _FeatureHeadCard(_HeadCard):
    classifiers: tuple[StoredClassifier, ...]


class _FeatureCard(Strict):
    """`model.json` of classifiers on features."""

    layout: Literal[2] = 2
    columns: dict[str, Column]
    heads: tuple[_FeatureHeadCard, ...]
    libraries: dict[str, str]


class _NetworkCard(Strict):
    """`model.json` of a network that reads text."""

    layout: Literal[3] = 3
    columns: dict[str, Column]
    heads: tuple[_HeadCard, ...]
    libraries: dict[str, str]


_Card = _FeatureCard | _NetworkCard
_CARDS: TypeAdapter[_Card] = TypeAdapter(Annotated[_Card, Field(discriminator="layout")])


def save(
    model: FittedModel,
    folder: Path,  # new, or empty
    training_keys: Keys,  # group keys and marks of the rows it was fitted on, in any order
) -> str:
    """Write the model's files; the sha256 of its manifest."""
    card, files = _told(model)
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
            shift=head.shift,
            calibration=head.calibration,
            offsets=np.asarray(head.offsets, dtype=np.float64),
        )
        for head in card.heads
    )
    return FittedModel(body=_body(folder, files, card), heads=heads, columns=card.columns)


def training_keys(folder: Path, digest: str | None) -> Keys:
    """Sorted group keys and row marks of what the stored model was fitted on; checked alike."""
    body = _opened(folder, digest)[_KEYS]
    keys: NDArray[np.uint64] = np.load(io.BytesIO(body), allow_pickle=False)
    return keys


def check(folder: Path, digest: str) -> None:
    """Raises `ModelRefused` unless every byte is the one that was recorded; nothing is built."""
    _opened(folder, digest)


def libraries_of(folder: Path) -> dict[str, str]:
    """The distributions that a kept model was made with, by its card; nothing is loaded."""
    return dict(_read_card(folder, (folder / _CARD).read_bytes()).libraries)


def _told(model: FittedModel) -> tuple[_Card, dict[str, bytes]]:
    columns = dict(model.columns)
    heads = [
        _HeadCard(
            target=head.target,
            shift=head.shift,
            calibration=head.calibration,
            offsets=tuple(head.offsets.tolist()),
        )
        for head in model.heads
    ]
    match model.body:
        case FromText() as body:
            used = network_libraries()
            card = _NetworkCard(columns=columns, heads=tuple(heads), libraries=used)
            return card, network_files(body)
        case OnFeatures() as body:
            members, files = feature_files(body)
            used = feature_libraries(body)
            told = tuple(
                _FeatureHeadCard(**dict(head), classifiers=own)
                for head, own in zip(heads, members, strict=True)
            )
            return _FeatureCard(columns=columns, heads=told, libraries=used), files


def _body(folder: Path, files: Mapping[str, bytes], card: _Card) -> Body:
    match card:
        case _NetworkCard():
            return read_network(folder, files)
        case _FeatureCard(heads=heads):
            classes = [head.target.classes for head in heads]
            return read_features(folder, files, [head.classifiers for head in heads], classes)


def _opened(folder: Path, digest: str | None) -> dict[str, bytes]:
    return unseal(folder, digest, needed={_CARD, _KEYS}, also=KNOWN)


def _read_card(folder: Path, body: bytes) -> _Card:
    try:
        return _CARDS.validate_json(body)
    except ValidationError as fault:
        raise refused(folder, f"{_CARD} is not one that this version reads: {fault}") from fault


def _array_bytes(array: Keys) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array.astype(np.uint64), allow_pickle=False)
    return stream.getvalue()
