"""What is left when a fit is over: networks that answer rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from learning.arrays import Probabilities
from learning.neural.examples import padded
from learning.neural.modules import Network, unit_slices, units
from learning.neural.surroundings import bound, device, memory_told, quiet
from learning.neural.tokens import Tokens, tokenised
from schemas.label import Target

_TOKENS_AT_ONCE = 4_096


class NetworkAnswers:
    """Members whose probabilities are averaged, with the tokenizer that they read by."""

    def __init__(
        self,
        members: Sequence[Network],
        tokenizer: PreTrainedTokenizerBase,
        targets: Sequence[Target],
        columns: Sequence[str],
        max_tokens: int,
        threads: int,
    ) -> None:
        self.members = tuple(members)
        self.tokenizer = tokenizer
        self.targets = tuple(targets)
        self.columns = tuple(columns)
        self.max_tokens = max_tokens
        self.threads = threads

    def predict_proba(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Of each target (rows, classes), rows in order."""
        each = [self._probabilities(logits) for logits in self.logits(frame)]
        return tuple(np.mean(parts, axis=0) for parts in zip(*each, strict=True))

    def logits(self, frame: pd.DataFrame) -> tuple[NDArray[np.float32], ...]:
        """Of each member (rows, logits of all targets), in float32 whatever the fit was in."""
        with quiet(), memory_told(), bound(self.threads):
            tokens = tokenised(self.tokenizer, frame, self.columns, self.max_tokens)
            return tuple(self._logits(member, tokens) for member in self.members)

    def _logits(self, member: Network, tokens: Tokens) -> NDArray[np.float32]:
        found = np.zeros((len(tokens), sum(map(units, self.targets))), dtype=np.float32)
        member.to(device()).eval()
        with torch.inference_mode():
            for rows in _batches(tokens.lengths):
                batch = {name: part.to(device()) for name, part in padded(tokens, rows).items()}
                found[rows] = member(**batch)["logits"].float().cpu().numpy()
        return found

    def _probabilities(self, logits: NDArray[np.float32]) -> list[Probabilities]:
        slices = unit_slices(self.targets)
        return [
            _sigmoid(logits[:, place]) if target.is_flag else _softmax(logits[:, place])
            for target, place in zip(self.targets, slices, strict=True)
        ]


def _batches(lengths: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    """Rows of like length together, longest first, about as many tokens in each batch."""
    order = np.argsort(-lengths, kind="stable")
    batches = []
    start = 0
    while start < len(order):
        size = max(1, _TOKENS_AT_ONCE // int(lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def _softmax(logits: NDArray[np.float32]) -> Probabilities:
    raised = logits.astype(np.float64)
    raised = np.exp(raised - raised.max(axis=1, keepdims=True))
    shares: Probabilities = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _sigmoid(logits: NDArray[np.float32]) -> Probabilities:
    return _softmax(np.column_stack([np.zeros(len(logits), np.float32), logits[:, 0]]))
