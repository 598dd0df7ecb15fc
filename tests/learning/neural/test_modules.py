"""Pooling by hand, and heads as they were told to be."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from learning.neural.modules import (
    AttentionPooling,
    HeadShape,
    Network,
    head_shape,
    last_four,
    masked_mean,
    unit_slices,
)
from schemas.transformers import Head
from tests.learning.neural.tiny import LENGTH, MOOD, SUNNY

HIDDEN = torch.arange(2 * 3 * 2, dtype=torch.float32).reshape(2, 3, 2)
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


def encoder(layers: int = 5) -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False).eval()


def network(head: Head) -> Network:
    return Network(encoder(), head_shape(head), (MOOD, SUNNY, LENGTH)).eval()


def inputs() -> dict[str, torch.Tensor]:
    ids = torch.tensor([[2, 7, 9, 3], [2, 5, 3, 0]])
    return {"input_ids": ids, "attention_mask": (ids > 0).long()}


def linears(module: nn.Module) -> list[nn.Linear]:
    return [part for part in module.modules() if isinstance(part, nn.Linear)]


def test_a_mean_is_of_a_rows_own_tokens() -> None:
    np.testing.assert_allclose(masked_mean(HIDDEN, MASK), [[1.0, 2.0], [8.0, 9.0]])


def test_attention_weighs_a_rows_own_tokens() -> None:
    pooling = AttentionPooling(2)
    with torch.no_grad():
        pooling.scorer.weight.copy_(torch.tensor([[0.5, 0.0]]))
        found = pooling(HIDDEN, MASK).numpy()
    scores = np.exp([[0.0, 1.0, -np.inf], [3.0, 4.0, 5.0]])
    shares = scores / scores.sum(1, keepdims=True)
    np.testing.assert_allclose(found, (shares[:, :, None] * HIDDEN.numpy()).sum(1), rtol=1e-5)


def test_the_last_four_layers_are_averaged_without_the_words() -> None:
    layers = [torch.full((1, 1, 1), float(value)) for value in (100, 1, 2, 3, 4, 5)]
    assert last_four(layers).item() == 3.5
    assert last_four(layers[:3]).item() == 1.5


@pytest.mark.parametrize("pooling", ["cls", "mean", "last4-mean", "attention"])
def test_each_pooling_reads_the_encoder_as_it_says(pooling: str) -> None:
    built = network(Head.model_validate({"pooling": pooling}))
    with torch.no_grad():
        told = built.encoder(**inputs(), output_hidden_states=True)
        mask = inputs()["attention_mask"]
        expected = {
            "cls": lambda: told.last_hidden_state[:, 0],
            "mean": lambda: masked_mean(told.last_hidden_state, mask),
            "last4-mean": lambda: masked_mean(torch.stack(told.hidden_states[2:]).mean(0), mask),
            "attention": lambda: built.pooling(told.last_hidden_state, mask),
        }[pooling]()
        logits = torch.cat([head(expected) for head in built.heads], 1)
        np.testing.assert_allclose(built(**inputs())["logits"], logits, atol=1e-6)


def test_padding_changes_no_answer() -> None:
    for pooling in ("cls", "mean", "last4-mean", "attention"):
        built = network(Head.model_validate({"pooling": pooling}))
        wide = {name: nn.functional.pad(part, (0, 5)) for name, part in inputs().items()}
        with torch.no_grad():
            np.testing.assert_allclose(
                built(**inputs())["logits"], built(**wide)["logits"], atol=1e-5
            )


def test_a_flag_has_one_logit_and_other_targets_one_a_class() -> None:
    assert unit_slices((MOOD, SUNNY, LENGTH)) == (slice(0, 3), slice(3, 4), slice(4, 6))
    assert network(Head())(**inputs())["logits"].shape == (2, 6)


def test_widths_halve_from_layer_to_layer() -> None:
    head = network(Head(hidden_layers=2, hidden_width=384, halving=True)).heads[0]
    assert [(each.in_features, each.out_features) for each in linears(head)] == [
        (8, 384), (384, 192), (192, 3),
    ]  # fmt: skip
    straight = network(Head(hidden_layers=2, hidden_width=384)).heads[0]
    assert [each.out_features for each in linears(straight)] == [384, 384, 3]


def test_dropout_and_layer_norm_stand_where_they_were_told_to() -> None:
    head = network(Head(hidden_layers=1, hidden_width=8, layer_norm=True, dropout=0.3)).heads[0]
    assert [type(part).__name__ for part in head] == [
        "Dropout", "Linear", "LayerNorm", "GELU", "Dropout", "Linear",
    ]  # fmt: skip
    assert [part.p for part in head if isinstance(part, nn.Dropout)] == [0.3, 0.3]


def test_xavier_draws_within_its_bounds_and_fills_them() -> None:
    shape = HeadShape("attention", (512,), 0.1, layer_norm=False, initialisation="xavier")
    built = Network(encoder(), shape, (MOOD,))
    for each in linears(built.heads):
        bound = math.sqrt(6 / (each.in_features + each.out_features))
        assert 0.9 * bound < each.weight.abs().max().item() <= bound
        assert not each.bias.any()


def test_heads_are_else_drawn_as_the_encoders_layers_were() -> None:
    shape = HeadShape("mean", (512,), 0.1, layer_norm=False, initialisation="encoder")
    first = linears(Network(encoder(), shape, (MOOD,)).heads)[0]
    assert first.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not first.bias.any()
