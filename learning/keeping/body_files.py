"""A model's body as files and back: skops, boosters and arrays, or safetensors and JSON."""

import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from sklearn.base import BaseEstimator, ClassifierMixin

from learning.extras import HOW_TO, lacking
from learning.families.classifier_files import dumped, loaded, restored, stored, suffix
from learning.keeping.bodies import FromText, OnFeatures
from learning.keeping.seals import refused
from schemas.strict import Strict

FEATURES = "features.skops"
_ON_FEATURES = r"features\.skops|classifier-\d+-\d+\.[a-z]+"
_NETWORK = r"network\.json|encoder\.json|weights-\d+\.safetensors|tokenizer-[\w-]+(?:\.[\w-]+)+"
KNOWN = re.compile(f"{_ON_FEATURES}|{_NETWORK}")
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
    return tuple(kept), files


def network_files(body: FromText) -> dict[str, bytes]:
    """Everything that the network needs to answer."""
    from learning.neural.files import stored  # torch takes seconds

    return stored(body.network)


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
    return OnFeatures(
        features=_features(folder, _there(folder, files, FEATURES)),
        members=tuple(tuple(_classifier(folder, files, one) for one in each) for each in members),
        classes=tuple(classes),
    )


def read_network(folder: Path, files: Mapping[str, bytes]) -> FromText:
    """Raises `ModelRefused` where a tensor is missing, too many or of another shape."""
    own = {name: body for name, body in files.items() if re.fullmatch(_NETWORK, name)}
    if missing := lacking():
        raise refused(folder, f"it needs {', '.join(missing)}, not installed here; {HOW_TO}")
    from learning.neural.files import restored  # torch takes seconds

    try:
        return FromText(restored(own, threads=_threads()))
    except ValueError as fault:
        raise refused(folder, str(fault)) from fault


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
