"""What all tests share: cases drawn the same everywhere, a cloud and a Prefect server."""

import os
import signal
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.cloud.emulator import Emulator, emulated

# Cores are shared with other work, so the time that one case takes says nothing.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")

# A shell that starts the tests in the background has them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Cloud Storage with one empty bucket, where every client of this test finds it."""
    with emulated() as emulator:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield emulator
        _disconnect(emulator)


def _disconnect(emulator: Emulator) -> None:
    """The client that a process keeps for ever would outlive its service here."""
    from tasks.storage import calls  # Google's libraries are slow to import

    calls._client(os.getpid(), emulator.url).close()
    calls._client.cache_clear()


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    from prefect.testing.utilities import prefect_test_harness  # slow, and few tests need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's own libraries
        with prefect_test_harness(server_startup_timeout=120):
            yield
