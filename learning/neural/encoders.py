"""Pretrained encoders and their tokenizers, from a folder that was looked through.

Safetensors only and none of a model's own code: what is loaded are numbers and settings.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from learning.neural.folders import missing
from learning.neural.surroundings import quiet
from schemas.transformers import Encoder


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
        raise missing(encoder, f"{folder} can't be read ({type(fault).__name__})") from fault
    lacking = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if lacking:
        shown = ", ".join(lacking[:3])
        raise missing(
            encoder, f"the weights in {folder} lack {len(lacking)} tensors ({shown}, ...)"
        )
    return without_pooler(network)


def without_pooler(network: PreTrainedModel) -> PreTrainedModel:
    """The encoder less the layer that it would put on its first token."""
    if isinstance(getattr(network, "pooler", None), nn.Module):
        setattr(network, "pooler", None)  # noqa: B010  # declared as a module
    return network
