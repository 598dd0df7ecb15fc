"""Where a pretrained encoder is: a folder or the local cache, never a network.

It needs no torch, so that a night can look before it spends its budget.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.faults import EncoderMissing
from schemas.transformers import Encoder

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model",
               "sentencepiece.bpe.model", "tokenizer.model")  # fmt: skip

_SETTINGS = ("config.json", "tokenizer_config.json", "special_tokens_map.json",
             "added_tokens.json", "merges.txt")  # fmt: skip


def located(encoder: Encoder) -> Path:
    """The folder of the encoder; EncoderMissing unless it is whole and of a kind that we load."""
    folder = Path(encoder.model).expanduser() if encoder.is_folder else _cached(encoder)
    if not folder.is_dir():
        raise missing(encoder, f"expected a folder, got nothing at {folder}")
    found = {path.name for path in folder.iterdir()}
    if "config.json" not in found:
        raise missing(encoder, f"expected config.json in {folder}, got none")
    for name in ("config.json", "tokenizer_config.json"):
        if name in found and "auto_map" in _settings(encoder, folder / name):
            raise missing(
                encoder, f"{name} in {folder} asks for code of its own (auto_map), which is not run"
            )
    if not found & {*_WEIGHTS}:
        pickled = ", only pytorch_model.bin (a pickle)" if "pytorch_model.bin" in found else ""
        raise missing(encoder, f"expected model.safetensors in {folder}, got none{pickled}")
    if not found & {*_TOKENIZERS}:
        raise missing(encoder, f"expected a tokenizer (tokenizer.json) in {folder}, got none")
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """What an encoder is made of, and nothing else that its folder may hold."""
    return {path.name: path.read_bytes() for path in _own(folder)}


def digest_of_folder(folder: Path) -> str:
    """`digest_of` the files in it; read again only when one of them has changed."""
    told = [(path, path.stat()) for path in _own(folder)]
    return _digest(tuple((path, seen.st_size, seen.st_mtime_ns) for path, seen in told))


@lru_cache(maxsize=4)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    return digest_of({path.name: path.read_bytes() for path, _, _ in files})


def _own(folder: Path) -> list[Path]:
    found = {path.name for path in folder.iterdir()}
    weights = (
        {"model.safetensors"}
        if "model.safetensors" in found
        else {name for name in found if name.startswith("model") and ".safetensors" in name}
    )
    own = {*weights, *_SETTINGS, *_TOKENIZERS} & found
    return [folder / name for name in sorted(own)]


def digest_of(files: Mapping[str, bytes]) -> str:
    """A sha256 that changes with any byte of any of these files."""
    told = [f"{name} {hashlib.sha256(body).hexdigest()}" for name, body in sorted(files.items())]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def width(encoder: Encoder, folder: Path) -> int:
    """How many numbers a token has in its last layer, by its settings."""
    told = _settings(encoder, folder / "config.json").get("hidden_size")
    if not isinstance(told, int):
        raise missing(encoder, f"expected hidden_size in config.json of {folder}, got none")
    return told


def _cached(encoder: Encoder) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(encoder.model, revision=encoder.revision, local_files_only=True)
        )
    except (HFValidationError, LocalEntryNotFoundError, OSError) as fault:
        raise missing(
            encoder, f"expected revision {encoder.revision} in the local cache, got none"
        ) from fault


def _settings(encoder: Encoder, file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_bytes())
    except ValueError as fault:
        raise missing(encoder, f"{file} is no JSON") from fault
    if not isinstance(read, dict):
        raise missing(encoder, f"expected settings in {file}, got a {type(read).__name__}")
    return read


def missing(encoder: Encoder, what: str) -> EncoderMissing:
    """The one message of an encoder that is not loaded."""
    todo = (
        "Put the whole model there (config.json, model.safetensors, tokenizer.json)"
        if encoder.is_folder
        else "Download it first, or name a folder that has it"
    )
    return EncoderMissing(f"The encoder {encoder.model} was not loaded: {what}. {todo}.")
