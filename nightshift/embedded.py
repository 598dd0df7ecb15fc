"""A Prefect API for one command: private, quiet, on loopback, gone when the command is gone.

The user's own Prefect profile, home, database and Cloud account are never read or written: every
`PREFECT_*` variable is put aside and Prefect's home lies inside Nightshift's. Prefect reads its
settings once, at import, so nothing may import it before `embedded_server` is entered.
"""

import contextlib
import fcntl
import http.client
import importlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from nightshift.leash import Leash
from schemas.faults import NightFailed
from tasks.home import Home

SERVER_VARIABLE = "NIGHTSHIFT_PREFECT_API_URL"
HEARTBEAT_S = 30  # a killed run is found by its silence; Prefect accepts no less than 30
NEEDS_BYTES = 200_000_000  # databases, models and logs of a first night, with room to spare
_ATTEMPTS = 3
_LOOK_S = 0.05


@contextlib.contextmanager
def embedded_server(
    home: Home,
    server: str | None = None,
    preload: Sequence[str] = (),
    environ: MutableMapping[str, str] = os.environ,
    timeout_s: float = 120.0,
) -> Iterator[str]:
    """The URL of an API that answers; `preload` names modules to import while it starts.

    Order: the given `server` (or `NIGHTSHIFT_PREFECT_API_URL`), where the user's own Prefect
    settings stay in force because it is the user's server; the one that `nightshift up` runs in
    this home; else a server process that lives as long as this context.
    """
    if "prefect" in sys.modules:
        raise RuntimeError("prefect was imported before its server was chosen; import it inside")
    named = server or environ.get(SERVER_VARIABLE)
    before = dict(environ)
    try:
        if named:
            environ["PREFECT_API_URL"] = named.rstrip("/")
            _import(preload)
            yield environ["PREFECT_API_URL"]
            return
        home.make()
        running = running_server(home)
        environ_for(home, environ)
        if running:
            environ["PREFECT_API_URL"] = running
            _import(preload)
            yield running
            return
        check_space(home)
        with _own_server(home, preload, environ, timeout_s) as url:
            yield url
    finally:
        environ.clear()
        environ.update(before)


def environ_for(home: Home, environ: MutableMapping[str, str]) -> None:
    """Make this a place where Prefect knows only our home: nobody's profile, key or server."""
    for name in [name for name in environ if name.startswith("PREFECT_")]:
        del environ[name]
    told = [environ.get(name, "") for name in ("NO_PROXY", "no_proxy")]
    # Each once: a process that makes a place after a place would else double them each time.
    hosts = ",".join(
        dict.fromkeys(filter(None, ",".join([*told, "127.0.0.1,localhost"]).split(",")))
    )
    environ.update(
        {
            "PREFECT_HOME": str(home.prefect),
            "PREFECT_PROFILES_PATH": str(home.prefect / "profiles.toml"),
            "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "NO_PROXY": hosts,
            "no_proxy": hosts,
        }
    )


def check_space(
    home: Home, free: Callable[[Path], int] = lambda place: shutil.disk_usage(place).free
) -> None:
    """Refuse a home that is about full, where a database would fail with words of its own.

    Raises
    ------
    NightFailed
        Fewer than `NEEDS_BYTES` are free in it.
    """
    found = free(home.root)
    if found < NEEDS_BYTES:
        raise NightFailed(
            f"Expected at least {NEEDS_BYTES // 1_000_000} MB free in {home.root}, got "
            f"{found / 1e6:.1f} MB. Free some, or set NIGHTSHIFT_HOME to a folder elsewhere."
        )


def address_file(home: Home) -> Path:
    """Where `nightshift up` says which API it serves."""
    return home.prefect / "server.json"


def running_server(home: Home) -> str | None:
    """The API URL of the server that `nightshift up` runs in this home, if it answers."""
    try:
        url = json.loads(address_file(home).read_text())["api_url"]
    except (OSError, ValueError, KeyError):  # a home that is none is told by whoever makes it
        return None
    return url if answers(url) else None


def answers(api_url: str, timeout_s: float = 2.0) -> bool:
    """Whether a healthy Prefect API is there. Loopback only: no proxy is asked."""
    place = urlsplit(api_url)
    connection = http.client.HTTPConnection(
        place.hostname or "127.0.0.1", place.port or 80, timeout=timeout_s
    )
    try:
        connection.request("GET", f"{place.path}/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def server_command(port: int) -> list[str]:
    """Prefect's API as a plain uvicorn process: `prefect server start` pays a CLI on top."""
    return [
        *(sys.executable, "-P", "-m", "uvicorn", "--factory"),
        *("prefect.server.api.server:create_app", "--host", "127.0.0.1", "--port", str(port)),
        *("--lifespan", "on", "--log-level", "warning", "--no-access-log"),
        *("--timeout-graceful-shutdown", "2"),
    ]


def await_answer(api_url: str, server: Leash, timeout_s: float) -> bool:
    """True once the API answers; False if its process ended first (its port may be taken)."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if answers(api_url):
            return True
        if server.code() is not None:
            return False
        time.sleep(_LOOK_S)
    raise NightFailed(
        f"Expected Prefect's server to answer at {api_url} within {timeout_s:.0f} s, got silence. "
        f"Read {server.log} and start again."
    )


def free_port(preferred: int | None = None) -> int:
    """The preferred loopback port where it is free, else any free one."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise NightFailed("Expected a free loopback port, got none. Close some programs and try again.")


@contextlib.contextmanager
def _own_server(
    home: Home, preload: Sequence[str], environ: MutableMapping[str, str], timeout_s: float
) -> Iterator[str]:
    with contextlib.ExitStack() as running:
        # Two first starts in one home would race through the same database migration.
        with (home.prefect / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            url = _start(home, preload, environ, timeout_s, running)
        yield url
        _drain()


def _start(
    home: Home,
    preload: Sequence[str],
    environ: MutableMapping[str, str],
    timeout_s: float,
    running: contextlib.ExitStack,
) -> str:
    for _ in range(_ATTEMPTS):
        port = free_port()
        url = environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        log = home.logs / "prefect-server.log"
        server = running.enter_context(Leash(server_command(port), _server_environ(environ), log))
        _import(preload)
        if await_answer(url, server, timeout_s):
            return url
    raise NightFailed(
        f"Expected Prefect's server to start, got exit code {server.code()} "
        f"{_ATTEMPTS} times. Read {log} and start again."
    )


def _server_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """No pages and only the services that a single command needs."""
    return {
        **{name: value for name, value in environ.items() if name != "PREFECT_API_URL"},
        "PREFECT_UI_ENABLED": "false",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _drain() -> None:
    """Send what Prefect still queues; after the server is gone it would complain at exit."""
    if "prefect" not in sys.modules:
        return
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=5)
    EventsWorker.drain_all(timeout=5)
