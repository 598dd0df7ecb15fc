"""What a step of the Trainer does with our loss, rates and order of rows."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import tests
from learning.neural.encoders import load_encoder
from learning.neural.modules import Network, head_shape
from learning.neural.surroundings import bound, quiet, seeded
from learning.neural.training import arguments, r_drop
from schemas.label import Target
from schemas.transformers import Loss
from tests.learning.neural.steps import FLAGS, TASKS, gradients, lesson
from tests.learning.neural.tiny import make_bert

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


def test_two_processes_move_as_one_with_twice_the_batch(bert: Path, tmp_path: Path) -> None:
    root = Path(tests.__path__[0]).parent
    script = root / "tests/learning/neural/one_of_two.py"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def started(rank: int, world: int, batch: int, out: Path) -> "subprocess.Popen[bytes]":
        environ = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        if world > 1:
            environ |= {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world),
                "LOCAL_WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
            }  # fmt: skip
        words = [sys.executable, str(script), str(bert), str(tmp_path / "out"), str(batch)]
        return subprocess.Popen([*words, str(out)], env=environ)

    shared, alone = tmp_path / "shared", tmp_path / "alone"
    running = [started(0, 2, 6, shared), started(1, 2, 6, shared), started(0, 1, 12, alone)]
    assert [each.wait(timeout=240) for each in running] == [0, 0, 0]
    two, one = (safetensors.torch.load_file(path) for path in (shared, alone))
    assert two.keys() == one.keys()
    for name, part in one.items():
        np.testing.assert_allclose(two[name], part, atol=1e-5)
