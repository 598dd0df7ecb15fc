"""A terminal that shows only a night's facts; everything else that speaks goes to a log file.

Silencing libraries one by one is a race that every upgrade loses, and native code writes past
Python's streams. So both output descriptors are turned to the log for as long as the night runs,
and one handler, holding the real terminal, prints what our own flows and tasks report. Ctrl-C is
the terminal's too: `Interrupt` bounds how long a night may take to end after it.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Self, TextIO

_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "tasks.storage")
_ROOMS = ("flows", "tasks")
_KEEP_BYTES = 5_000_000
_END_S = 8.0
_BY_SIGNAL = 128  # plus its number: what shells give for a program that a signal ended
_ENDING = (signal.SIGINT, signal.SIGTERM)


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
        told = fact(record.created, Path(record.pathname).stem, record.getMessage())
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(f"{told}\n")
            self._stream.flush()


def fact(at: float, station: str, message: str) -> str:
    """One line of a night, by its time since the epoch."""
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    return f"{clock}  {station:<10}  {' '.join(message.split())}"


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


class Interrupt:
    """Ctrl-C and SIGTERM end the block in order if it can, the process within seconds in any case.

    The process is left at once when the block has ended: at an ordinary exit Prefect's threads
    would try for a minute to reach a server that is gone. Workers and servers end with their
    parent however it ends, and a record that could not be written any more is settled by the next
    run. Make it while stderr is the terminal's, enter it in the main thread.
    """

    def __init__(self, end_s: float = _END_S) -> None:
        self._end_s = end_s
        self._stderr = os.dup(2)
        self._asked = 0  # by which signal
        self._ending = threading.Lock()

    def __enter__(self) -> Self:
        self._before = {number: signal.getsignal(number) for number in _ENDING}
        for number, before in self._before.items():
            if before is not signal.SIG_IGN:  # who started us in the background meant it
                signal.signal(number, self._ask)
        return self

    def __exit__(self, *_fault: object) -> None:
        if self._asked:  # whatever the interrupt became on its way up
            self._end()
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self._stderr)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            self._end()
        self._asked = number
        patience = threading.Timer(self._end_s, self._end)
        patience.daemon = True
        patience.start()
        raise KeyboardInterrupt

    def _end(self) -> None:
        if self._ending.acquire(blocking=False):  # the line is told once
            with contextlib.suppress(OSError):
                os.write(self._stderr, b"nightshift: interrupted; the next run resumes\n")
        os._exit(_BY_SIGNAL + (self._asked or signal.SIGINT))


def show(facts: logging.Handler) -> None:
    """Let loggers of runs and of stores reach the terminal; imports prefect, which resets them."""
    import prefect.main  # noqa: F401 - a bare `import prefect` is lazy and would reset them later

    for name in _LOGGERS:
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
