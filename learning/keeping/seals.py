"""A folder of files under one sha256 manifest: whole and unchanged, or refused.

The digest of the manifest is kept outside of the folder, in the ledger and the registry.
"""

import hashlib
import re
from collections.abc import Mapping, Set
from pathlib import Path

from pydantic import ValidationError

from schemas.faults import ModelRefused
from schemas.strict import Strict

MANIFEST = "manifest.json"


class _File(Strict):
    sha256: str
    size: int


class _Manifest(Strict):
    files: dict[str, _File]


def seal(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write the files and their manifest into a new or empty folder; the manifest's sha256."""
    entries = {name: _File(sha256=_sha256(body), size=len(body)) for name, body in files.items()}
    manifest = (_Manifest(files=entries).model_dump_json(indent=2) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelRefused(
            f"The model was not saved: expected an empty folder, got files in {folder}. "
            "Name another folder, or remove this one."
        )
    for name, body in {**files, MANIFEST: manifest}.items():
        (folder / name).write_bytes(body)
    return _sha256(manifest)


def unseal(
    folder: Path,
    digest: str | None,  # of the manifest; without it only damage is noticed, not a swap
    needed: Set[str],
    also: re.Pattern[str],  # what further files may be called
) -> dict[str, bytes]:
    """Every file's bytes, read once: what was checked is what will be parsed."""
    if not folder.is_dir():
        raise refused(folder, "expected a folder, got nothing there")
    found = {path.name for path in folder.iterdir()}
    if MANIFEST not in found:
        raise refused(folder, f"expected {MANIFEST}, got none")
    manifest = _read(folder, digest, needed, also)
    named = set(manifest.files)
    extra, missing = found - named - {MANIFEST}, (named | needed) - found
    if extra or missing:
        raise refused(folder, f"{_listed(missing)} missing, {_listed(extra)} too many")
    return {name: _checked(folder, name, entry) for name, entry in manifest.files.items()}


def refused(folder: Path, what: str) -> ModelRefused:
    """The one message of a model that is not loaded."""
    return ModelRefused(
        f"The model in {folder} was not loaded: {what}. "
        "Restore the folder from where it was registered, or train again."
    )


def _read(folder: Path, digest: str | None, needed: Set[str], also: re.Pattern[str]) -> _Manifest:
    body = _plain_bytes(folder, MANIFEST)
    if digest is not None and _sha256(body) != digest:
        raise refused(folder, f"expected the manifest {digest}, got {_sha256(body)}")
    try:
        manifest = _Manifest.model_validate_json(body)
    except ValidationError as fault:
        raise refused(folder, f"{MANIFEST} can't be read") from fault
    strange = {name for name in manifest.files if name not in needed and not also.fullmatch(name)}
    if strange:  # a name with a path in it could lead out of the folder
        raise refused(folder, f"{MANIFEST} names {_listed(strange)}, which no model has")
    return manifest


def _checked(folder: Path, name: str, entry: _File) -> bytes:
    body = _plain_bytes(folder, name)
    if len(body) != entry.size:
        raise refused(folder, f"{name} has {len(body)} bytes, expected {entry.size}")
    if _sha256(body) != entry.sha256:
        raise refused(folder, f"{name} was changed: its sha256 is not the one in {MANIFEST}")
    return body


def _plain_bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise refused(folder, f"{name} is not a plain file")
    return path.read_bytes()


def _listed(names: Set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
