"""A fit that was cut off goes on where it was, and only if it is the same."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tests
from learning.neural.epochs import Epoch
from learning.neural.estimator import TransformerClassifier
from tests.learning.neural.tiny import LENGTH, MOOD, make_bert, rows, settled

ROOT = Path(tests.__path__[0]).parent
SPEC: dict[str, Any] = {
    "training": {"epochs": 5, "validation_share": 0.25},
    "sampling": {"word_dropout": 0.3, "exponent": 0.5},
}


class Cut(Exception):
    """Ends a fit as a kill would, but for the process."""


def estimator(
    bert: Path, checkpoints: Path | None, seed: int = 1, **parts: Any
) -> TransformerClassifier:
    spec = settled(bert, **{**SPEC, **parts})
    return TransformerClassifier(spec, (MOOD, LENGTH), ("text",), seed, 1, checkpoints)


def cut_after(epochs: int) -> Any:
    def told(epoch: Epoch) -> None:
        if epoch.epoch == epochs:
            raise Cut("cut")

    return told


def epochs_of(bert: Path, checkpoints: Path, **parts: Any) -> list[int]:
    told: list[int] = []
    frame, labels = rows(48)
    again = estimator(bert, checkpoints, **parts)
    again.fit(frame, labels, told=lambda epoch: told.append(epoch.epoch))
    return told


def test_a_killed_fit_goes_on_to_the_same_network(tmp_path: Path) -> None:
    bert = make_bert(tmp_path / "bert", dropout=0.1)
    script, kept = ROOT / "tests/learning/neural/killed_fit.py", tmp_path / "kept"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script), str(bert), str(kept)],
        stdout=subprocess.PIPE, text=True, env=environ,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        lines = [child.stdout.readline().strip() for _ in range(3)]
        child.send_signal(signal.SIGKILL)
    assert lines == ["epoch 1", "epoch 2", "epoch 3"]
    frame, labels = rows(48)
    told: list[int] = []
    resumed = estimator(bert, kept)
    resumed.fit(frame, labels, told=lambda epoch: told.append(epoch.epoch))
    whole = estimator(bert, None).fit(frame, labels)
    assert told == [3, 4, 5]  # the third was not kept yet
    assert [epoch.epoch for epoch in resumed.history_] == [1, 2, 3, 4, 5]
    assert [epoch.train_loss for epoch in resumed.history_] == [
        epoch.train_loss for epoch in whole.history_
    ]
    for one, other in zip(resumed.predict_proba(frame), whole.predict_proba(frame), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_that_was_over_is_not_done_again(bert: Path, tmp_path: Path) -> None:
    frame, labels = rows(48)
    first = estimator(bert, tmp_path).fit(frame, labels)
    told: list[Epoch] = []
    again = estimator(bert, tmp_path).fit(frame, labels, told=told.append)
    assert told == []
    assert again.history_ == first.history_
    np.testing.assert_array_equal(first.predict_proba(frame)[0], again.predict_proba(frame)[0])
    assert [path.name for path in tmp_path.rglob("checkpoint-*")] == []


def test_a_second_member_that_was_cut_off_leaves_the_first_alone(
    bert: Path, tmp_path: Path
) -> None:
    frame, labels = rows(48)
    pair = {**SPEC["training"], "epochs": 2, "seeds": 2}

    def cut(epoch: Epoch) -> None:
        if (epoch.member, epoch.epoch) == (1, 2):
            raise Cut("cut")

    with pytest.raises(Cut, match="cut"):
        estimator(bert, tmp_path, training=pair).fit(frame, labels, told=cut)
    told: list[tuple[int, int]] = []
    estimator(bert, tmp_path, training=pair).fit(
        frame, labels, told=lambda epoch: told.append((epoch.member, epoch.epoch))
    )
    assert told == [(1, 2)]


@pytest.fixture
def halfway(bert: Path, tmp_path: Path) -> Path:
    """Two of five epochs are kept, the third was cut off."""
    with pytest.raises(Cut, match="cut"):
        estimator(bert, tmp_path).fit(*rows(48), told=cut_after(3))
    return tmp_path


def test_the_same_fit_goes_on(bert: Path, halfway: Path) -> None:
    assert epochs_of(bert, halfway) == [3, 4, 5]


@pytest.mark.parametrize(
    "parts",
    [
        {"seed": 2},
        {"loss": {"focal_gamma": 1.0}},
        {"training": {"epochs": 5, "validation_share": 0.5}},
    ],
    ids=["seed", "settings", "rows"],
)
def test_another_fit_begins_anew(bert: Path, halfway: Path, parts: dict[str, Any]) -> None:
    assert epochs_of(bert, halfway, **parts) == [1, 2, 3, 4, 5]


def test_other_pretrained_weights_begin_anew(halfway: Path, tmp_path_factory: Any) -> None:
    other = make_bert(tmp_path_factory.mktemp("other") / "bert", seed=5)
    assert epochs_of(other, halfway) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("state", [None, "{"], ids=["missing", "cut-short"])
def test_a_checkpoint_that_is_not_whole_is_left_out(
    bert: Path, halfway: Path, state: str | None
) -> None:
    last = max(halfway.rglob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    (last / "trainer_state.json").unlink()
    if state is not None:
        (last / "trainer_state.json").write_text(state)
    told = epochs_of(bert, halfway)
    assert told in ([2, 3, 4, 5], [1, 2, 3, 4, 5])  # whether the first is still kept
    assert json.loads((halfway / "member-0" / "fit.json").read_text())["epochs"]


@pytest.mark.parametrize("spoil", ["deleted", "cut-short", "swapped"])
def test_finished_weights_that_were_changed_are_fitted_anew(
    bert: Path, tmp_path: Path, spoil: str
) -> None:
    frame, labels = rows(48)
    first = estimator(bert, tmp_path).fit(frame, labels)
    weights = tmp_path / "member-0" / "finished.safetensors"
    body = weights.read_bytes()
    weights.unlink()
    if spoil != "deleted":
        last = bytes([body[-1] ^ 1])
        weights.write_bytes(body[:-9] if spoil == "cut-short" else body[:-1] + last)
    told: list[int] = []
    again = estimator(bert, tmp_path).fit(
        frame, labels, told=lambda epoch: told.append(epoch.epoch)
    )
    assert told == [1, 2, 3, 4, 5]
    assert weights.read_bytes() == body
    np.testing.assert_array_equal(first.predict_proba(frame)[0], again.predict_proba(frame)[0])
