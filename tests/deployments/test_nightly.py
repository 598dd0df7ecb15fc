import os
import signal
import subprocess
import urllib.error
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from nightshift.provision import read_automations
from nightshift.up import PROJECT, deployment_file
from tests.deployments.served import PREFECT, Served, eventually

AUTOMATIONS = PROJECT / "deployments" / "automations.yaml"


def deployments() -> list[dict[str, Any]]:
    told: dict[str, list[dict[str, Any]]] = yaml.safe_load(deployment_file().read_text())
    return told["deployments"]


def test_nights_are_at_two_and_arrivals_are_looked_for_every_five_minutes() -> None:
    told = {d["name"]: d["schedules"] for d in deployments()}
    assert [schedule["cron"] for schedule in told["nightly"]] == ["0 2 * * *"]
    assert [schedule["cron"] for schedule in told["on-arrival"]] == ["*/5 * * * *"]
    assert all(s["active"] and s["timezone"] == "UTC" for kind in told.values() for s in kind)


@pytest.mark.parametrize("told", deployments(), ids=lambda told: told["name"])
def test_every_deployment_names_a_flow_and_parameters_that_it_has(told: dict[str, Any]) -> None:
    flow = load_flow_from_entrypoint(told["entrypoint"])
    assert ":" not in told["entrypoint"]
    assert flow.validate_parameters(told["parameters"]) == told["parameters"]


def test_a_lost_run_is_found_within_two_minutes_of_its_last_heartbeat() -> None:
    (automation,) = read_automations(AUTOMATIONS)
    assert timedelta(seconds=60) < automation.trigger.within < timedelta(seconds=110)


def test_the_example_of_a_notification_runs_a_deployment_and_is_not_deployed() -> None:
    (automation,) = read_automations(AUTOMATIONS.parent / "examples" / "on_notification.yaml")
    (action,) = automation.actions
    assert (action.type, action.parameters) == ("run-deployment", {"settle_s": 10})
    look = load_flow_from_entrypoint("flows.arrival.train_on_arrival")
    assert look.validate_parameters(action.parameters)["settle_s"] == action.parameters["settle_s"]
    assert automation.name not in {known.name for known in read_automations(AUTOMATIONS)}


@pytest.mark.server
def test_the_schedule_yields_a_scheduled_run(served: Served) -> None:
    deployment = served.ask("/deployments/name/train/nightly")
    body = {"deployments": {"id": {"any_": [deployment["id"]]}}, "limit": 50}
    runs = eventually(lambda: served.ask("/flow_runs/filter", body), 90)
    first = min(runs, key=lambda run: str(run["expected_start_time"]))
    assert first["state_type"] == "SCHEDULED"
    assert first["auto_scheduled"]
    at = datetime.fromisoformat(first["expected_start_time"])
    assert (at.hour, at.minute, at.utcoffset()) == (2, 0, timedelta(0))
    assert at - datetime.now(UTC) < timedelta(days=1)


@pytest.mark.server
@pytest.mark.parametrize(("name", "limit"), [("nightly", 1), ("on-arrival", 2)])
def test_an_overlapping_run_is_cancelled_and_parameters_are_checked(
    served: Served, name: str, limit: int
) -> None:
    deployment = served.ask(f"/deployments/name/train/{name}")
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert deployment["global_concurrency_limit"]["limit"] == limit
    assert deployment["enforce_parameter_schema"]
    with pytest.raises(urllib.error.HTTPError, match="409"):
        served.ask(
            f"/deployments/{deployment['id']}/create_flow_run",
            {"parameters": {"budget_minutes": "perhaps"}},
        )


@pytest.mark.server
def test_another_site_can_not_start_runs(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        served.ask("/flow_runs/filter", {}, token=False)


@pytest.mark.server
def test_nothing_listens_beyond_loopback(served: Served) -> None:
    listening = (
        subprocess.run(
            ["ss", "-ltnH"], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        if Path("/usr/bin/ss").exists()
        else []
    )
    ports = {served.api_url.rsplit(":", 1)[1].split("/")[0]}
    ports |= {line.rsplit(":", 1)[1] for line in served.said if line.startswith("MLflow")}
    for line in listening:
        address, _, port = line.split()[3].rpartition(":")
        assert port not in ports or address == "127.0.0.1", line


@pytest.mark.server
def test_a_second_household_in_the_same_home_is_refused(served: Served) -> None:
    again = subprocess.run(
        [str(Path(PREFECT).parent / "nightshift"), "up"],
        env=os.environ | {"NIGHTSHIFT_HOME": str(served.home)},
        cwd=served.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert again.returncode == 2
    assert "runs in" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.server
def test_a_dead_worker_is_replaced_and_its_run_does_not_block_the_next(
    served: Served, tmp_path: Path
) -> None:
    deployment = served.deploy_sleeper("replaced", "nightshift")
    lost = served.start_run(deployment, 300, tmp_path / "lost")
    eventually((tmp_path / "lost").exists, 60)
    run = int((tmp_path / "lost").read_text())
    worker = int(Path(f"/proc/{run}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{run}").exists(), 10)
    eventually(lambda: served.state(lost) == "Crashed", 30)
    after = served.start_run(deployment, 0, tmp_path / "after")
    eventually(lambda: served.state(after) == "Completed", 60)


@pytest.mark.server
@pytest.mark.timeout(240)
def test_a_killed_runs_slot_is_free_within_two_minutes(served: Served, tmp_path: Path) -> None:
    """By missing heartbeats alone: nobody is left to report that the run is dead."""
    served.ask("/work_pools/", {"name": "doomed", "type": "process"})
    deployment = served.deploy_sleeper("doomed", "doomed")
    with _Worker(served, "doomed") as first:
        lost = served.start_run(deployment, 300, tmp_path / "lost")
        eventually((tmp_path / "lost").exists, 60)
        eventually(lambda: served.heartbeats(lost), 60)
        os.killpg(first.pid, signal.SIGKILL)
        os.kill(int((tmp_path / "lost").read_text()), signal.SIGKILL)
    killed_at = datetime.now(UTC)
    with _Worker(served, "doomed"):
        eventually(lambda: served.state(lost) == "Crashed", 120)
        assert datetime.now(UTC) - killed_at < timedelta(minutes=2)
        after = served.start_run(deployment, 0, tmp_path / "after")
        eventually(lambda: served.state(after) in ("Completed", "Cancelled"), 60)
    assert served.state(after) == "Completed"


class _Worker:
    """A worker outside of `nightshift up`, whose whole process group a test may kill."""

    def __init__(self, served: Served, pool: str) -> None:
        self.process = subprocess.Popen(
            [PREFECT, "worker", "start", "--pool", pool, "--type", "process"],
            env=served.environ
            | {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30", "PREFECT_WORKER_QUERY_SECONDS": "2"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self.process

    def __exit__(self, *_fault: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
