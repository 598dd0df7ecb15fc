"""A night is killed in an epoch of a transformer: the next goes on from there."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="the extra `transformer` is not installed")

from tests.learning.neural.tiny import BAD, GOOD, PLAIN, make_bert

PROGRAM = str(Path(sys.executable).with_name("nightshift"))
EPOCHS = 12
PLAN = {
    "name": "slow",
    "dataset": {"source": "people", "key": "id", "columns": {"said": "text"}},
    "label": {"column": "mood", "classes": ["bad", "good", "plain"]},
    "families": [
        {
            "classifier": {
                "kind": "transformer",
                "encoder": {"model": "./encoder"},
                "max_tokens": 16,
                "training": {"learning_rate": 5e-3, "epochs": EPOCHS, "batch_size": 4},
                "first": [],
            }
        }
    ],
    "search": {"method": "none", "budget_minutes": 6, "workers": 1, "folds": 2},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    lines = []
    for i in range(180):
        mood = ("bad", "good", "plain")[i % 3]
        words = [*draw.choice(PLAIN, 5), *draw.choice((BAD, GOOD, PLAIN)[i % 3], 2)]
        lines.append(json.dumps({"id": f"{i}", "said": " ".join(words), "mood": mood}))
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "one.jsonl").write_text("\n".join(lines) + "\n")
    make_bert(tmp_path / "encoder")
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(PLAN))
    return tmp_path


@pytest.mark.timeout(600)  # two nights and a network, on a machine that may be busy
def test_a_night_that_was_killed_in_an_epoch_is_gone_on_with_and_then_swept(folder: Path) -> None:
    environ = os.environ | {"NIGHTSHIFT_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    command = [PROGRAM, "train", "slow.yaml"]
    with (folder / "first.log").open("w") as log:
        first = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        _until(lambda: any(len(numbers) >= 2 for numbers in _told(folder).values()), 200)
        assert first.poll() is None, (folder / "first.log").read_text()
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    time.sleep(5)  # its workers are gone by then
    (before,) = _told(folder).items()
    assert before[1][-1] < EPOCHS
    assert list(folder.glob("home/studies/slow/*/oof/*.checkpoints"))

    second = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=400, check=False
    )
    assert second.returncode == 0, second.stdout + second.stderr
    after = _told(folder)[before[0]][len(before[1]) :]
    assert after[0] in (before[1][-1], before[1][-1] + 1)  # whether the last was kept already
    assert after[-1] == EPOCHS
    assert "transformer trial 1, fold 0, epoch " in second.stdout  # 0 ended with the kill
    assert not list(folder.glob("home/studies/slow/*/*/*.checkpoints"))


def _told(folder: Path) -> dict[str, list[int]]:
    """Of each fold that has told something, its epochs in order."""
    return {
        path.name: [json.loads(line)["epoch"] for line in path.read_text().split()]
        for path in folder.glob("home/studies/slow/*/oof/*.epochs")
    }


def _until(true, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)
