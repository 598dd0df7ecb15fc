"""Worker processes for fits: killed at their deadline, and gone within seconds of their parent.

Nothing heavy is imported here: a worker sets its thread limits before NumPy is loaded.
"""

import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

from pebble import ProcessExpired, ProcessPool

from schemas.faults import NightshiftError

Job = TypeVar("Job")
Result = TypeVar("Result")

LOST = (ProcessExpired, BrokenProcessPool)
"""What a job's future raises when its worker died under it; `TimeoutError` at its deadline."""

START_S = 300.0
"""Within which a worker process starts and has its imports, also on a machine that is very busy:
with ten jobs on two cores 120 s were not enough.
"""

_PR_SET_PDEATHSIG = 1
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class NoWorker(NightshiftError):
    """A job got no worker, though those before it must have ended by now."""


@dataclass(frozen=True)
class _Wait:
    """How long a job may run, and when (monotonic) it must have begun."""

    timeout_s: float
    begins_by: float


class WorkerPool:
    """Spawned processes, each with `threads` for native code, shared by any number of threads.

    Every worker imports the modules of `preload` as it starts, so that a pool which is entered
    early has paid for them when the first job comes. Leaving the context kills what still runs.
    """

    def __init__(
        self,
        workers: int,
        threads: int,
        preload: tuple[str, ...] = (),
        start_s: float = START_S,  # what the start of a worker may take
    ) -> None:
        self.workers = workers
        self.threads = threads
        self._preload = preload
        self._open = False
        self._lock = threading.Lock()
        self._start_s = start_s
        self._given: WeakKeyDictionary[Future[Any], _Wait] = WeakKeyDictionary()

    def __enter__(self) -> Self:
        # Linux kills a worker when the *thread* that started it ends. Families' threads end long
        # before the pool does, so one thread of our own starts every pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pool-starter")
        self._pool = self._starter.submit(self._start).result()
        self._open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:  # a family's thread must not start it anew
            self._open = False
        self._stop()
        self._starter.shutdown()

    def submit(self, work: Callable[[Job], Result], job: Job, timeout_s: float) -> Future[Result]:
        """Run `work(job)` in a worker; the worker is killed when it takes longer.

        `cancel()` of the future kills a running job too. The time in the queue is not counted:
        `result` bounds it.
        """
        with self._lock:
            if not self._open:
                raise BrokenProcessPool("the pool was left; nothing is fitted any more")
            if not self._pool.active:  # every worker was killed from outside while idle
                self._stop()
                self._pool = self._starter.submit(self._start).result()
            begins_by = time.monotonic() + self._queue_s()
            future: Future[Result] = self._pool.schedule(
                work, args=(job,), timeout=max(timeout_s, 0.01)
            )
            self._given[future] = _Wait(timeout_s, begins_by)
        return future

    def result(self, future: Future[Result]) -> Result:
        """What the job gave, or its fault; the future's own `result` may wait for ever.

        Raises
        ------
        NoWorker
            It has not begun when every job that was before it has had its time.
        """
        left_s = self._given[future].begins_by - time.monotonic()
        wait([future], timeout=max(0.0, left_s))
        if not (future.running() or future.done()) and future.cancel():
            raise NoWorker("no worker process took it up")
        return future.result()

    def _queue_s(self) -> float:
        """How long a job that comes in now can wait for a worker. They take jobs in turn, so until
        it begins all of them are busy with those before it, each for its time at most; whoever is
        killed at its end makes way for a worker that has to start.
        """
        ahead = [each.timeout_s for future, each in self._given.items() if not future.done()]
        return sum(limit_s + self._start_s for limit_s in ahead) / self.workers + self._start_s

    def _stop(self) -> None:
        """End all workers, and every wait for one: a job that came in just now is else forgotten by
        the pool, and whoever waits for it would wait for ever.
        """
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._given):
            with suppress(InvalidStateError):  # it has an answer
                future.set_exception(BrokenProcessPool("the pool was left before the job ended"))

    def _start(self) -> ProcessPool:
        pool = ProcessPool(
            max_workers=self.workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_settle_in,
            initargs=(os.getpid(), self.threads, self._preload),
        )
        if not pool.active:  # asking starts the workers, here and not at the first job
            raise BrokenProcessPool("the worker processes did not start")
        return pool


def _settle_in(parent: int, threads: int, preload: tuple[str, ...]) -> None:
    """Limit native threads, fall silent, make sure that the parent's end is ours; then import."""
    for name in _THREAD_LIMITS:
        os.environ[name] = str(threads)
    # Threads that wait for each other sleep: on busy cores they would spin their time away (a
    # small network took 5.9 s in the place of 1.4 s).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["PYTHONWARNINGS"] = "ignore"
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The default action ends the process also while native code runs; a Python handler waits.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _silence()
    _die_with(parent)
    for module in preload:
        importlib.import_module(module)


def _silence() -> None:
    """Send what native libraries write to the terminal nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _die_with(parent: int) -> None:
    """The kernel kills us at once on Linux; elsewhere, and as a second net, a thread looks."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
