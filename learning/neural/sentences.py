"""Texts as vectors of a frozen encoder: the mean of its last layer's tokens, of length 1."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.examples import padded
from learning.neural.folders import digest_of, located
from learning.neural.modules import masked_mean
from learning.neural.surroundings import device, memory_told, quiet
from learning.neural.tokens import refuse_too_long, tokenised
from schemas.faults import EncoderMissing
from schemas.transformers import Encoder


class SentenceEncoder:
    """A pretrained encoder that is only asked; `digest` is of all its files."""

    def __init__(self, encoder: Encoder, folder: Path, digest: str) -> None:
        with quiet():
            self._tokenizer = load_tokenizer(folder)
            network = load_encoder(encoder, folder)
        self.config = network.config
        self.width: int = network.config.hidden_size
        self.digest = digest
        self._network = _at_rest(network)

    @classmethod
    def restored(cls, files: Mapping[str, bytes]) -> Self:
        """From the files that a model keeps; ValueError where they can't be read."""
        with TemporaryDirectory(prefix="nightshift-encoder-") as place:
            for name, body in files.items():
                (Path(place) / name).write_bytes(body)
            encoder = Encoder(model=place)
            try:
                return cls(encoder, located(encoder), digest_of(files))
            except (EncoderMissing, OSError, ValueError, KeyError, TypeError) as fault:
                raise ValueError("the encoder of its texts can't be read") from fault

    def vectors(
        self, texts: Sequence[str], max_tokens: int, batch_size: int
    ) -> NDArray[np.float32]:
        """(texts, width), texts in order; what is longer than `max_tokens` is cut."""
        refuse_too_long(max_tokens, self.config)
        found = np.zeros((len(texts), self.width), dtype=np.float32)
        if not len(texts):
            return found
        frame = pd.DataFrame({"text": list(texts)})
        with quiet(), memory_told(), torch.inference_mode():
            tokens = tokenised(self._tokenizer, frame, ("text",), max_tokens)
            by_length = np.argsort(-tokens.lengths, kind="stable")  # so a batch pads little
            for start in range(0, len(by_length), batch_size):
                rows = by_length[start : start + batch_size]
                batch = {name: part.to(device()) for name, part in padded(tokens, rows).items()}
                told = self._network(**batch).last_hidden_state
                mean = masked_mean(told, batch["attention_mask"])
                found[rows] = torch.nn.functional.normalize(mean, dim=1).float().cpu().numpy()
        return found


def _at_rest(network: nn.Module) -> nn.Module:
    """Without dropout, on the device that there is."""
    return network.to(device()).eval()
