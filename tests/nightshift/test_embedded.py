import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nightshift.embedded import (
    NEEDS_BYTES,
    address_file,
    answers,
    check_space,
    environ_for,
    free_port,
    running_server,
)
from schemas.faults import NightFailed
from tasks.home import Home, home_from

PROGRAM = """
import json, os, sys, time
from pathlib import Path
from nightshift.embedded import embedded_server
from tasks.home import home_from
before = dict(os.environ)
with embedded_server(home_from(os.environ)) as url:
    from prefect import flow, get_client
    from prefect.settings import get_current_settings
    settings = get_current_settings()
    @flow
    def night() -> int:
        return 42
    answer = night()
    with get_client(sync_client=True) as client:
        runs = [run.state_name for run in client.read_flow_runs()]
    told = {"url": url, "answer": answer, "runs": runs, "home": str(settings.home),
            "key": settings.api.key, "api": settings.api.url}
    Path(sys.argv[1]).write_text(json.dumps(told))
    time.sleep(float(sys.argv[2]))
assert dict(os.environ) == before
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for the module: its database is migrated once."""
    return home_from({"NIGHTSHIFT_HOME": str(tmp_path_factory.mktemp("home"))})


def start(home: Home, told: Path, sleep_s: float) -> "subprocess.Popen[str]":
    environ = os.environ | {
        "NIGHTSHIFT_HOME": str(home.root),
        "PREFECT_API_URL": "https://api.prefect.cloud/api/accounts/nobody",
        "PREFECT_API_KEY": "pnu_canary",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-c", PROGRAM, str(told), str(sleep_s)]
    return subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read(told: Path, within_s: float = 120.0) -> dict[str, object]:
    deadline = time.monotonic() + within_s
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < deadline, f"{told} was never written"
        time.sleep(0.1)
    found: dict[str, object] = json.loads(told.read_text())
    return found


@pytest.mark.server
def test_a_command_has_its_own_server_and_leaves_the_users_prefect_alone(
    home: Home, tmp_path: Path
) -> None:
    running = start(home, tmp_path / "told", 0)
    told = read(tmp_path / "told")
    _, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert told["answer"] == 42
    assert told["runs"] == ["Completed"]
    assert told["home"] == str(home.prefect)
    assert told["key"] is None
    assert told["api"] == told["url"]
    assert "canary" not in err
    assert not answers(str(told["url"]))


@pytest.mark.server
def test_the_server_is_gone_soon_after_its_command_is_killed(home: Home, tmp_path: Path) -> None:
    running = start(home, tmp_path / "told", 60)
    url = str(read(tmp_path / "told")["url"])
    assert answers(url)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(url)


def test_prefect_may_not_be_imported_before_its_server_is_chosen(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['prefect'] = sys\n"
        "from nightshift.embedded import embedded_server\n"
        "from tasks.home import home_from\nwith embedded_server(home_from({})): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "RuntimeError: prefect was imported before its server was chosen" in done.stderr


def test_a_given_server_is_used_as_it_is(tmp_path: Path) -> None:
    program = (
        "import os; from nightshift.embedded import embedded_server\n"
        "from tasks.home import home_from\n"
        "with embedded_server(home_from(os.environ), server='http://there:4200/api/') as url:\n"
        "    print(url, os.environ['PREFECT_API_URL'], os.environ['PREFECT_API_KEY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PREFECT_API_KEY": "mine", "NIGHTSHIFT_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["http://there:4200/api", "http://there:4200/api", "mine"]
    assert not (tmp_path / "home").exists()


def test_the_users_prefect_settings_are_put_aside(tmp_path: Path) -> None:
    environ = {"PREFECT_API_KEY": "pnu_x", "PREFECT_PROFILE": "work", "HOME": "/h", "NO_PROXY": "a"}
    environ_for(home_from({"NIGHTSHIFT_HOME": str(tmp_path)}), environ)
    assert "PREFECT_API_KEY" not in environ
    assert "PREFECT_PROFILE" not in environ
    assert environ["HOME"] == "/h"
    assert environ["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert environ["NO_PROXY"] == environ["no_proxy"] == "a,127.0.0.1,localhost"


def test_a_place_after_a_place_is_no_longer_environment(tmp_path: Path) -> None:
    home = home_from({"NIGHTSHIFT_HOME": str(tmp_path)})
    environ = {"NO_PROXY": "a,b", "no_proxy": "b,c"}
    environ_for(home, environ)
    once = dict(environ)
    environ_for(home, environ)
    assert environ == once
    assert once["NO_PROXY"] == "a,b,c,127.0.0.1,localhost"


@pytest.mark.parametrize(
    "content",
    ["", "{", "{}", '{"api_url": "http://127.0.0.1:1/api"}'],
    ids=["empty", "torn", "nameless", "dead"],
)
def test_a_stale_address_is_no_server(tmp_path: Path, content: str) -> None:
    home = home_from({"NIGHTSHIFT_HOME": str(tmp_path)}).make()
    assert running_server(home) is None
    address_file(home).write_text(content)
    assert running_server(home) is None


def test_a_preferred_port_is_taken_if_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_full_disk_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    home = home_from({"NIGHTSHIFT_HOME": str(tmp_path)})
    with pytest.raises(NightFailed, match=r"at least 200 MB free in \S+, got 0.2 MB. Free some"):
        check_space(home, free=lambda place: 200_000)
    check_space(home, free=lambda place: NEEDS_BYTES)


def test_no_server_is_started_on_a_full_disk(tmp_path: Path) -> None:
    program = (
        "import os, shutil\nfrom types import SimpleNamespace\n"
        "shutil.disk_usage = lambda place: SimpleNamespace(free=200_000)\n"
        "from nightshift.embedded import embedded_server\n"
        "from tasks.home import home_from\n"
        "with embedded_server(home_from(os.environ)): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NIGHTSHIFT_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "NightFailed: Expected at least 200 MB free" in done.stderr
    assert not (tmp_path / "home/logs/prefect-server.log").exists()
