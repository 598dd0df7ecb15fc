"""The Makefile's promises, as far as they can be kept without installing anything."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def make(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "-C", str(ROOT), *words],
        capture_output=True,
        text=True,
        check=False,
        env=clean | environ,
    )


def test_help_lists_every_target():
    told = make("help").stdout
    targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text()).group(1).split()
    assert {"train", "drop", "test", "check", "up", "bench", "transformer", "help"} == set(targets)
    assert all(f"make {target} " in told for target in targets)


@pytest.mark.parametrize("jobs", ["-j1", "-j8"])
def test_drop_comes_before_train_also_in_parallel(jobs):
    told = make("-n", jobs, "drop", "train").stdout
    assert told.index("quickstart next") < told.index("quickstart first")
    assert told.index("quickstart first") < told.index("nightshift train quickstart")


def test_the_scripts_that_people_and_ci_call_are_executable():
    for script in ("run", "environment"):
        assert os.access(ROOT / ".ci" / script, os.X_OK)


def test_an_old_python_is_told_what_is_expected(tmp_path):
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "environment"
    script.write_bytes((ROOT / ".ci" / "environment").read_bytes())
    script.chmod(0o755)
    tools = tmp_path / "bin"
    tools.mkdir()
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit\nexit 1\n')
    old.chmod(0o755)
    told = subprocess.run(
        ["/bin/sh", ".ci/environment", "1"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0
    assert "Expected Python 3.11 to 3.14 on PATH, got Python 3.9.2." in told.stderr
    assert not (tmp_path / ".venv").exists()
