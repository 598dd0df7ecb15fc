"""What a Trainer's log says of each epoch."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from learning.neural.epochs import Epoch, TargetScore, history, scores
from tests.learning.neural.tiny import MOOD, SUNNY

RANDOM = np.random.default_rng(2)
LOGITS = RANDOM.normal(size=(60, 4))
LABELS = np.column_stack([RANDOM.integers(0, 3, 60), RANDOM.integers(0, 2, 60)])


def test_scores_are_scikit_learns_by_arg_max_and_of_a_flag_its_own_class() -> None:
    found = scores(LOGITS, LABELS, (MOOD, SUNNY))
    mood, sunny = LOGITS[:, :3].argmax(1), (LOGITS[:, 3] > 0).astype(int)
    macro = f1_score(LABELS[:, 0], mood, average="macro")
    assert found["macro_f1"] == pytest.approx([macro, f1_score(LABELS[:, 1], sunny)])
    assert found["class_f1"][0] == pytest.approx(f1_score(LABELS[:, 0], mood, average=None))
    assert found["class_f1"][1] == pytest.approx(f1_score(LABELS[:, 1], sunny, average=None))
    assert found["score"] == pytest.approx(np.mean(found["macro_f1"]))


def test_a_class_without_rows_and_decisions_has_no_score_and_counts_for_none() -> None:
    labels = np.array([[0], [1]])
    found = scores(np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), labels, (MOOD,))
    assert found["class_f1"] == [[1.0, 1.0, None]]
    assert found["score"] == 1.0


def test_a_log_is_told_epoch_by_epoch() -> None:
    log = [
        {"loss": 1.5, "learning_rate": 0.1, "epoch": 1.0, "step": 10, "seconds": 2.0},
        {"eval_loss": 1.2, "eval_score": 0.4, "eval_macro_f1": [0.4],
         "eval_class_f1": [[0.5, None, 0.3]], "epoch": 1.0, "step": 10},
        {"loss": 1.1, "learning_rate": 0.0, "epoch": 2.0, "step": 20, "seconds": 3.0},
        {"train_runtime": 9.0, "train_loss": 1.3, "epoch": 2.0, "step": 20},
    ]  # fmt: skip
    assert history(log, member=1) == (
        Epoch(1, 1, 1.5, 0.1, 2.0, 1.2, 0.4, (TargetScore(0.4, (0.5, None, 0.3)),)),
        Epoch(1, 2, 1.1, 0.0, 3.0, None, None, ()),
    )
