"""A running `nightshift up`, as its user and as plain HTTP see it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).parent / "nightshift")
PREFECT = str(Path(sys.executable).parent / "prefect")
SLEEPER = """
import os, sys, time
from pathlib import Path
from prefect import flow

@flow(name="sleeper")
def sleeper(seconds: float, told: str) -> None:
    Path(told).write_text(str(os.getpid()))
    time.sleep(seconds)
"""


@dataclass
class Served:
    """A running `nightshift up`, and its API as plain HTTP."""

    process: "subprocess.Popen[str]"
    folder: Path
    home: Path
    said: list[str] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        line = next(line for line in self.said if "export PREFECT_API_URL=" in line)
        return line.partition("=")[2]

    @property
    def environ(self) -> dict[str, str]:
        """A second terminal: its own Prefect home, and the line that `up` said to paste."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
        terminal = {"PREFECT_API_URL": self.api_url, "PREFECT_HOME": str(self.folder / "terminal")}
        return own | terminal

    def ask(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        token: bool = True,
        method: str | None = None,
    ) -> Any:
        """GET, or POST where there is a body, with the token that guards against other sites."""
        headers = {"Content-Type": "application/json"}
        if body is not None and token:
            known = self.ask("/csrf-token?client=tests")["token"]
            headers |= {"Prefect-Csrf-Token": known, "Prefect-Csrf-Client": "tests"}
        request = urllib.request.Request(  # noqa: S310 - always http://127.0.0.1
            self.api_url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            method=method or ("GET" if body is None else "POST"),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def stop_clock(self, name: str) -> None:
        """From now on that deployment of `train` runs only when it is told to."""
        deployment = self.ask(f"/deployments/name/train/{name}")
        for schedule in deployment["schedules"]:
            place = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
            self.ask(place, {"active": False}, method="PATCH")

    def deploy_sleeper(self, name: str, pool: str) -> str:
        """A deployment as strict about overlaps as the nightly one; gives its id."""
        script = self.folder / "sleeper.py"
        script.write_text(SLEEPER)
        flow = self.ask("/flows/", {"name": "sleeper"})
        body = {
            "name": name,
            "flow_id": flow["id"],
            "work_pool_name": pool,
            "path": str(self.folder),
            "entrypoint": f"{script}:sleeper",
            "concurrency_limit": 1,
            "concurrency_options": {
                "collision_strategy": "CANCEL_NEW",
                "grace_period_seconds": 60,
            },
        }
        return str(self.ask("/deployments/", body)["id"])

    def start_run(self, deployment: str, seconds: float, told: Path) -> str:
        parameters = {"seconds": seconds, "told": str(told)}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask(f"/deployments/{deployment}/create_flow_run", body)["id"])

    def state(self, run: str) -> str:
        return str(self.ask(f"/flow_runs/{run}")["state_name"])

    def heartbeats(self, run: str) -> int:
        """How many the server has noted: a run killed before the first one is not yet watched."""
        wanted = {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run}"]},
        }
        return int(self.ask("/events/filter", {"filter": wanted})["total"])


def eventually(fact: Callable[[], Any], within_s: float, every_s: float = 0.5) -> Any:
    """The first true value of `fact`; an assertion fails where none comes in time."""
    deadline = time.monotonic() + within_s
    while not (found := fact()):
        assert time.monotonic() < deadline, f"not so within {within_s} s: {fact}"
        time.sleep(every_s)
    return found
