"""Nights by deployment, as `nightshift up` runs them on the rows that it dealt."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.deployments.served import PREFECT, Served, eventually
from tests.deployments.test_browser import browse, needs_chromium

QUICKSTART = ("-p", "budget_minutes=0.5", "-p", 'plans=["quickstart"]')


def run(served: Served, deployment: str, *parameters: str) -> dict[str, Any]:
    """The sentence that users type; gives the run as the server then knows it."""
    done = subprocess.run(
        [PREFECT, "deployment", "run", f"train/{deployment}", "--watch", *QUICKSTART, *parameters],
        env=served.environ, cwd=served.folder, capture_output=True, text=True,
        timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    named = re.search(r"UUID: ([0-9a-f-]{36})", done.stdout)
    assert named, done.stdout
    return dict(served.ask(f"/flow_runs/{named[1]}"))


def ledger(served: Served) -> list[dict[str, Any]]:
    paths = sorted((served.home / "state" / "ledger").rglob("*.json"))
    return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="module")
def looked(served: Served) -> list[dict[str, Any]]:
    """Two looks at the first drop, and the nightly run after them."""
    twice = [run(served, "on-arrival", "-p", "settle_s=1") for _ in range(2)]
    return [*twice, run(served, "nightly")]


@pytest.mark.server
@pytest.mark.timeout(600)
def test_a_drop_is_trained_on_by_the_look_that_finds_it_and_by_nobody_again(
    served: Served, looked: list[dict[str, Any]]
) -> None:
    first, second, nightly = looked
    assert first["state_type"] == "COMPLETED"
    assert second["state_name"] == nightly["state_name"] == "Skipped"
    told = [(record["plan"], record["outcome"] == "skipped") for record in ledger(served)]
    assert told == [("quickstart", False), ("quickstart", True)]  # the second look left none


@pytest.mark.server
@pytest.mark.timeout(600)
def test_a_look_that_found_nothing_has_no_runs_or_tasks_below_it(
    served: Served, looked: list[dict[str, Any]]
) -> None:
    below = {"flow_runs": {"parent_flow_run_id": {"any_": [looked[1]["id"]]}}}
    assert served.ask("/flow_runs/filter", below) == []
    assert served.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [looked[1]["id"]]}}}) == []


@pytest.mark.server
@pytest.mark.timeout(600)
def test_the_terminal_tells_of_each_night_as_it_begins_and_as_it_ends(
    served: Served, looked: list[dict[str, Any]]
) -> None:
    def lines() -> list[str]:
        return [line for line in served.said if "  night       quickstart " in line]

    eventually(lambda: len(lines()) == 4, 20)
    begins, ends, again, skipped = lines()
    pages = served.api_url.removesuffix("/api")
    assert f" quickstart begins: {pages}/runs/flow-run/" in begins
    outcome = ledger(served)[0]["outcome"]
    assert f" quickstart ends: {outcome}, " in ends
    assert "see `nightshift nights quickstart` and http://127.0.0.1:" in ends
    assert " begins: " in again
    assert " quickstart ends: skipped, Skipped; " in skipped


@needs_chromium
@pytest.mark.browser
@pytest.mark.server
@pytest.mark.timeout(600)
def test_the_page_of_a_skipped_run_shows_why(
    served: Served, looked: list[dict[str, Any]], tmp_path: Any
) -> None:
    page = f"{served.api_url.removesuffix('/api')}/runs/flow-run/{looked[1]['id']}"
    seen = browse(tmp_path / "profile", "--dump-dom", page)
    assert "Skipped" in seen
    assert "no new data" in seen
