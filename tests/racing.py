"""Threads that start together, for tests of races."""

import threading
from collections.abc import Callable


def at_once(count: int, act: Callable[[int], None]) -> None:
    """Runs `act` in so many threads that all start together."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
