import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nightshift.leash import Leash

# A child that ignores being asked, and has a child of its own in another session.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                         start_new_session=True)
open(sys.argv[1], "w").write(f"{os.getpid()} {other.pid}")
time.sleep(60)
"""


def pids(path: Path, within_s: float = 10.0) -> list[int]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if path.exists() and (told := path.read_text()):
            return [int(pid) for pid in told.split()]
        time.sleep(0.05)
    raise AssertionError(f"{path} was never written")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(all_pids: list[int], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(map(alive, all_pids)):
            return True
        time.sleep(0.05)
    return False


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def test_stopping_ends_a_child_that_ignores_signals_and_its_children(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    command = [sys.executable, "-c", STUBBORN, str(told)]
    with Leash(command, os.environ, tmp_path / "log", grace_s=0.2):
        family = pids(told)
        assert all(map(alive, family))
    assert gone(family, 0.5)


def test_killing_the_parent_ends_the_whole_family(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys, time; from pathlib import Path; from nightshift.leash import Leash\n"
            "leash = Leash([sys.executable, '-c', *sys.argv[2:]], os.environ, Path(sys.argv[1]),"
            " grace_s=0.2)\ntime.sleep(60)",
            str(tmp_path / "log"),
            STUBBORN,
            str(told),
        ]
    )
    family = pids(told)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(family)


def test_killing_the_guard_ends_the_child(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    leash = Leash([sys.executable, "-c", STUBBORN, str(told)], os.environ, tmp_path / "log")
    child, other = pids(told)
    os.kill(int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1]), 9)
    try:
        assert gone([child])
    finally:
        os.kill(other, signal.SIGKILL)
        leash.stop()


def test_the_exit_code_is_the_childs_own(tmp_path: Path) -> None:
    leash = Leash([sys.executable, "-c", "raise SystemExit(7)"], os.environ, tmp_path / "log")
    while leash.code() is None:
        time.sleep(0.02)
    assert leash.code() == 7
    leash.stop()


def test_what_the_child_says_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    leash = Leash([sys.executable, "-c", "print('spoken')"], os.environ, log)
    while leash.code() is None:
        time.sleep(0.02)
    leash.stop()
    assert log.read_text() == "spoken\n"
