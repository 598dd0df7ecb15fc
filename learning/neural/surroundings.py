"""What a fit and an answer need of the process around them, put back when they are over."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers.utils import logging


def device() -> torch.device:
    """The GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def quiet() -> Iterator[None]:
    """Neither bars nor advice of transformers on the terminal."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextmanager
def bound(threads: int) -> Iterator[None]:
    """So many threads for what torch computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The same numbers for the same seed on the processor, whoever drew before; and after it the
    generators of the process go on as if nothing had been.
    """
    exact = torch.are_deterministic_algorithms_enabled()
    old, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # the Trainer seeds it
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(device().type == "cpu")
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(exact)
            random.setstate(old)
            np.random.set_state(legacy)  # noqa: NPY002


@contextmanager
def memory_told() -> Iterator[None]:
    """MemoryError, with what to do, where torch has an error of its own for it."""
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise MemoryError(f"The GPU's memory is full. {_LESS}") from fault
    except RuntimeError as fault:
        if _NO_MEMORY not in str(fault):
            raise
        raise MemoryError(f"The memory is full. {_LESS}") from fault


_NO_MEMORY = "can't allocate memory"
_LESS = "Lower training.batch_size and raise training.accumulation, or lower max_tokens."
