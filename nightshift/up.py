"""Everything a household needs on one machine: server, worker, deployments, MLflow's pages.

All of it listens on loopback only, keeps its data in Nightshift's home, and ends with this
process, however that ends.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from nightshift.embedded import (
    address_file,
    await_answer,
    check_space,
    environ_for,
    free_port,
    running_server,
    server_command,
)
from nightshift.leash import Leash
from schemas.faults import NightFailed, PlanError
from tasks.home import Home

PROJECT = Path(__file__).absolute().parent.parent
PREFECT_PORT = 4200
MLFLOW_PORT = 5000
QUICKSTART = "drops/quickstart"  # where the shipped plan looks, below the current folder
MLFLOW_VARIABLE = "NIGHTSHIFT_MLFLOW_UI"  # where a run's page links to
WORKER = "worker"
_START_S = 180.0
_DEATHS, _DEATHS_WITHIN_S = 3, 60.0  # a worker that dies so often will die again
_LOOK_S = 0.3
_WORKER_LOOKS_S = 5
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Services:
    """What is up: the processes by name, and where people and programs find them."""

    processes: dict[str, Leash]
    api_url: str
    mlflow_url: str


def up(
    home: Home,
    say: Callable[[str], None],
    prefect_port: int | None = None,
    mlflow_port: int | None = None,
) -> None:
    """Run until Ctrl-C; `NightFailed` where a service does not start or ends by itself.

    A port that was asked for must be free; without one the usual port is taken, or any free one.
    """
    if running := running_server(home):
        raise PlanError(f"`nightshift up` runs in {home.root} already, at {running}. Use that one.")
    with (
        contextlib.suppress(KeyboardInterrupt),
        _stoppable(),
        services(home, say, prefect_port, mlflow_port) as started,
    ):
        from nightshift.bulletin import bulletin

        _tell(started, say)
        with bulletin(home, started.api_url, say):
            _watch(home, started, say)


@contextlib.contextmanager
def services(
    home: Home,
    say: Callable[[str], None],
    prefect_port: int | None = None,
    mlflow_port: int | None = None,
) -> Iterator[Services]:
    """All services, answering, deployed to and with a worker polling; gone at the end."""
    home.make()
    check_space(home)
    environ_for(home, os.environ)
    os.environ["NIGHTSHIFT_HOME"] = home.named
    say(f"starting in {home.root} (logs in {home.logs})")
    with contextlib.ExitStack() as stack:
        processes: dict[str, Leash] = {}
        stack.callback(_stop_all, processes)
        port = _port(prefect_port, PREFECT_PORT)
        api_url = os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        processes["Prefect server"] = _server(home, port)
        mlflow_url = _start_mlflow(home, _port(mlflow_port, MLFLOW_PORT), processes)
        os.environ[MLFLOW_VARIABLE] = mlflow_url
        _deal_first_drop(say)
        _await(api_url, processes["Prefect server"], "Prefect server")
        _deploy(home, say)
        processes[WORKER] = _worker(home)
        if "MLflow" in processes:
            _await(mlflow_url, processes["MLflow"], "MLflow")
        stack.enter_context(_announced(home, api_url))
        yield Services(processes, api_url, mlflow_url)


def _deal_first_drop(say: Callable[[str], None]) -> None:
    """So that the only plan enabled as shipped has rows to train on in this folder."""
    from deployments.quickstart import deal

    if dealt := deal(Path(QUICKSTART), limit=1):
        say(f"dealt {dealt}, the first rows of the quickstart plan")


def _server(home: Home, port: int) -> Leash:
    origin = f"http://127.0.0.1:{port}"
    environ = os.environ | {
        "PREFECT_UI_ENABLED": "true",
        "PREFECT_UI_API_URL": f"{origin}/api",
        "PREFECT__SERVER_FINAL": "1",
        # Any page in the user's browser can reach loopback; deployments are code that we run.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{origin},http://localhost:{port}",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    }
    return Leash(server_command(port), environ, home.logs / "prefect-server.log")


def _worker(home: Home) -> Leash:
    from nightshift.provision import POOL

    environ = os.environ | {"PREFECT_WORKER_QUERY_SECONDS": str(_WORKER_LOOKS_S)}
    command = ["worker", "start", "--pool", POOL, "--type", "process", "--name", "nightshift"]
    return Leash(_prefect(*command), environ, home.logs / "worker.log")


def _start_mlflow(home: Home, port: int, processes: dict[str, Leash]) -> str:
    """The pages of the home's own runs; a tracking server elsewhere has its own."""
    if home.mlflow_uri.startswith(("http://", "https://")):
        return home.mlflow_uri
    options = {
        "--backend-store-uri": home.mlflow_uri,
        "--default-artifact-root": str(home.mlflow_artifacts),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--no-serve-artifacts"]
    command += [word for option in options.items() for word in option]
    environ = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    processes["MLflow"] = Leash(command, environ, home.logs / "mlflow.log")
    return f"http://127.0.0.1:{port}"


def _deploy(home: Home, say: Callable[[str], None]) -> None:
    from nightshift.provision import provision

    lost = asyncio.run(provision(PROJECT / "deployments" / "automations.yaml"))
    if lost:
        say(f"ended {lost} runs that an earlier stop had cut off")
    command = _prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(deployment_file()))
    # The shell's $PWD may be another folder than ours; prefect.yaml reads it.
    environ = os.environ | {"PWD": str(Path.cwd())}
    log = home.logs / "deploy.log"
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, env=environ, stdout=output, stderr=output, timeout=_START_S, check=False
        )
    if done.returncode:
        raise NightFailed(
            f"Expected prefect.yaml to deploy, got exit code {done.returncode}. Read {log}."
        )


def deployment_file() -> Path:
    """The project's own `prefect.yaml`."""
    path = PROJECT / "prefect.yaml"
    if not path.exists():
        raise PlanError(f"Expected {path}, got no such file. Run from a checkout of the project.")
    return path


def _prefect(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "prefect", *arguments]


def _port(asked: int | None, usual: int) -> int:
    port = free_port(asked or usual)
    if asked and port != asked:
        raise PlanError(f"Port {asked} of 127.0.0.1 is taken. Name another, or none for any.")
    return port


def _await(url: str, process: Leash, name: str) -> None:
    if not await_answer(url, process, _START_S):
        raise NightFailed(
            f"{name} ended with exit code {process.code()} while starting. Read {process.log}."
        )


@contextlib.contextmanager
def _announced(home: Home, api_url: str) -> Iterator[None]:
    """While it lasts, `nightshift train` in the same home uses this server, not one of its own."""
    place = address_file(home)
    place.write_text(json.dumps({"api_url": api_url, "pid": os.getpid()}), encoding="utf-8")
    try:
        yield
    finally:
        place.unlink(missing_ok=True)


def _tell(started: Services, say: Callable[[str], None]) -> None:
    say(f"Prefect  {started.api_url.removesuffix('/api')}")
    say(f"MLflow   {started.mlflow_url}")
    say("In a second terminal:")
    say(f"  export PREFECT_API_URL={started.api_url}")
    say(f"  export MLFLOW_TRACKING_URI={started.mlflow_url}")
    say(f"  {Path(sys.executable).parent / 'prefect'} deployment run train/nightly")
    say("Objects that arrive are looked for every five minutes (train/on-arrival).")
    say("Ctrl-C stops all of it.")


def _watch(home: Home, started: Services, say: Callable[[str], None]) -> NoReturn:
    """A dead worker is replaced, for the nights to come; without a server nothing makes sense."""
    deaths: deque[float] = deque(maxlen=_DEATHS)
    while True:
        for name, process in started.processes.items():
            if process.code() is None:
                continue
            told = f"{name} ended by itself with exit code {process.code()}"
            deaths.append(time.monotonic())
            if name != WORKER or _too_often(deaths):
                raise NightFailed(f"{told}. Read {process.log}.")
            say(f"{told}; starting another")
            asyncio.run(_end_lost())
            started.processes[WORKER] = _worker(home)
        time.sleep(_LOOK_S)


def _too_often(deaths: Sequence[float]) -> bool:
    return len(deaths) == _DEATHS and deaths[-1] - deaths[0] < _DEATHS_WITHIN_S


async def _end_lost() -> None:
    from nightshift.provision import end_lost_runs

    await end_lost_runs()


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """The signals that mean "stop", in force until the first of them."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:  # one is enough: a second would cut the stopping short
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, stop)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _stop_all(processes: dict[str, Leash]) -> None:
    """The worker first, so that its run can still tell the server that it ended."""
    for name in (WORKER, *processes):
        if name in processes:
            processes[name].stop()
