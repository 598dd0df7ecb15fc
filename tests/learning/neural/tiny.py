"""A random BERT small enough for a test, its vocabulary written here, and rows that it learns."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from learning.arrays import LabelTable
from learning.neural.surroundings import quiet
from schemas.label import Target
from schemas.transformers import Transformer

GOOD = ["good", "great", "fine", "happy", "sunny"]
BAD = ["bad", "poor", "sad", "grim", "rainy"]
PLAIN = ["plain", "table", "chair", "window", "street", "paper", "house", "river", "stone"]
WORDS = [*GOOD, *BAD, *PLAIN]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

MOOD = Target(name="mood", class_values=("bad", "good", "plain"), counted=(0, 1, 2))
LENGTH = Target(name="length", class_values=("long", "short"), counted=(0, 1))
SUNNY = Target(name="sunny", class_values=(0, 1), counted=(1,))
GRIM = Target(name="grim", class_values=(0, 1), counted=(1,))


def make_bert(folder: Path, *, layers: int = 2, dropout: float = 0.0, seed: int = 0) -> Path:
    """Its weights, configuration and tokenizer as the hub would have them."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*SPECIAL, *WORDS]) + "\n")
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
    BertTokenizer(vocab=str(vocabulary)).save_pretrained(folder)
    return folder


def settled(folder: Path, **parts: Any) -> Transformer:
    """A transformer without an open knob; each part replaces settings of the same name."""
    training = {"learning_rate": 2e-3, "epochs": 3, "batch_size": 8, **parts.pop("training", {})}
    return Transformer.model_validate(
        {
            "encoder": {"model": str(folder)},
            "max_tokens": 16,
            "training": training,
            **parts,
        }
    )


def rows(count: int, seed: int = 0) -> tuple[pd.DataFrame, LabelTable]:
    """Texts of 2 to 9 words and (rows, 2) labels: the mood, and whether there are many words."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for place in range(count):
        mood = place % 3
        size = int(random.integers(1, 9))
        words = [*random.choice(PLAIN, size), random.choice((BAD, GOOD, PLAIN)[mood])]
        random.shuffle(words)
        texts.append(" ".join(words))
        labels.append((mood, int(size < 5)))
    return pd.DataFrame({"text": texts}), np.array(labels)


def settings(folder: Path, name: str = "config.json") -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / name).read_text())
    return read
