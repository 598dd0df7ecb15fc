"""A model's body as files and back: skops, boosters and arrays, or safetensors and JSON."""

import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer

from learning.extras import HOW_TO, lacking
from learning.families.classifier_files import dumped, libraries, loaded, restored, stored, suffix
from learning.features.sentences import sentence_steps
from learning.keeping.bodies import FromText, OnFeatures
from learning.keeping.seals import refused
from schemas.strict import Strict

FEATURES = "features.skops"
_ON_FEATURES = r"features\.skops|classifier-\d+-\d+\.[a-z]+"
_NETWORK = r"network\.json|encoder\.json|weights-\d+\.safetensors|tokenizer-[\w-]+(?:\.[\w-]+)+"
_ENCODER = "encoder-"
_OF_ENCODER = rf"{_ENCODER}[\w-]+(?:\.[\w-]+)+"
KNOWN = re.compile(f"{_ON_FEATURES}|{_NETWORK}|{_OF_ENCODER}")
"""What a body's files may be called."""


class StoredClassifier(Strict):
    """One classifier's file; `seen`: the classes that it was fitted on."""

    file: str
    format: str
    seen: tuple[int, ...]


def feature_files(
    body: OnFeatures,
) -> tuple[tuple[tuple[StoredClassifier, ...], ...], dict[str, bytes]]:
    """Of each target what its members are called, and all files."""
    files = {FEATURES: dumped(body.features)}
    kept = []
    for place, members in enumerate(body.members):
        told = []
        for number, classifier in enumerate(members):
            one = stored(classifier)
            file = f"classifier-{place}-{number}.{suffix(one.format)}"
            told.append(StoredClassifier(file=file, format=one.format, seen=one.seen))
            files[file] = one.body
        kept.append(tuple(told))
    # Whoever serves the model has no encoder of its own, or another.
    for step in sentence_steps(body.features):
        files |= {f"{_ENCODER}{name}": own for name, own in step.own_files().items()}
    return tuple(kept), files


def network_files(body: FromText) -> dict[str, bytes]:
    """Everything that the network needs to answer."""
    from learning.neural.files import stored  # torch takes seconds

    return stored(body.network)


def feature_libraries(body: OnFeatures) -> dict[str, str]:
    """The distributions that its features and classifiers lean on, with their versions."""
    reads = any(sentence_steps(body.features))
    return libraries() | (network_libraries() if reads else {})


def network_libraries() -> dict[str, str]:
    """The distributions that a network leans on, with their versions."""
    names = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
    return {name: version(name) for name in names}


def read_features(
    folder: Path,
    files: Mapping[str, bytes],
    members: Sequence[Sequence[StoredClassifier]],
    classes: Sequence[int],
) -> OnFeatures:
    """Raises `ModelRefused` where a file is not there or holds what we do not build."""
    features = _features(folder, _there(folder, files, FEATURES))
    _give_encoder(folder, files, features)
    return OnFeatures(
        features=features,
        members=tuple(tuple(_classifier(folder, files, one) for one in each) for each in members),
        classes=tuple(classes),
    )


def read_network(folder: Path, files: Mapping[str, bytes]) -> FromText:
    """Raises `ModelRefused` where a tensor is missing, too many or of another shape."""
    own = {name: body for name, body in files.items() if re.fullmatch(_NETWORK, name)}
    _refuse_lacking(folder)
    from learning.neural.files import restored  # torch takes seconds

    try:
        return FromText(restored(own, threads=_threads()))
    except ValueError as fault:
        raise refused(folder, str(fault)) from fault


def _give_encoder(folder: Path, files: Mapping[str, bytes], features: ColumnTransformer) -> None:
    own = {
        name.removeprefix(_ENCODER): body
        for name, body in files.items()
        if re.fullmatch(_OF_ENCODER, name)
    }
    steps = list(sentence_steps(features))
    if not steps:
        return
    _refuse_lacking(folder)
    from learning.neural.sentences import SentenceEncoder  # torch takes seconds

    try:
        encoder = SentenceEncoder.restored(own)
        for step in steps:
            step.take(encoder, own)
    except ValueError as fault:
        raise refused(folder, str(fault)) from fault


def _refuse_lacking(folder: Path) -> None:
    if missing := lacking():
        raise refused(folder, f"it needs {', '.join(missing)}, not installed here; {HOW_TO}")


def _threads() -> int:
    """As many as a process may use: a worker's limit, or the cores."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else os.cpu_count() or 1


def _classifier(folder: Path, files: Mapping[str, bytes], one: StoredClassifier) -> ClassifierMixin:
    body = _there(folder, files, one.file)
    try:
        return restored(one.format, body, one.seen)
    except ValueError as fault:
        raise refused(folder, f"{one.file} {fault}") from fault


def _features(folder: Path, body: bytes) -> BaseEstimator:
    try:
        return loaded(body)
    except ValueError as fault:
        raise refused(folder, f"{FEATURES} {fault}") from fault


def _there(folder: Path, files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise refused(folder, f"expected {name}, as model.json says, got none")
    return files[name]
