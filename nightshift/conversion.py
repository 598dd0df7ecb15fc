"""Pickled rows become Parquet in a process that can do little harm and takes no secret along.

This process never unpickles. The other one has an empty folder as its home, none of our
environment, and bounds on time, memory and what it may write; it is no jail for hostile code.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from nightshift import unpickle
from schemas.faults import DataRejected, PlanError

MEMORY_BYTES = 16 * 2**30
FILE_BYTES = 16 * 2**30
TIMEOUT_S = 600.0

_TOLD = {
    unpickle.NOT_READ: "a file that this Python can't unpickle. Write it with the pandas and "
    "Python that you have here, or as Parquet where it was made",
    unpickle.NOT_ROWS: "something else. Pickle a frame, a list of dicts or a dict of columns",
    unpickle.NOT_EVEN: "columns that can't stand side by side, such as lists of different lengths. "
    "Give each column one cell for each row, with None where there is none",
    unpickle.NOT_WRITTEN: "cells that Parquet can't hold, or a name of a column twice. Write plain "
    "numbers, texts, times and lists",
}


def convert(source: Path, target: Path, trusted: bool, timeout_s: float = TIMEOUT_S) -> int:
    """How many rows were written.

    Raises
    ------
    PlanError
        It was not said that the file is trusted, or the names are wrong.
    DataRejected
        It can't be read as rows, or reading it crashed or took too long.
    """
    _refuse(source, target, trusted)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        made = Path(folder) / "rows.parquet"
        _unpickled(source, made, timeout_s)
        return _placed(made, target, source)


def _refuse(source: Path, target: Path, trusted: bool) -> None:
    if not source.is_file():
        raise PlanError(f"FILE: expected a pickle, got no file at {source}")
    if not trusted:
        raise PlanError(
            f"To unpickle {source} is to run whatever code is in it, with your rights. If you "
            "know who wrote it and trust them, say so with --trusted; if not, ask for CSV or "
            "Parquet."
        )
    if target.suffix != ".parquet":
        raise PlanError(f"--output: expected a name that ends in .parquet, got {target}")
    if target.exists():
        raise PlanError(f"--output: {target} is there already; move it, or name another")
    if not target.parent.is_dir():
        raise PlanError(f"--output: expected an existing folder, got {target.parent}; create it")


def _unpickled(source: Path, made: Path, timeout_s: float) -> None:
    """Nothing that it prints is passed on: it could be rows."""
    process = subprocess.Popen(  # noqa: S603 - our own file, by this very Python
        [sys.executable, "-I", unpickle.__file__, str(source.resolve()), str(made)],
        cwd=made.parent,
        env=_environment(made.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_bounded,
    )
    try:
        status = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise DataRejected(
            f"{source}: expected rows within {timeout_s:g} s, got none. Look at what the pickle "
            "does, or make it smaller."
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # with all that it has started
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if status:
        got = _TOLD.get(status) or f"a process that ended by {_ended(status)}"
        raise DataRejected(f"{source}: expected pickled rows, got {got}.")


def _environment(folder: Path) -> dict[str, str]:
    """None of ours: no key, no proxy, no path to anything of the user's."""
    return {"HOME": str(folder), "TMPDIR": str(folder), "OPENBLAS_NUM_THREADS": "1"}


def _bounded() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def _ended(status: int) -> str:
    with contextlib.suppress(ValueError):
        return f"{signal.Signals(-status).name}, as for want of memory"
    return f"exit status {status}"


def _placed(made: Path, target: Path, source: Path) -> int:
    """Looked at before it has its name: what the other process left may be anything."""
    import pyarrow as pa
    import pyarrow.parquet as pa_parquet

    try:
        rows = int(pa_parquet.read_metadata(made).num_rows)
    except (OSError, pa.ArrowException) as fault:
        raise DataRejected(f"{source}: expected Parquet of its rows, got none.") from fault
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(made.read_bytes())
        part.replace(target)
    except OSError as fault:
        part.unlink(missing_ok=True)
        raise PlanError(f"--output: {target} can't be written ({fault.strerror})") from fault
    return rows
