"""The nightly workflow's promises, as far as they can be kept without GitHub."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / ".github" / "workflows" / "nightly.yml"


def workflow() -> dict[Any, Any]:
    told: dict[Any, Any] = yaml.safe_load(FILE.read_text())
    return told


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workflow()["jobs"]["train"]["steps"]
    return found


def scripts() -> dict[str, str]:
    return {step["name"]: step["run"] for step in steps() if "run" in step}


def test_it_runs_at_two_in_utc_and_by_hand():
    when = workflow()[True]  # YAML 1.1 reads `on` so
    assert when["schedule"] == [{"cron": "0 2 * * *"}]
    assert set(when["workflow_dispatch"]["inputs"]) == {"plan", "force", "budget_minutes"}


def test_actions_are_those_of_github_and_google_by_major_version():
    used = [step["uses"] for step in steps() if "uses" in step]
    allowed = re.compile(r"(actions/[a-z/-]+|google-github-actions/auth)@v\d+")
    assert used
    assert [use for use in used if not allowed.fullmatch(use)] == []


def test_it_holds_no_secret_and_may_write_nothing():
    assert workflow()["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in FILE.read_text()
    assert not re.search(r"(?i)(password|private_key|credentials_json)\s*[:=]", FILE.read_text())


def test_what_people_type_into_the_form_is_never_part_of_a_script():
    assert not [name for name, script in scripts().items() if "${{" in script]


@pytest.mark.parametrize("script", scripts().values(), ids=scripts())
def test_every_script_is_one_that_bash_can_read(script):
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_targets_and_modules_that_it_names_exist():
    told = subprocess.run(
        ["make", "-n", "-C", str(ROOT), *scripts()["Set up"].split()[1:]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    module = scripts()["Deal the first rows of the quickstart plan"].split()[2]
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def night(folder: Path, code: int, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step's own script, with a program that tells what it was asked for."""
    program = folder / ".venv" / "bin" / "nightshift"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\nprintf "<%s>" "$@"\necho\necho "::error::100 % not ours"\nexit {code}\n'
    )
    program.chmod(0o755)
    empty = {"PLAN": "", "FORCE": "", "BUDGET_MINUTES": ""}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", scripts()["Night"]],
        cwd=folder,
        env=os.environ | empty | {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")} | inputs,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({}, "<train>"),
        ({"FORCE": "false"}, "<train>"),
        (
            {"PLAN": "a; b", "FORCE": "true", "BUDGET_MINUTES": "2.5"},
            "<train><--force><--budget-minutes><2.5><--><a; b>",
        ),
    ],
    ids=["by the clock", "by hand", "all inputs"],
)
def test_the_night_is_asked_for_what_the_form_says(tmp_path, inputs, asked):
    done = night(tmp_path, 0, **inputs)
    assert done.returncode == 0, done.stderr
    assert asked in (tmp_path / "told" / "night.txt").read_text()
    assert f"    {asked}" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("code", "told"), [(2, "Bad plan"), (3, "Data rejected"), (4, "A night failed")]
)
def test_a_night_that_went_wrong_fails_the_job_and_says_how(tmp_path, code, told):
    done = night(tmp_path, code)
    assert done.returncode == code
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"::error title={told}")
    assert last.endswith("<train>%0A::error::100 %25 not ours")


def test_no_line_that_a_night_prints_is_a_command_to_github(tmp_path):
    lines = night(tmp_path, 0).stdout.splitlines()
    (stop,) = (place for place, line in enumerate(lines) if line.startswith("::stop-commands::"))
    go = lines.index(f"::{lines[stop].removeprefix('::stop-commands::')}::")
    assert stop < next(place for place, line in enumerate(lines) if "not ours" in line) < go
