"""What a step of the Trainer does with our loss, rates and order of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from learning.neural.encoders import load_encoder, load_tokenizer
from learning.neural.lessons import Lesson, prepared, read
from learning.neural.modules import Network, head_shape
from learning.neural.surroundings import bound, quiet, seeded
from learning.neural.training import NetworkTrainer, arguments, r_drop
from schemas.label import Target
from schemas.transformers import Loss
from tests.learning.neural.tiny import GRIM, LENGTH, MOOD, SUNNY, make_bert, rows, settled

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
    told = {"learning_rate": 1e-12, "max_grad_norm": 1e9, "epochs": 1, "warm_up": 0.0}
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


LOSSES: dict[str, tuple[tuple[Target, ...], dict[str, Any]]] = {
    "cross-entropy": (TASKS, {}),
    "focal": (TASKS, {"loss": {"focal_gamma": 2.0}}),
    "smoothing": (TASKS, {"loss": {"label_smoothing": 0.1}}),
    "class-weights": (TASKS, {"loss": {"class_weights": 1.0}}),
    "logit-adjustment": (TASKS, {"loss": {"logit_adjustment": 1.0}}),
    "r-drop": (TASKS, {"loss": {"r_drop": 0.6}}),
    "task-weights": (TASKS, {"tasks": {"mood": {"weight": 1.4, "focal_gamma": 1.0}}}),
    "flags": (FLAGS, {"loss": {"class_weights": 1.0, "focal_gamma": 1.0}}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_one_batch_of_twelve_moves_as_three_of_four(bert: Path, tmp_path: Path, name: str) -> None:
    targets, parts = LOSSES[name]
    found = [
        gradients(
            lesson(bert, targets, 20, **parts,
                   training={"batch_size": batch, "accumulation": times}),
            bert, tmp_path,
        )
        for batch, times in ((12, 1), (4, 3))
    ]  # fmt: skip
    assert [len(steps) for steps in found] == [2, 2]  # the second has eight rows
    for whole, parts_of_it in zip(*found, strict=True):
        for one, other in zip(whole, parts_of_it, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        assert max(part.abs().max().item() for part in whole) > 1e-3


def test_a_step_moves_by_the_mean_over_its_rows(bert: Path, tmp_path: Path) -> None:
    told = lesson(bert, TASKS, 12, training={"batch_size": 12})
    (found,) = gradients(told, bert, tmp_path)
    with quiet(), bound(1), seeded(3):
        network = Network(load_encoder(told.spec.encoder, bert), head_shape(told.spec.head), TASKS)
        batch = told.train.batch(range(12))
        labels, weights = batch.pop("labels"), batch.pop("weights")
        logits = network(**batch)["logits"]
        each = [
            torch.nn.functional.cross_entropy(logits[:, part], labels[:, place], reduction="none")
            for place, part in enumerate((slice(0, 3), slice(3, 5)))
        ]
        ((each[0] + each[1]) * weights).mean().backward()
    for part, other in zip(network.parameters(), found, strict=True):
        np.testing.assert_allclose(part.grad, other, atol=1e-6)


def test_r_drop_costs_nothing_without_dropout_and_something_with_it(
    bert: Path, tmp_path: Path
) -> None:
    def moved(folder: Path, alpha: float) -> list[list[torch.Tensor]]:
        told = lesson(folder, TASKS, 12, loss={"r_drop": alpha}, training={"batch_size": 12})
        return gradients(told, folder, tmp_path)

    for one, other in zip(moved(bert, 0.0)[0], moved(bert, 5.0)[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    shaken = make_bert(tmp_path / "shaken", dropout=0.3)
    apart = [
        (one - other).abs().max().item()
        for one, other in zip(moved(shaken, 1e-9)[0], moved(shaken, 5.0)[0], strict=True)
    ]
    assert max(apart) > 1e-3


@pytest.mark.parametrize(("passed", "alpha"), [(0.0, 0.0), (1.0, 0.3), (2.0, 0.6), (9.0, 0.6)])
def test_r_drop_grows_until_its_warm_up_is_over(passed: float, alpha: float) -> None:
    assert r_drop(Loss(r_drop=0.6, r_drop_warm_up=2), passed) == pytest.approx(alpha)
    assert r_drop(Loss(r_drop=0.6), passed) == 0.6


def test_class_weights_that_wait_count_from_their_epoch_on(bert: Path, tmp_path: Path) -> None:
    def steps(**loss: float) -> list[list[torch.Tensor]]:
        told = lesson(bert, TASKS, 12, loss=loss, training={"batch_size": 12, "epochs": 4})
        return gradients(told, bert, tmp_path)

    plain, weighed = steps(), steps(class_weights=1.0)
    deferred = steps(class_weights=1.0, deferred=0.5)
    like_plain, like_weighed = (
        [
            all(np.allclose(a, b, atol=1e-6) for a, b in zip(one, two, strict=True))
            for one, two in zip(deferred, other, strict=True)
        ]
        for other in (plain, weighed)
    )
    assert like_plain == [True, True, False, False]
    assert like_weighed == [False, False, True, True]


def test_half_precision_that_needs_a_gpu_is_refused_without_one(bert: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    told = lesson(bert, TASKS, 12, training={"precision": "fp16"})
    with pytest.raises(ValueError, match=r"expected a GPU for training\.precision fp16"):
        arguments(told, tmp_path, keeps=False)


def test_bf16_learns_too(bert: Path, tmp_path: Path) -> None:
    exact, rounded = (
        gradients(
            lesson(bert, TASKS, 12, training={"batch_size": 12, "precision": precision}),
            bert, tmp_path,
        )[0]
        for precision in ("fp32", "bf16")
    )  # fmt: skip
    apart = max((one - other).abs().max().item() for one, other in zip(exact, rounded, strict=True))
    assert 0 < apart < 0.05
