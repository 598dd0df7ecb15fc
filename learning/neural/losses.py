"""What an answer costs, row by row: each target's own loss, weighed and summed.

Means are taken by whoever knows how many rows a whole step has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from learning.neural.modules import unit_slices
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import TaskLoss, Transformer

_LEAST_DOUBT = 1e-6
"""Below it the slope of doubt to the power of a gamma under 1 would be infinite."""


@dataclass(frozen=True)
class TargetLoss:
    """One target's loss; `class_weights` has an entry a class, `shift` one a logit.

    `shift` is added to the logits while learning (Menon et al. 2021), never when answering.
    """

    logits: slice
    flag: bool
    weight: float
    gamma: float
    smoothing: float
    class_weights: tuple[float, ...]
    shift: tuple[float, ...]

    def rows(self, logits: Tensor, labels: Tensor, *, weighed: bool) -> Tensor:
        """(rows,) what each row's answer costs; `weighed` by class or not."""
        adjusted = logits[:, self.logits].float() + logits.new_tensor(self.shift).float()
        classes = adjusted.new_tensor(self.class_weights) if weighed else None
        if self.flag:
            return self.weight * self._flag(adjusted[:, 0], labels, classes)
        return self.weight * self._classes(adjusted, labels, classes)

    def _classes(self, logits: Tensor, labels: Tensor, classes: Tensor | None) -> Tensor:
        costs = functional.cross_entropy(
            logits, labels, classes, reduction="none", label_smoothing=self.smoothing
        )
        if not self.gamma:
            return costs
        told = torch.log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).squeeze(1)
        return focused(costs, told, self.gamma)

    def _flag(self, logits: Tensor, labels: Tensor, classes: Tensor | None) -> Tensor:
        truth = labels.to(logits.dtype)
        smooth = truth * (1 - self.smoothing) + self.smoothing / 2
        without, present = (1.0, 1.0) if classes is None else classes
        costs = present * smooth * functional.softplus(-logits)
        costs = costs + without * (1 - smooth) * functional.softplus(logits)
        if not self.gamma:
            return costs
        return focused(costs, -functional.softplus(-logits * (2 * truth - 1)), self.gamma)


def focused(costs: Tensor, told: Tensor, gamma: float) -> Tensor:
    """Costs times doubt to `gamma` (Lin et al. 2017); `told` is the truth's log-probability."""
    return costs * (-torch.expm1(told)).clamp_min(_LEAST_DOUBT) ** gamma


def disagreement(one: Tensor, other: Tensor, losses: Sequence[TargetLoss]) -> Tensor:
    """(rows,) how far two answers of one row lie apart: symmetric KL, tasks by weight (R-Drop)."""
    total = one.new_zeros(len(one), dtype=torch.float32)
    for loss in losses:
        left, right = (_logs(logits[:, loss.logits].float(), loss.flag) for logits in (one, other))
        apart = ((left.exp() - right.exp()) * (left - right)).sum(1)
        total = total + loss.weight * apart / 2
    return total


def _logs(logits: Tensor, flag: bool) -> Tensor:
    """(rows, classes) log-probabilities; of a flag both."""
    if flag:
        return torch.cat([-functional.softplus(logits), -functional.softplus(-logits)], dim=1)
    return torch.log_softmax(logits, 1)


def target_losses(
    spec: Transformer,  # settled
    targets: Sequence[Target],
    counts: Sequence[NDArray[np.integer]],  # rows of each class, as they are
    seen: Sequence[NDArray[np.float64]],  # the same as an epoch draws and weighs them
) -> tuple[TargetLoss, ...]:
    """Each target's loss, in order."""
    shared = spec.loss
    losses = []
    for place, (target, logits) in enumerate(zip(targets, unit_slices(targets), strict=True)):
        task = spec.tasks.get(target.name, TaskLoss())
        gamma, smoothing = task.focal_gamma, task.label_smoothing
        losses.append(
            TargetLoss(
                logits=logits,
                flag=target.is_flag,
                weight=task.weight,
                gamma=value(shared.focal_gamma) if gamma is None else gamma,
                smoothing=value(shared.label_smoothing) if smoothing is None else smoothing,
                class_weights=class_weights(spec, target, counts[place]),
                shift=_shift(target, seen[place], value(shared.logit_adjustment)),
            )
        )
    return tuple(losses)


def class_weights(
    spec: Transformer,  # settled
    target: Target,
    counts: NDArray[np.integer],  # (classes,) rows
) -> tuple[float, ...]:
    """What a row of each class weighs, multiplied and capped; a class has one row at least."""
    rows = np.maximum(counts, 1).astype(np.float64)
    exponent = value(spec.loss.class_weights)
    base = (rows.sum() / (len(rows) * rows)) ** exponent
    if target.is_flag:
        base = np.array([1.0, (rows[0] / rows[1]) ** exponent])
    multipliers = spec.tasks.get(target.name, TaskLoss()).class_multipliers
    base = base * [multipliers.get(text, 1.0) for text in target.class_texts]
    return tuple(np.minimum(base, spec.loss.max_class_weight).tolist())


def trained_prior(
    loss: TargetLoss,
    tau: float,
    seen: NDArray[np.float64],  # (classes,) as an epoch draws and weighs them
) -> tuple[float, ...]:
    """What each class weighed in the fit: what its rows and weights put in, less what the
    adjustment of the logits took out again.
    """
    weighed = seen * np.array(loss.class_weights)
    return tuple((weighed / np.maximum(seen, _LEAST_SEEN) ** tau).tolist())


_LEAST_SEEN = 1e-3


def _shift(target: Target, seen: NDArray[np.float64], tau: float) -> tuple[float, ...]:
    logs = np.log(np.maximum(seen, _LEAST_SEEN) / seen.sum())
    found = np.array([logs[1] - logs[0]]) if target.is_flag else logs
    return tuple((tau * found).tolist())
