"""What each epoch of a fit was like, told while it runs and kept when it is over."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from learning.arrays import Labels, LabelTable
from learning.deciding.metrics import class_figures, confusion
from learning.neural.modules import unit_slices
from schemas.faults import FitInterrupted
from schemas.label import Target

SECONDS = "seconds"
SCORE = "score"
_MACRO, _CLASSES = "macro_f1", "class_f1"


@dataclass(frozen=True)
class TargetScore:
    """On the rows held back, by arg max: the mean F1 of the classes that count, and each one's.

    None where a class had neither rows nor decisions.
    """

    macro_f1: float
    class_f1: tuple[float | None, ...]


@dataclass(frozen=True)
class Epoch:
    """One pass of one member over the training rows, counted from 1; seconds without scoring.

    `scores` has an entry a target, none where no rows are held back; `score` is their mean.
    """

    member: int
    epoch: int
    train_loss: float
    learning_rate: float
    seconds: float
    held_loss: float | None
    score: float | None
    scores: tuple[TargetScore, ...]


Told: TypeAlias = Callable[[Epoch], None]

Ends: TypeAlias = Callable[[], bool]
"""Asked between the steps of a fit: whether it is to keep how far it came and end."""


class NotFinite(ArithmeticError):
    """The loss of a fit is no number any more."""


class Telling(TrainerCallback):
    """Times each epoch and tells of it once all that there is to say of it is known."""

    def __init__(self, member: int, told: Told) -> None:
        self.member, self.told = member, told
        self.started = time.perf_counter()

    def on_epoch_begin(self, *_: object, **__: object) -> None:
        self.started = time.perf_counter()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        if logs is None or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise NotFinite(
                f"The fit left the numbers in step {state.global_step}: expected a finite loss, "
                f"got {logs['loss']}. Lower training.learning_rate, or take precision: fp32."
            )
        # The history is kept in every checkpoint, and so are the seconds.
        state.log_history[-1][SECONDS] = time.perf_counter() - self.started
        if not control.should_evaluate:
            self.told(history(state.log_history, self.member)[-1])

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self.told(history(state.log_history, self.member)[-1])


class Ending(TrainerCallback):
    """Ends a fit after the step in which it is asked to, once that step is kept.

    The last step of an epoch is kept with the epoch, when its figures are known. What a fit that
    goes on in the middle of an epoch tells of it, loss and seconds, is of the steps that were left.
    """

    def __init__(self, ends: Ends) -> None:
        self.ends = ends

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if not float(state.epoch or 0.0).is_integer() and self.ends():
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        if state.global_step < state.max_steps and self.ends():
            raise FitInterrupted(
                f"The fit was asked to end after step {state.global_step} of {state.max_steps}; "
                "the same fit goes on from there."
            )


def history(log: Sequence[Mapping[str, Any]], member: int) -> tuple[Epoch, ...]:
    """A Trainer's log as epochs."""
    scored = {entry["step"]: entry for entry in log if f"eval_{SCORE}" in entry}
    epochs = []
    for entry in log:
        if "loss" not in entry:
            continue
        held = scored.get(entry["step"], {})
        epochs.append(
            Epoch(
                member=member,
                epoch=round(entry["epoch"]),
                train_loss=entry["loss"],
                learning_rate=entry["learning_rate"],
                seconds=entry[SECONDS],
                held_loss=held.get("eval_loss"),
                score=held.get(f"eval_{SCORE}"),
                scores=tuple(
                    TargetScore(macro, tuple(classes))
                    for macro, classes in zip(
                        held.get(f"eval_{_MACRO}", ()),
                        held.get(f"eval_{_CLASSES}", ()),
                        strict=True,
                    )
                ),
            )
        )
    return tuple(epochs)


def scores(
    logits: NDArray[np.floating], labels: LabelTable, targets: Sequence[Target]
) -> dict[str, Any]:
    """What a Trainer is to log of the rows held back."""
    each = [
        _score(_decided(logits[:, units], target), labels[:, place], target)
        for place, (target, units) in enumerate(zip(targets, unit_slices(targets), strict=True))
    ]
    return {
        SCORE: sum(score.macro_f1 for score in each) / len(each),
        _MACRO: [score.macro_f1 for score in each],
        _CLASSES: [list(score.class_f1) for score in each],
    }


def _decided(logits: NDArray[np.floating], target: Target) -> Labels:
    decided: Labels = (logits[:, 0] > 0).astype(int) if target.is_flag else logits.argmax(1)
    return decided


def _score(decided: Labels, labels: Labels, target: Target) -> TargetScore:
    figures = class_figures(confusion(labels, decided, target.classes)).f1
    counted = [f1 for c in target.counted if (f1 := figures[c]) is not None]
    return TargetScore(float(np.mean(counted)) if counted else 0.0, figures)
