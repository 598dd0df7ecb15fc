"""Every loss against what its paper says, written out in NumPy."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from learning.neural.losses import (
    TargetLoss,
    class_weights,
    disagreement,
    target_losses,
    trained_prior,
)
from schemas.label import Target
from schemas.transformers import Transformer

THREE = Target(name="mood", class_values=("bad", "good", "plain"), counted=(0, 1, 2))
FLAG = Target(name="sunny", class_values=(0, 1), counted=(1,))
COUNTS = np.array([10, 50, 140])
FLAGS = np.array([90, 10])
RANDOM = np.random.default_rng(4)
LOGITS = RANDOM.normal(size=(12, 3)) * 2
LABELS = RANDOM.integers(0, 3, 12)
TRUTHS = RANDOM.integers(0, 2, 12)


def spec(**parts: Any) -> Transformer:
    return Transformer.model_validate({"encoder": {"model": "./any"}, **parts})


def one(target: Target, counts: np.ndarray, **parts: Any) -> TargetLoss:
    (loss,) = target_losses(spec(**parts), (target,), [counts], [counts.astype(float)])
    return loss


def costs(loss: TargetLoss, logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found = loss.rows(torch.from_numpy(logits), torch.from_numpy(labels), weighed=True)
    return found.numpy()


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def own(table: np.ndarray) -> np.ndarray:
    return table[np.arange(len(table)), LABELS]


def test_plain_cross_entropy() -> None:
    expected = -own(log_softmax(LOGITS))
    np.testing.assert_allclose(costs(one(THREE, COUNTS), LOGITS, LABELS), expected, atol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.5])
def test_focal_loss(gamma: float) -> None:
    logs = own(log_softmax(LOGITS))
    expected = -((1 - np.exp(logs)) ** gamma) * logs
    found = costs(one(THREE, COUNTS, loss={"focal_gamma": gamma}), LOGITS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_row_that_is_sure_has_a_finite_slope_under_a_gamma_below_one() -> None:
    logits = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    loss = one(THREE, COUNTS, loss={"focal_gamma": 0.5})
    loss.rows(logits, torch.tensor([0]), weighed=False).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_label_smoothing_gives_every_class_its_share() -> None:
    logs, eps = log_softmax(LOGITS), 0.1
    expected = -(1 - eps) * own(logs) - eps * logs.mean(1)
    found = costs(one(THREE, COUNTS, loss={"label_smoothing": eps}), LOGITS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    torchs = functional.cross_entropy(
        torch.from_numpy(LOGITS), torch.from_numpy(LABELS), reduction="none", label_smoothing=eps
    )
    np.testing.assert_allclose(found, torchs.numpy(), atol=1e-5)


def test_class_weights_multipliers_and_cap() -> None:
    parts = {
        "loss": {"class_weights": 0.5, "max_class_weight": 3.0},
        "tasks": {"mood": {"class_multipliers": {"bad": 2.0, "good": 1.5}}},
    }
    weights = np.minimum((200 / (3 * COUNTS)) ** 0.5 * [2.0, 1.5, 1.0], 3.0)
    assert weights[0] == 3.0
    np.testing.assert_allclose(class_weights(spec(**parts), THREE, COUNTS), weights)
    expected = -own(log_softmax(LOGITS)) * weights[LABELS]
    found = costs(one(THREE, COUNTS, **parts), LOGITS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_class_weights_wait_until_they_are_to_count() -> None:
    loss = one(THREE, COUNTS, loss={"class_weights": 1.0, "deferred": 0.5})
    found = loss.rows(torch.from_numpy(LOGITS), torch.from_numpy(LABELS), weighed=False)
    np.testing.assert_allclose(found.numpy(), -own(log_softmax(LOGITS)), atol=1e-5)


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_logit_adjustment_adds_the_log_prior_while_learning(tau: float) -> None:
    expected = -own(log_softmax(LOGITS + tau * np.log(COUNTS / COUNTS.sum())))
    found = costs(one(THREE, COUNTS, loss={"logit_adjustment": tau}), LOGITS, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_flags_positives_weigh_as_many_as_there_are_negatives() -> None:
    logits = LOGITS[:, :1]
    chance = sigmoid(logits[:, 0])
    expected = -(TRUTHS * 9.0 * np.log(chance) + (1 - TRUTHS) * np.log(1 - chance))
    loss = one(FLAG, FLAGS, loss={"class_weights": 1.0})
    assert loss.class_weights == (1.0, 9.0)
    found = costs(loss, logits, TRUTHS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    torchs = functional.binary_cross_entropy_with_logits(
        torch.from_numpy(logits[:, 0]), torch.from_numpy(TRUTHS).double(), reduction="none",
        pos_weight=torch.tensor(9.0),
    )  # fmt: skip
    np.testing.assert_allclose(found, torchs.numpy(), atol=1e-5)


def test_a_flags_focal_loss_with_smoothing_and_adjustment() -> None:
    shifted = LOGITS[:, 0] + 0.7 * np.log(10 / 90)
    chance, smooth = sigmoid(shifted), TRUTHS * 0.9 + 0.05
    entropy = -(smooth * np.log(chance) + (1 - smooth) * np.log(1 - chance))
    doubt = np.where(TRUTHS == 1, 1 - chance, chance)
    parts = {"focal_gamma": 2.0, "label_smoothing": 0.1, "logit_adjustment": 0.7}
    found = costs(one(FLAG, FLAGS, loss=parts), LOGITS[:, :1], TRUTHS)
    np.testing.assert_allclose(found, entropy * doubt**2, atol=1e-5)


def test_a_task_has_its_own_gamma_smoothing_and_weight() -> None:
    tasks = {"sunny": {"focal_gamma": 0.0, "label_smoothing": 0.0, "weight": 1.4}}
    shared = spec(loss={"focal_gamma": 2.0, "label_smoothing": 0.1}, tasks=tasks)
    mood, sunny = target_losses(shared, (THREE, FLAG), [COUNTS, FLAGS], [COUNTS * 1.0, FLAGS * 1.0])
    assert (mood.gamma, mood.smoothing, mood.weight) == (2.0, 0.1, 1.0)
    assert (sunny.gamma, sunny.smoothing, sunny.weight) == (0.0, 0.0, 1.4)
    assert (mood.logits, sunny.logits) == (slice(0, 3), slice(3, 4))
    logits = np.column_stack([np.full((12, 3), 9.0), LOGITS[:, 0]])
    chance = np.where(TRUTHS == 1, sigmoid(LOGITS[:, 0]), 1 - sigmoid(LOGITS[:, 0]))
    np.testing.assert_allclose(costs(sunny, logits, TRUTHS), -1.4 * np.log(chance), atol=1e-5)


def test_two_answers_disagree_by_their_symmetric_divergence() -> None:
    losses = target_losses(
        spec(tasks={"sunny": {"weight": 2.0}}),
        (THREE, FLAG), [COUNTS, FLAGS], [COUNTS * 1.0, FLAGS * 1.0],
    )  # fmt: skip
    left, right = RANDOM.normal(size=(2, 12, 4))

    def both(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chance = sigmoid(logits[:, 3])
        return np.exp(log_softmax(logits[:, :3])), np.column_stack([1 - chance, chance])

    expected = np.zeros(12)
    for p, q, weight in zip(both(left), both(right), (1.0, 2.0), strict=True):
        kl = (p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1)
        expected += weight * kl / 2
    found = disagreement(torch.from_numpy(left), torch.from_numpy(right), losses).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    same = disagreement(torch.from_numpy(left), torch.from_numpy(left), losses)
    assert same.abs().max().item() == 0.0


def test_the_trained_prior_is_what_weights_put_in_less_what_adjustment_took_out() -> None:
    seen = COUNTS * 1.0
    weighed = one(THREE, COUNTS, loss={"class_weights": 1.0, "max_class_weight": 100})
    balanced = one(THREE, COUNTS, loss={"logit_adjustment": 1.0})
    np.testing.assert_allclose(trained_prior(weighed, 0.0, seen), [200 / 3] * 3)
    np.testing.assert_allclose(trained_prior(balanced, 1.0, seen), [1.0] * 3)
    np.testing.assert_allclose(trained_prior(balanced, 0.0, seen), COUNTS)
