"""Which training rows are held back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learning.arrays import LabelTable, Mask
from learning.neural.encoders import load_tokenizer
from learning.neural.holding import held_back
from learning.neural.tokens import Tokens, tokenised
from tests.learning.neural.tiny import LENGTH, MOOD, rows

TARGETS = (MOOD, LENGTH)


@pytest.fixture(scope="module")
def table(bert: Path) -> tuple[Tokens, LabelTable]:
    """Three hundred rows, the first hundred of which come twice."""
    frame, labels = rows(200)
    twice = pd.concat([frame, frame.iloc[:100]], ignore_index=True)
    tokens = tokenised(load_tokenizer(bert), twice, ("text",), 16)
    return tokens, np.concatenate([labels, labels[:100]])


def held(table: tuple[Tokens, LabelTable], share: float = 0.2, seed: int = 1) -> Mask:
    return held_back(*table, TARGETS, share, None, seed)


def test_about_the_share_is_held_back_of_every_class(table: tuple[Tokens, LabelTable]) -> None:
    found = held(table)
    assert found.mean() == pytest.approx(0.2, abs=0.05)
    for mood in range(3):
        assert found[table[1][:, 0] == mood].mean() == pytest.approx(0.2, abs=0.08)


def test_rows_of_one_text_never_part(table: tuple[Tokens, LabelTable]) -> None:
    found = held(table)
    np.testing.assert_array_equal(found[:100], found[200:])
    assert found[:100].any()


def test_rows_of_one_group_never_part(table: tuple[Tokens, LabelTable]) -> None:
    tokens, labels = table
    keys = (np.arange(300) // 10).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    found = held_back(tokens, labels, TARGETS, 0.2, keys, 1)
    parts = found.reshape(30, 10)
    assert (parts.all(1) | ~parts.any(1)).all()
    assert 4 <= parts.all(1).sum() <= 8


def test_without_a_share_none_is_held_back(table: tuple[Tokens, LabelTable]) -> None:
    assert not held(table, share=0.0).any()


def test_a_seed_holds_back_its_own_rows(table: tuple[Tokens, LabelTable]) -> None:
    np.testing.assert_array_equal(held(table), held(table))
    assert (held(table) != held(table, seed=2)).any()
