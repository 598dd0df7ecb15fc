"""Child processes that can't outlive their parent, nor leave children of their own behind.

Each child runs under a small guard (this same file, started as a script) that holds the read end
of a pipe. The pipe closes when the parent lets go or dies, even by `kill -9`; the guard then ends
the child and everything that came of it. `PR_SET_PDEATHSIG` alone would end the child, but not
the flow runs that a Prefect worker started.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Self

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_S = 0.05


class Leash:
    """A running child; `stop` (or the end of this process) ends it and all that it started."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Path,
        grace_s: float = 3.0,  # between asking it to stop and killing it
        cwd: Path | None = None,
    ) -> None:
        self.command = tuple(command)
        self.log = log
        self._grace_s = grace_s
        guard = [sys.executable, "-I", str(Path(__file__).absolute()), str(grace_s), *command]
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches us alone, and we choose the order of endings.
            self._guard = subprocess.Popen(  # noqa: S603 - commands are ours, no shell
                guard,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(environ),
                cwd=cwd,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop()

    def code(self) -> int | None:
        """The exit code, or None while the child runs."""
        return self._guard.poll()

    def let_go(self) -> None:
        """Ask the child to end, without waiting."""
        if self._guard.stdin and not self._guard.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()

    def stop(self) -> None:
        """End the child; returns when it and all that it started are gone."""
        self.let_go()
        try:
            self._guard.wait(self._grace_s + 5.0)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()


def _guard(grace_s: float, command: Sequence[str]) -> int:
    """Run a command until it ends or the parent is gone; leave no process behind."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of the child become ours, so we can find them
    child = subprocess.Popen(  # noqa: S603 - the parent's command, no shell
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_die_with_the_guard,
    )
    parent_gone = threading.Event()
    threading.Thread(target=_await_end_of_input, args=(parent_gone,), daemon=True).start()

    def asked(_signal: int, _frame: FrameType | None) -> None:
        parent_gone.set()

    signal.signal(signal.SIGTERM, asked)
    while child.poll() is None and not parent_gone.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_S)
    return _end(child, grace_s)


def _end(child: "subprocess.Popen[bytes]", grace_s: float) -> int:
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    deadline = time.monotonic() + 2.0
    while (left := _descendants(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(_LOOK_S)
    return child.poll() or 0


def _descendants(root: int) -> list[int]:
    """Living processes below `root`; where there is no /proc, those of its group."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        return _group_members(root)
    parents: dict[int, int] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in brackets may hold anything; the fields after it are plain.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(folder.name)] = int(fields[1])
    found, frontier = [], {root}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found += sorted(frontier)
    return found


def _group_members(root: int) -> list[int]:
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    group = str(os.getpgid(root))
    return [
        int(pid)
        for pid, pgid, state in rows
        if pgid == group and int(pid) != root and "Z" not in state
    ]


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _await_end_of_input(parent_gone: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    parent_gone.set()


def _die_with_the_guard() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, argument: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(_guard(float(sys.argv[1]), sys.argv[2:]))
