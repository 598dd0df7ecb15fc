"""Worker processes keep their limits, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path

import numpy as np
import pytest

from learning.searching.workers import LOST, NoWorker, WorkerPool


def double(number: int) -> int:
    return 2 * number


def own_pid(_: int) -> int:
    return os.getpid()


def thread_limit(name: str) -> str | None:
    return os.environ.get(name)


def loaded(module: str) -> bool:
    return module in sys.modules


def refuse(number: int) -> int:
    raise ValueError(f"no {number}")


def die(code: int) -> None:
    os._exit(code)


def die_when_told(marker: str) -> None:
    wait_until(Path(marker).exists, 30)
    os._exit(3)


def multiply_for_ever(marker: str) -> None:
    """Native code that holds no lock of Python's and never looks at signals between steps."""
    Path(marker).write_text(str(os.getpid()))
    square = np.ones((3000, 3000))
    while True:
        square @= square


def sleep_for_ever(marker: str) -> None:
    Path(marker).write_text(str(os.getpid()))
    time.sleep(600)


def loud(_: int) -> str:
    os.write(1, b"native noise\n")
    os.write(2, b"native noise\n")
    return "said"


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=2, threads=1) as running:
        yield running


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(happened: object, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(happened) and happened():
            return True
        time.sleep(0.05)
    return False


def test_a_job_comes_back_from_another_process(pool: WorkerPool) -> None:
    assert pool.submit(double, 21, timeout_s=30).result(timeout=30) == 42
    assert pool.submit(own_pid, 0, timeout_s=30).result(timeout=30) != os.getpid()


def test_native_threads_are_limited_before_numpy_is_loaded(pool: WorkerPool) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert pool.submit(thread_limit, name, timeout_s=30).result(timeout=30) == "1"


def test_a_fault_of_the_job_is_the_futures_fault(pool: WorkerPool) -> None:
    with pytest.raises(ValueError, match="no 7"):
        pool.submit(refuse, 7, timeout_s=30).result(timeout=30)


def test_a_dead_worker_fails_only_its_own_job(pool: WorkerPool, tmp_path: Path) -> None:
    marker = tmp_path / "die"
    broken = pool.submit(die_when_told, str(marker), timeout_s=60)
    assert wait_until(broken.running, 30)
    others = [pool.submit(double, number, timeout_s=30) for number in range(4)]
    marker.touch()
    with pytest.raises(LOST, match="Abnormal termination"):
        broken.result(timeout=30)
    assert [other.result(timeout=30) for other in others] == [0, 2, 4, 6]


def test_a_worker_that_dies_before_it_is_known_to_run_leaves_a_pool_that_goes_on(
    pool: WorkerPool,
) -> None:
    with pytest.raises(LOST):
        pool.submit(die, 3, timeout_s=30).result(timeout=30)
    others = [pool.submit(double, number, timeout_s=30) for number in range(4)]
    assert [other.result(timeout=30) for other in others] == [0, 2, 4, 6]


def test_native_code_is_killed_at_its_deadline_and_the_pool_goes_on(
    pool: WorkerPool, tmp_path: Path
) -> None:
    marker = tmp_path / "pid"
    pool.submit(double, 1, timeout_s=30).result(timeout=30)
    stuck = pool.submit(multiply_for_ever, str(marker), timeout_s=1.5)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="timeout"):
        stuck.result(timeout=30)
    assert time.monotonic() - started < 4
    assert wait_until(lambda: not alive(int(marker.read_text())), 2)
    assert pool.submit(double, 2, timeout_s=30).result(timeout=30) == 4


def test_cancelling_kills_a_running_job(pool: WorkerPool, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    stuck = pool.submit(multiply_for_ever, str(marker), timeout_s=60)
    assert wait_until(lambda: marker.exists() and marker.read_text(), 20)
    assert stuck.cancel()
    assert wait_until(lambda: not alive(int(marker.read_text())), 5)


def test_threads_that_end_take_no_worker_with_them(pool: WorkerPool) -> None:
    results: list[int] = []

    def family() -> None:
        jobs = [pool.submit(double, number, timeout_s=30) for number in range(3)]
        results.extend(job.result(timeout=30) for job in jobs)

    families = [threading.Thread(target=family) for _ in range(3)]
    for thread in families:
        thread.start()
    for thread in families:
        thread.join()
    assert sorted(results) == [0, 0, 0, 2, 2, 2, 4, 4, 4]
    assert pool.submit(double, 5, timeout_s=30).result(timeout=30) == 10


def test_a_pool_whose_idle_workers_were_killed_starts_again() -> None:
    with WorkerPool(workers=1, threads=1) as small:
        worker = small.submit(own_pid, 0, timeout_s=30).result(timeout=30)
        os.kill(worker, signal.SIGKILL)
        assert wait_until(lambda: not alive(worker), 5)
        time.sleep(0.5)
        assert small.submit(double, 4, timeout_s=30).result(timeout=30) == 8


def test_a_worker_imports_what_it_will_need_before_its_first_job() -> None:
    with WorkerPool(workers=1, threads=1, preload=("this",)) as small:
        assert small.submit(loaded, "this", timeout_s=30).result(timeout=30)


def test_a_job_behind_busy_workers_waits_as_long_as_those_may_take() -> None:
    with WorkerPool(workers=1, threads=1, start_s=0.5) as small:
        small.submit(own_pid, 0, timeout_s=30).result(timeout=30)
        before = small.submit(time.sleep, 2.0, timeout_s=60)
        assert small.result(small.submit(double, 21, timeout_s=30)) == 42
        assert before.done()


def test_a_job_that_no_worker_takes_up_ends_once_all_before_it_had_their_time() -> None:
    with WorkerPool(workers=1, threads=1, start_s=0.5) as small:
        worker = small.submit(own_pid, 0, timeout_s=30).result(timeout=30)
        os.kill(worker, signal.SIGSTOP)  # as on a machine that has no time for it
        started = time.monotonic()
        waits = [small.submit(double, 1, timeout_s=0.5) for _ in range(2)]
        for future in reversed(waits):
            with pytest.raises(NoWorker, match="no worker process took it up"):
                small.result(future)
        assert 1.5 <= time.monotonic() - started < 15


def test_a_job_that_runs_is_left_to_its_own_limit() -> None:
    with WorkerPool(workers=1, threads=1, start_s=0.5) as small:
        small.submit(own_pid, 0, timeout_s=30).result(timeout=30)
        with pytest.raises(TimeoutError, match="timeout"):
            small.result(small.submit(time.sleep, 600.0, timeout_s=1.5))


def test_leaving_the_context_ends_busy_workers(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with WorkerPool(workers=1, threads=1) as small:
        small.submit(multiply_for_ever, str(marker), timeout_s=600)
        assert wait_until(lambda: marker.exists() and marker.read_text(), 20)
    assert not alive(int(marker.read_text()))


def test_leaving_the_context_ends_every_wait_for_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[Future[int]] = []
    with WorkerPool(workers=1, threads=1) as small:
        waits += [small.submit(sleep_for_ever, str(tmp_path / "pid"), 600) for _ in range(3)]
        # What the pool does to a job that comes in while it is being stopped: it forgets it.
        monkeypatch.setattr(small._pool, "schedule", lambda *_, **__: Future())
        waits.append(small.submit(double, 1, 600))
    for wait in waits:
        with pytest.raises((*LOST, CancelledError)):
            wait.result(timeout=10)


PARENT = """
import sys, threading, time
sys.path[:0] = [{root!r}, {here!r}]
from learning.searching.workers import WorkerPool
import test_workers as jobs

def main():
    with WorkerPool(workers=2, threads=1) as pool:
        pool.submit(jobs.loud, 0, timeout_s=60).result()
        starter = threading.Thread(target=lambda: (
            pool.submit(jobs.multiply_for_ever, sys.argv[1], timeout_s=600),
            pool.submit(jobs.sleep_for_ever, sys.argv[2], timeout_s=600)))
        starter.start()
        starter.join()
        time.sleep(600)

if __name__ == "__main__":
    main()
"""


def test_kill_9_of_the_parent_leaves_no_worker_and_workers_write_nothing(tmp_path: Path) -> None:
    here = Path(__file__).parent
    script, first, second = tmp_path / "parent.py", tmp_path / "first", tmp_path / "second"
    script.write_text(PARENT.format(root=str(here.parents[1]), here=str(here)))
    parent = subprocess.Popen(
        [sys.executable, str(script), str(first), str(second)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    busy = (first, second)
    assert wait_until(lambda: all(path.exists() and path.read_text() for path in busy), 40)
    time.sleep(1)
    workers = [int(path.read_text()) for path in busy]
    assert all(map(alive, workers))
    parent.kill()
    said, _ = parent.communicate(timeout=10)
    assert wait_until(lambda: not any(map(alive, workers)), 5)
    assert b"native noise" not in said  # Python tells of the semaphore that it cleaned up
