"""Which weight moves how fast."""

from pathlib import Path
from typing import Any

from transformers import AlbertConfig, AlbertModel, DistilBertConfig, DistilBertModel

from learning.neural.encoders import load_encoder
from learning.neural.modules import Network, head_shape
from learning.neural.optimising import parameter_groups
from schemas.transformers import Transformer
from tests.learning.neural.tiny import LENGTH, MOOD, settled

TARGETS = (MOOD, LENGTH)
TRAINING = {"learning_rate": 1.0, "layer_decay": 0.5, "head_multiplier": 3.0, "weight_decay": 0.1}


def built(bert: Path, **parts: Any) -> tuple[Network, Transformer]:
    spec = settled(bert, **{"training": TRAINING, **parts})
    return Network(load_encoder(spec.encoder, bert), head_shape(spec.head), TARGETS), spec


def rates(network: Network, spec: Transformer) -> dict[str, tuple[float, float]]:
    """Of each weight its rate and its decay."""
    groups = parameter_groups(network, spec, TARGETS)
    told = {id(part): (group["lr"], group["weight_decay"]) for group in groups
            for part in group["params"]}  # fmt: skip
    return {name: told[id(part)] for name, part in network.named_parameters()}


def test_every_weight_is_in_exactly_one_group(bert: Path) -> None:
    network, spec = built(bert, head={"pooling": "attention", "hidden_layers": 2})
    held = [id(p) for group in parameter_groups(network, spec, TARGETS) for p in group["params"]]
    assert sorted(held) == sorted(id(part) for part in network.parameters())


def test_a_frozen_weight_is_in_none(bert: Path) -> None:
    network, spec = built(bert)
    network.encoder.requires_grad_(False)
    held = [id(p) for group in parameter_groups(network, spec, TARGETS) for p in group["params"]]
    assert sorted(held) == sorted(id(part) for part in network.heads.parameters())


def test_each_layer_moves_by_its_depth_and_heads_by_their_multiplier(bert: Path) -> None:
    found = rates(*built(bert, head={"pooling": "attention"}))
    assert {
        name: rate
        for name, (rate, _) in found.items()
        if name.endswith(("word_embeddings.weight", "query.weight", "heads.0.1.weight"))
        or name.startswith("pooling.scorer.weight")
    } == {
        "encoder.embeddings.word_embeddings.weight": 0.25,
        "encoder.encoder.layer.0.attention.self.query.weight": 0.5,
        "encoder.encoder.layer.1.attention.self.query.weight": 1.0,
        "pooling.scorer.weight": 3.0,
        "heads.0.1.weight": 3.0,
    }


def test_a_task_may_have_a_multiplier_of_its_own(bert: Path) -> None:
    found = rates(*built(bert, tasks={"length": {"head_multiplier": 7.0}}))
    assert (found["heads.0.1.weight"][0], found["heads.1.1.weight"][0]) == (3.0, 7.0)


def test_biases_and_norms_do_not_decay(bert: Path) -> None:
    found = rates(*built(bert, head={"layer_norm": True, "hidden_layers": 1}))
    still = {name for name, (_, decay) in found.items() if not decay}
    assert still == {name for name in found if name.endswith("bias") or "Norm" in name
                     or name in ("heads.0.2.weight", "heads.1.2.weight")}  # fmt: skip
    assert {decay for _, decay in found.values()} == {0.0, 0.1}


def test_the_first_group_has_the_rate_that_a_history_shows(bert: Path) -> None:
    network, spec = built(bert)
    assert parameter_groups(network, spec, TARGETS)[0]["lr"] == 1.0


def test_layers_are_found_under_other_names(bert: Path) -> None:
    _, spec = built(bert)
    config = DistilBertConfig(vocab_size=20, dim=8, n_layers=3, n_heads=2, hidden_dim=16)
    network = Network(DistilBertModel(config), head_shape(spec.head), TARGETS)
    found = rates(network, spec)
    assert found["encoder.transformer.layer.0.attention.q_lin.weight"][0] == 0.25
    assert found["encoder.transformer.layer.2.attention.q_lin.weight"][0] == 1.0
    assert found["encoder.embeddings.word_embeddings.weight"][0] == 0.125


def test_layers_that_are_one_have_no_steps(bert: Path) -> None:
    _, spec = built(bert)
    config = AlbertConfig(
        vocab_size=20, embedding_size=8, hidden_size=8, num_hidden_layers=3,
        num_attention_heads=2, intermediate_size=16,
    )  # fmt: skip
    network = Network(AlbertModel(config), head_shape(spec.head), TARGETS)
    found = rates(network, spec)
    assert {rate for name, (rate, _) in found.items() if name.startswith("encoder.")} == {1.0}
