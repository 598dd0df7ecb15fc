"""A night is cut off while it tunes: nothing lives on, nothing is lost, nothing is done twice."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

PROGRAM = str(Path(sys.executable).with_name("nightshift"))
PLAN = {
    "name": "slow",
    "dataset": {"source": "drops", "key": "id", "columns": {f"x{i}": "number" for i in range(20)}},
    "label": {"column": "y", "classes": [0, 1]},
    "imbalance": [{"kind": "class-weights"}],
    "families": [
        {"classifier": {"kind": "logistic-regression", "C": 1.0}},
        {"classifier": {"kind": "lightgbm", "rounds": {"low": 300, "high": 600}}},
    ],
    "search": {"budget_minutes": 5, "trials": 8, "workers": 2},
}


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3000, 20))
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 1.5).astype(int)
    lines = [",".join(["id", *(f"x{i}" for i in range(20)), "y"])]
    lines += [",".join([str(i), *(f"{v:.4f}" for v in x[i]), str(y[i])]) for i in range(3000)]
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops" / "one.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(PLAN))
    return tmp_path


def test_kill_9_while_tuning_leaves_no_process_and_the_next_run_resumes(folder):
    environ = os.environ | {"NIGHTSHIFT_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    command = [PROGRAM, "train", "slow.yaml"]
    with (folder / "first.log").open("w") as log:
        first = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        _until(lambda: _finished(folder) >= 2, 150)
        assert first.poll() is None
        assert len(_living(folder)) >= 4  # the run, its workers, its Prefect server
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    time.sleep(5)
    assert _living(folder) == []

    second = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False
    )
    assert second.returncode == 0, second.stdout + second.stderr
    assert "killed" in second.stdout
    told = subprocess.run(
        [PROGRAM, "nights", "--json"], cwd=folder, env=environ, capture_output=True, check=True
    )
    nights = json.loads(told.stdout)
    assert [night["outcome"] for night in nights] == ["failed", "promoted"]
    assert nights[0]["note"] == "killed"
    record = folder / "home/state/models/slow" / nights[1]["run_id"] / "night.json"
    studies = {s["family"]: s for s in json.loads(record.read_text())["studies"]}
    trials = studies["lightgbm"]["trials"]
    assert studies["lightgbm"]["resumed"] >= 2
    assert len(trials) == 8
    finished = Counter(
        json.dumps(trial["params"], sort_keys=True)
        for trial in trials
        if trial["score"] is not None
    )
    assert max(finished.values()) == 1
    assert sorted(trial["number"] for trial in trials if trial["score"] is not None)[:2] == [0, 1]


@pytest.mark.parametrize(
    ("number", "note"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_ctrl_c_and_sigterm_while_tuning_end_all_within_seconds_and_say_so_in_one_line(
    folder, number, note
):
    environ = os.environ | {"NIGHTSHIFT_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        night = subprocess.Popen(
            [PROGRAM, "train", "slow.yaml"],
            cwd=folder,
            env=environ,
            stdout=out,
            stderr=err,
            start_new_session=True,  # a group of its own, as a shell gives what it starts
        )
    try:
        _until(lambda: list(folder.glob("home/studies/slow/*/lightgbm.db")), 150)
        os.killpg(night.pid, number)
        assert night.wait(12) == 128 + number
    finally:
        night.kill()
        night.wait()
    assert (folder / "err").read_text() == "nightshift: interrupted; the next run resumes\n"
    _until(lambda: _living(folder) == [], 5)
    told = subprocess.run(
        [PROGRAM, "nights", "--json"], cwd=folder, env=environ, capture_output=True, check=True
    )
    (record,) = json.loads(told.stdout)
    assert (record["outcome"], record["note"]) == ("failed", note)
    assert "Traceback" not in (folder / "out").read_text()


def _finished(folder: Path) -> int:
    """Trials that the boosted family's study holds as complete."""
    for study in folder.glob("home/studies/slow/*/lightgbm.db"):
        with (
            contextlib.suppress(sqlite3.OperationalError),  # not created yet, or busy
            contextlib.closing(sqlite3.connect(f"file:{study}?mode=ro", uri=True)) as kept,
        ):
            count = kept.execute("select count(*) from trials where state = 'COMPLETE'")
            return int(count.fetchone()[0])
    return 0


def _until(true, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.1)


def _living(folder: Path) -> list[int]:
    """Processes whose environment names this folder's home."""
    mark = f"NIGHTSHIFT_HOME={folder}/home".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes() and _runs(place):
                found.append(int(place.name))
        except OSError:
            continue  # it ended while we looked, or is another user's
    return found


def _runs(place: Path) -> bool:
    return (place / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
