"""Steps of the Trainer, and what each was about to move the weights by."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.lessons import Lesson, prepared, read
from learning.neural.modules import Network, head_shape
from learning.neural.surroundings import bound, quiet, seeded
from learning.neural.training import NetworkTrainer, arguments
from schemas.label import Target
from tests.learning.neural.tiny import GRIM, LENGTH, MOOD, SUNNY, rows, settled

TASKS = (MOOD, LENGTH)
FLAGS = (SUNNY, GRIM)


class Gradients(TrainerCallback):
    """What each step was about to move the weights by."""

    def __init__(self) -> None:
        self.steps: list[list[torch.Tensor]] = []

    def on_pre_optimizer_step(self, *_: object, model: Network, **__: object) -> None:
        self.steps.append([
            part.grad.clone() for part in model.parameters() if part.grad is not None
        ])  # fmt: skip


def lesson(bert: Path, targets: tuple[Target, ...], count: int, **parts: Any) -> Lesson:
    frame, labels = rows(count)
    if targets == FLAGS:
        labels = (labels == [1, 0]).astype(int)
    parts = {"head": {"dropout": 0.0}, **parts}
    told = {"learning_rate": 1e-12, "max_grad_norm": 1e9, "epochs": 1, "warm_up": 0.0,
            "precision": "fp32"}  # fmt: skip
    spec = settled(bert, **{**parts, "training": {**told, **parts.get("training", {})}})
    encoder = load_encoder(spec.encoder, bert)
    tokens = read(spec, encoder.config, load_tokenizer(bert), frame, ("text",))
    weights = np.linspace(0.5, 2.0, count)
    return prepared(spec, targets, tokens, labels, weights, None, seed=1)


def gradients(told: Lesson, bert: Path, folder: Path) -> list[list[torch.Tensor]]:
    with quiet(), bound(1), seeded(3):
        network = Network(load_encoder(told.spec.encoder, bert), head_shape(told.spec.head),
                          told.targets)  # fmt: skip
        caught = Gradients()
        trainer = NetworkTrainer(
            told, network, args=arguments(told, folder, keeps=False), callbacks=[caught]
        )
        trainer.train()
        return caught.steps
