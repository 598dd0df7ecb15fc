"""One process of a step that is shared: `one_of_two.py BERT FOLDER BATCH OUT`, as RANK says."""

import os
import sys
from pathlib import Path

import safetensors.torch

from tests.learning.neural.steps import TASKS, gradients, lesson


def main(bert: Path, folder: Path, batch: int, out: Path) -> None:
    told = lesson(bert, TASKS, 12, loss={"class_weights": 1.0}, training={"batch_size": batch})
    (step,) = gradients(told, bert, folder)
    if os.environ.get("RANK", "0") == "0":
        safetensors.torch.save_file({str(place): part for place, part in enumerate(step)}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
