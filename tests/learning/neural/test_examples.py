"""Batches and the words that drop out of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.examples import Examples, WordDropout, collated, padded
from learning.neural.lessons import prepared, read
from learning.neural.tokens import Tokens, tokenised
from tests.learning.neural.tiny import LENGTH, MOOD, rows, settled

TEXTS = pd.DataFrame({"text": ["good table", "bad plain house river", "grim"]})


@pytest.fixture(scope="module")
def tokenizer(bert: Path) -> PreTrainedTokenizerBase:
    return load_tokenizer(bert)


def examples(tokens: Tokens, dropout: WordDropout | None) -> Examples:
    count = len(tokens)
    return Examples(tokens, np.arange(count), np.zeros((count, 1), int), np.ones(count), dropout)


def test_a_batch_is_as_wide_as_its_longest_row(tokenizer: PreTrainedTokenizerBase) -> None:
    tokens = tokenised(tokenizer, TEXTS, ("text",), 16)
    batch = padded(tokens, np.array([2, 0]))
    expected = tokenizer(["grim", "good table"], padding=True, return_tensors="pt")
    assert set(batch) == set(expected)
    for name, part in batch.items():
        np.testing.assert_array_equal(part, expected[name])


def test_labels_and_weights_stay_with_their_rows(tokenizer: PreTrainedTokenizerBase) -> None:
    tokens = tokenised(tokenizer, TEXTS, ("text",), 16)
    some = Examples(tokens, np.array([2, 1]), np.array([[7], [8]]), np.array([0.5, 1.5]))
    batch = collated([some[1], some[0]])
    assert batch["labels"].tolist() == [[8], [7]]
    assert batch["weights"].tolist() == [1.5, 0.5]
    np.testing.assert_array_equal(batch["input_ids"], padded(tokens, np.array([1, 2]))["input_ids"])


def test_two_texts_are_read_with_a_separator_between(tokenizer: PreTrainedTokenizerBase) -> None:
    frame = TEXTS.assign(more=["sunny", "fine", "poor"], last=["stone", "paper", "light"])
    tokens = tokenised(tokenizer, frame, ("text", "more", "last"), 16)
    read = tokenizer.decode(tokens.ids[: tokens.starts[1]].tolist())
    assert read == "[CLS] good table [SEP] sunny [SEP] stone [SEP]"
    assert tokens.types is not None
    assert tokens.types[: tokens.starts[1]].tolist() == [0] * 4 + [1] * 4


def test_a_text_is_cut_to_its_most_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    tokens = tokenised(tokenizer, TEXTS, ("text",), 4)
    assert tokens.lengths.tolist() == [4, 4, 3]


def test_words_drop_whole_and_never_all(tokenizer: PreTrainedTokenizerBase) -> None:
    frame = pd.DataFrame({"text": ["tables goodness plain"] * 200})  # none is a word of it
    tokens = tokenised(tokenizer, frame, ("text",), 16, words=True)
    assert tokens.words is not None
    torch.manual_seed(0)
    batch = examples(tokens, WordDropout(share=0.99, rows=1.0)).batch(range(200))
    left = batch["attention_mask"].sum(1)
    assert left.min().item() >= 3  # [CLS], a word, [SEP]
    assert (batch["input_ids"][:, 0] == tokenizer.cls_token_id).all()
    ends = batch["input_ids"].gather(1, left.unsqueeze(1) - 1)
    assert (ends == tokenizer.sep_token_id).all()


def test_as_many_words_drop_as_were_told(tokenizer: PreTrainedTokenizerBase) -> None:
    frame = pd.DataFrame({"text": [" ".join(["plain"] * 10)] * 500})
    tokens = tokenised(tokenizer, frame, ("text",), 16, words=True)
    torch.manual_seed(0)
    batch = examples(tokens, WordDropout(share=0.2, rows=0.5)).batch(range(500))
    left = batch["attention_mask"].sum(1).numpy() - 2
    assert (left < 10).mean() == pytest.approx(0.5 * (1 - 0.8**10), abs=0.07)
    assert left[left < 10].mean() == pytest.approx((8.0 - 10 * 0.8**10) / (1 - 0.8**10), abs=0.2)


def test_the_words_of_a_second_text_are_other_words(tokenizer: PreTrainedTokenizerBase) -> None:
    frame = pd.DataFrame({"text": ["good table"], "more": ["plain house"]})
    tokens = tokenised(tokenizer, frame, ("text", "more"), 16, words=True)
    assert tokens.words is not None
    assert tokens.words.tolist() == [-1, 0, 1, -1, 2, 3, -1]


def test_only_training_rows_lose_words(bert: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    spec = settled(
        bert,
        sampling={"word_dropout": 0.9, "word_dropout_rows": 1.0},
        training={"validation_share": 0.3},
    )
    frame, labels = rows(60)
    tokens = read(spec, load_encoder(spec.encoder, bert).config, tokenizer, frame, ("text",))
    lesson = prepared(spec, (MOOD, LENGTH), tokens, labels, None, None, seed=1)
    assert lesson.held is not None
    torch.manual_seed(0)
    for side, loses in ((lesson.train, True), (lesson.held, False)):
        read_of = side.batch(range(len(side)))["attention_mask"].sum(1).numpy()
        assert (read_of < side.lengths).any() == loses
