"""Pretrained encoders and their tokenizers, from a folder or the local cache, never from a network.

Safetensors only and none of a model's own code: what is loaded are numbers and settings.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from learning.neural.surroundings import quiet
from schemas.faults import EncoderMissing
from schemas.transformers import Encoder

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model",
               "sentencepiece.bpe.model", "tokenizer.model")  # fmt: skip


def located(encoder: Encoder) -> Path:
    """The folder of the encoder; EncoderMissing unless it is whole and of a kind that we load."""
    folder = Path(encoder.model).expanduser() if encoder.is_folder else _cached(encoder)
    if not folder.is_dir():
        raise _missing(encoder, f"expected a folder, got nothing at {folder}")
    found = {path.name for path in folder.iterdir()}
    if "config.json" not in found:
        raise _missing(encoder, f"expected config.json in {folder}, got none")
    for name in ("config.json", "tokenizer_config.json"):
        if name in found and "auto_map" in _settings(encoder, folder / name):
            raise _missing(
                encoder, f"{name} in {folder} asks for code of its own (auto_map), which is not run"
            )
    if not found & {*_WEIGHTS}:
        pickled = ", only pytorch_model.bin (a pickle)" if "pytorch_model.bin" in found else ""
        raise _missing(encoder, f"expected model.safetensors in {folder}, got none{pickled}")
    if not found & {*_TOKENIZERS}:
        raise _missing(encoder, f"expected a tokenizer (tokenizer.json) in {folder}, got none")
    return folder


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder that was looked through."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False
    )
    return tokenizer


def load_encoder(encoder: Encoder, folder: Path) -> PreTrainedModel:
    """The pretrained network in float32, without a pooler: heads here pool by themselves.

    A tensor that the file lacks would be drawn at random, so it is refused.
    """
    try:
        with quiet():
            network, report = AutoModel.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (OSError, RuntimeError, ValueError, KeyError, SafetensorError) as fault:
        raise _missing(encoder, f"{folder} can't be read ({type(fault).__name__})") from fault
    lacking = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if lacking:
        shown = ", ".join(lacking[:3])
        raise _missing(
            encoder, f"the weights in {folder} lack {len(lacking)} tensors ({shown}, ...)"
        )
    return without_pooler(network)


def without_pooler(network: PreTrainedModel) -> PreTrainedModel:
    """The encoder less the layer that it would put on its first token."""
    if isinstance(getattr(network, "pooler", None), nn.Module):
        setattr(network, "pooler", None)  # noqa: B010  # declared as a module
    return network


def _cached(encoder: Encoder) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(encoder.model, revision=encoder.revision, local_files_only=True)
        )
    except (HFValidationError, LocalEntryNotFoundError, OSError) as fault:
        raise _missing(
            encoder, f"expected revision {encoder.revision} in the local cache, got none"
        ) from fault


def _settings(encoder: Encoder, file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_bytes())
    except ValueError as fault:
        raise _missing(encoder, f"{file} is no JSON") from fault
    if not isinstance(read, dict):
        raise _missing(encoder, f"expected settings in {file}, got a {type(read).__name__}")
    return read


def _missing(encoder: Encoder, what: str) -> EncoderMissing:
    todo = (
        "Put the whole model there (config.json, model.safetensors, tokenizer.json)"
        if encoder.is_folder
        else "Download it first, or name a folder that has it"
    )
    return EncoderMissing(f"The encoder {encoder.model} was not loaded: {what}. {todo}.")
