"""One member's fit, by Hugging Face's Trainer; its step, clipping and schedule are its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from learning.neural.epochs import SCORE, Ending, Ends, Epoch, Telling, Told, history, scores
from learning.neural.examples import collated
from learning.neural.lessons import Lesson
from learning.neural.losses import disagreement
from learning.neural.modules import Network
from learning.neural.optimising import parameter_groups
from learning.neural.sampling import LengthGrouped
from learning.neural.surroundings import device
from schemas.knobs import value
from schemas.label import Target
from schemas.transformers import Loss, Training


class NetworkTrainer(Trainer):
    """A Trainer with our loss, our rates and our order of rows."""

    def __init__(self, lesson: Lesson, network: Network, **settings: Any) -> None:
        super().__init__(
            model=network,
            train_dataset=lesson.train,
            eval_dataset=lesson.held,
            data_collator=collated,
            **settings,
        )
        self.remove_callback(PrinterCallback)  # it stands in for a bar that is switched off
        self.lesson = lesson
        self.network = network

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """The mean over the rows of the whole step, however many batches it comes in."""
        read = {name: part for name, part in inputs.items() if name not in ("labels", "weights")}
        labels, weights = inputs["labels"], inputs["weights"]
        alpha = self._alpha() if model.training else 0.0
        if alpha:
            read = {name: torch.cat([part, part]) for name, part in read.items()}
        outputs = model(**read)
        if alpha:
            one, other = outputs["logits"].chunk(2)
            costs = (self._costs(one, labels) + self._costs(other, labels)) / 2
            costs = costs + alpha * disagreement(one, other, self.lesson.losses)
        else:
            costs = self._costs(outputs["logits"], labels)
        # The Trainer counts labels: as many a row as there are targets.
        cells = labels.numel() if num_items_in_batch is None else num_items_in_batch
        loss = (costs * weights).sum() * labels.shape[1] / cells
        if num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # over which gradients are averaged
        return (loss, outputs) if return_outputs else loss

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args)
            lesson = self.lesson
            groups = parameter_groups(self.network, lesson.spec, lesson.targets)
            self.optimizer = kind(groups, **settings)
        return self.optimizer

    def _get_train_sampler(self, train_dataset: object = None) -> Sampler[int]:
        training = self.lesson.spec.training
        step = value(training.batch_size) * training.accumulation
        lesson = self.lesson
        return LengthGrouped(lesson.train.lengths, step, lesson.drawn, lesson.seed)

    def _costs(self, logits: Tensor, labels: Tensor) -> Tensor:
        deferred = value(self.lesson.spec.loss.deferred)
        weighed = self._passed() >= deferred * self.args.num_train_epochs
        total = logits.new_zeros(len(logits), dtype=torch.float32)
        for place, loss in enumerate(self.lesson.losses):
            total = total + loss.rows(logits, labels[:, place], weighed=weighed)
        return total

    def _alpha(self) -> float:
        return r_drop(self.lesson.spec.loss, self._passed())

    def _passed(self) -> float:
        """Epochs, with a part of the present one."""
        return float(self.state.epoch or 0.0)


def r_drop(loss: Loss, passed: float) -> float:
    """Alpha after so many epochs: it grows evenly until the warm-up is over.

    >>> r_drop(Loss(r_drop=0.6, r_drop_warm_up=2), 0.5)
    0.15
    """
    full = value(loss.r_drop)
    return full if passed >= loss.r_drop_warm_up else full * passed / loss.r_drop_warm_up


def fitted(
    lesson: Lesson,
    network: Network,
    folder: Path,  # for checkpoints, or for the best weights alone
    member: int,
    told: Told,
    *,
    ends: Ends | None = None,  # asked between steps; whoever asks for it has to keep the states
    keeps: bool,  # each epoch's state, to go on from
    resume: Path | None = None,
) -> tuple[Epoch, ...]:
    """Fit the network in place: it ends with the best epoch's weights where rows are held back."""
    training = lesson.spec.training
    if training.gradient_checkpointing:
        network.encoder.activation_checkpointing_enable({"use_reentrant": False})
    trainer = NetworkTrainer(
        lesson,
        network,
        args=arguments(lesson, folder, keeps=keeps),
        callbacks=_callbacks(lesson, Telling(member, told), ends if keeps else None),
        compute_metrics=lambda seen: _scored(seen, lesson.targets),
    )
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    # Answers are full precision, whatever was trained in: the same here and where it is read back.
    trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    if training.gradient_checkpointing:
        network.encoder.activation_checkpointing_disable()  # type: ignore[no-untyped-call]
    network.eval()
    return history(trainer.state.log_history, member)


def arguments(lesson: Lesson, folder: Path, *, keeps: bool) -> TrainingArguments:
    """Of a Trainer that neither asks nor tells anything outside of this process."""
    training, batch = lesson.spec.training, value(lesson.spec.training.batch_size)
    held = lesson.held is not None
    gpu = device().type == "cuda"
    precision = _precision(training, gpu=gpu)
    schedule: Literal["linear", "cosine"] = value(training.schedule)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=value(training.epochs),
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=max(batch, 32),
        gradient_accumulation_steps=training.accumulation,
        learning_rate=value(training.learning_rate),
        weight_decay=value(training.weight_decay),
        lr_scheduler_type=schedule,
        warmup_steps=value(training.warm_up),  # below 1 it is a share
        max_grad_norm=training.max_grad_norm,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not gpu,
        seed=lesson.seed % 2**32,  # NumPy's generator takes no more
        logging_strategy="epoch",
        logging_nan_inf_filter=False,
        eval_strategy="epoch" if held else "no",
        save_strategy="epoch" if held or keeps else "no",
        save_total_limit=1,
        save_only_model=not keeps,
        load_best_model_at_end=held,
        metric_for_best_model=SCORE if held else None,
        greater_is_better=True if held else None,
        restore_callback_states_from_checkpoint=True,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_num_workers=0,
        dataloader_pin_memory=gpu,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
    )


def _precision(training: Training, *, gpu: bool) -> str:
    if training.precision != "auto":
        if training.precision == "fp16" and not gpu:
            raise ValueError(
                "expected a GPU for training.precision fp16, got none; say auto, fp32 or bf16"
            )
        return training.precision
    if not gpu:
        return "bf16" if _multiplies_bf16() else "fp32"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def _multiplies_bf16() -> bool:
    """Whether the processor has instructions for it: a step then takes less than half the time."""
    # Measured with a MiniLM of 6 layers, 16 rows of 40 tokens, one thread: 0.23 s beside 0.56 s.
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def _callbacks(lesson: Lesson, telling: Telling, ends: Ends | None) -> list[Any]:
    patience = lesson.spec.training.patience
    callbacks: list[Any] = [telling]
    if patience is not None and lesson.held is not None:  # rows of one text can't be held back
        callbacks.append(EarlyStoppingCallback(patience))
    if ends is not None:
        callbacks.append(Ending(ends))
    return callbacks


def _scored(seen: EvalPrediction, targets: Sequence[Target]) -> dict[str, Any]:
    return scores(np.asarray(seen.predictions), np.asarray(seen.label_ids), targets)
