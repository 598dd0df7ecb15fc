"""A terminal that shows only a night's facts; everything else that speaks goes to a log file.

Silencing libraries one by one is a race that every upgrade loses, and native code writes past
Python's streams. So both output descriptors are turned to the log for as long as the night runs,
and one handler, holding the real terminal, prints what our own flows and tasks report.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")
_ROOMS = ("flows", "tasks")
_KEEP_BYTES = 5_000_000


class Facts(logging.Handler):
    """Prints `02:13:07  ingest  kept 900 of 900 rows` for each line that our rooms log.

    Prefect's engine logs through the same loggers as a flow's author; the file that a record
    comes from tells them apart. Times are local: a person watches.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(logging.INFO)
        self._stream = stream
        self._rooms = _room_folders()

    def emit(self, record: logging.LogRecord) -> None:
        if not record.pathname.startswith(self._rooms):
            return
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        station = Path(record.pathname).stem
        message = " ".join(record.getMessage().split())
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(f"{clock}  {station:<10}  {message}\n")
            self._stream.flush()


@contextlib.contextmanager
def facts_only(log: Path, debug: bool = False) -> Iterator[logging.Handler]:
    """Until the end the terminal shows facts, and `log` (kept below 10 MB) the rest.

    Gives the handler to `show` once prefect is imported; with `debug` nothing is turned aside.
    """
    if debug:
        yield logging.NullHandler()
        return
    _roll(log)
    with contextlib.ExitStack() as undo:
        screen = undo.enter_context(os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace"))
        target = undo.enter_context(log.open("ab"))
        for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
            stream.flush()
            kept = os.dup(descriptor)
            os.dup2(target.fileno(), descriptor)
            undo.callback(_turn_back, stream, kept, descriptor)
        yield Facts(screen)


def show(facts: logging.Handler) -> None:
    """Let the run loggers reach the terminal; imports prefect, which resets them when it comes."""
    import prefect.main  # noqa: F401 - a bare `import prefect` is lazy and would reset them later

    for name in _RUN_LOGGERS:
        logging.getLogger(name).addHandler(facts)


def _turn_back(stream: TextIO, kept: int, descriptor: int) -> None:
    stream.flush()  # what is still buffered belongs to the log
    os.dup2(kept, descriptor)
    os.close(kept)


def _roll(log: Path) -> None:
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _KEEP_BYTES:
        log.replace(log.with_suffix(".1.log"))


def _room_folders() -> tuple[str, ...]:
    """The folders of our own rooms, wherever they are installed; found without importing them."""
    house = Path(__file__).absolute().parent.parent
    return tuple(f"{house / room}{os.sep}" for room in _ROOMS)
