"""A fit in a process of its own, to be killed: `killed_fit.py BERT CHECKPOINTS`."""

import sys
import time
from pathlib import Path

from learning.neural.epochs import Epoch
from learning.neural.estimator import TransformerClassifier
from tests.learning.neural.tiny import LENGTH, MOOD, rows, settled


def linger(epoch: Epoch) -> None:
    """Tells each epoch; in the third one there is time to be killed."""
    print(f"epoch {epoch.epoch}", flush=True)
    if epoch.epoch == 3:
        time.sleep(600)


def main(bert: Path, checkpoints: Path) -> None:
    spec = settled(
        bert,
        training={"epochs": 5, "validation_share": 0.25},
        sampling={"word_dropout": 0.3, "exponent": 0.5},
    )
    estimator = TransformerClassifier(spec, (MOOD, LENGTH), ("text",), 1, 1, checkpoints)
    estimator.fit(*rows(48), told=linger)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
