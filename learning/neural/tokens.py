"""Texts as numbers: all rows in one flat array; lists of numbers take ten times more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

_AT_ONCE = 4_096


@dataclass(frozen=True)
class Tokens:
    """Rows of tokens, one after the other; row i is from `starts[i]` up to `starts[i + 1]`.

    `words` counts the words of a row, -1 where a token is none of its words; without it every
    token is one.
    """

    ids: NDArray[np.int32]
    types: NDArray[np.int8] | None
    words: NDArray[np.int32] | None
    starts: NDArray[np.int64]
    pad: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)


def tokenised(
    tokenizer: PreTrainedTokenizerBase,
    frame: pd.DataFrame,
    columns: Sequence[str],
    max_tokens: int,
    *,
    words: bool = False,
) -> Tokens:
    """The text columns of each row, the first and then the others, cut to `max_tokens`.

    A missing text reads as an empty one.
    """
    texts = [frame[column].fillna("").astype(str).tolist() for column in columns]
    firsts = texts[0]
    separator = f" {tokenizer.sep_token or ''} "
    others = [separator.join(row) for row in zip(*texts[1:], strict=True)] if texts[1:] else None
    typed = "token_type_ids" in tokenizer.model_input_names
    ids: list[NDArray[np.int32]] = []
    types: list[NDArray[np.int8]] = []
    counted: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    for start in range(0, len(firsts), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        encoded = tokenizer(
            firsts[here],
            others[here] if others else None,
            truncation=True,
            max_length=max_tokens,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=typed,
        )
        rows = encoded["input_ids"]
        lengths += map(len, rows)
        ids.append(np.concatenate([np.asarray(row, np.int32) for row in rows]))
        if typed:
            given = encoded["token_type_ids"]
            types.append(np.concatenate([np.asarray(row, np.int8) for row in given]))
        if words and encoded.encodings is not None:
            counted += [_words(row.word_ids, row.sequence_ids) for row in encoded.encodings]
    return Tokens(
        ids=np.concatenate(ids) if ids else np.zeros(0, np.int32),
        types=np.concatenate(types) if types else None,
        words=np.concatenate(counted) if counted else None,
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        pad=tokenizer.pad_token_id or 0,
    )


def refuse_too_long(max_tokens: int, config: PreTrainedConfig) -> None:
    """ValueError where the encoder can't read as far as it is told to."""
    room = _positions(config)
    if room is not None and max_tokens > room:
        raise ValueError(
            f"expected max_tokens of at most {room}, got {max_tokens}: the encoder knows no "
            "further positions; lower max_tokens"
        )


def _positions(config: PreTrainedConfig) -> int | None:
    most: int | None = getattr(config, "max_position_embeddings", None)
    if most is None or "roberta" not in config.model_type:
        return most
    # RoBERTa's kind counts positions from behind the padding's number.
    return most - (config.pad_token_id or 0) - 1


def _words(words: Sequence[int | None], texts: Sequence[int | None]) -> NDArray[np.int32]:
    """A word's number within its row: those of the second text go on where the first ends."""
    first = max((w for w, t in zip(words, texts, strict=True) if w is not None and t == 0),
                default=-1) + 1  # fmt: skip
    return np.array(
        [
            -1 if word is None else word + first * (text or 0)
            for word, text in zip(words, texts, strict=True)
        ],
        dtype=np.int32,
    )
