"""`nightshift up`, started once for all tests that need the real server and its worker."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from nightshift.embedded import answers, free_port
from tests.deployments.served import PROGRAM, Served, eventually


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ready as a user sees it: the last line of `nightshift up` has been said."""
    folder = tmp_path_factory.mktemp("served")
    home = folder / "home"
    environ = os.environ | {"NIGHTSHIFT_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [PROGRAM, "up", "--prefect-port", str(free_port()), "--mlflow-port", str(free_port())],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    up = Served(process, folder, home)
    threading.Thread(target=_listen, args=(up,), daemon=True).start()
    try:
        eventually(lambda: process.poll() is not None or "Ctrl-C" in " ".join(up.said), 240)
        assert process.poll() is None, "\n".join(up.said)
        up.stop_clock("on-arrival")  # tests start what they look at themselves
        yield up
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)  # "Ctrl-C stops all of it", and soon
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
    assert process.returncode == 0
    assert not answers(up.api_url)


def _listen(up: Served) -> None:
    assert up.process.stdout
    for line in up.process.stdout:
        up.said.append(line.rstrip())
