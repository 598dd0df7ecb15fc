"""The process around a fit is left as it was."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers.utils import logging

from learning.neural.surroundings import bound, memory_told, quiet, seeded


def test_a_fit_leaves_the_generators_of_the_process_alone() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002, S311
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    with seeded(7):
        random.seed(3)
        np.random.seed(3)  # noqa: NPY002
        first = torch.rand(()).item()
    with seeded(7):
        assert torch.rand(()).item() == first
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected  # noqa: NPY002, S311


def test_a_fit_leaves_threads_and_exactness_as_they_were() -> None:
    before = torch.get_num_threads()
    with bound(before + 1), seeded(1):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled() == (not torch.cuda.is_available())
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_quiet_is_over_when_it_is_left() -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet():
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_memory_that_is_full_is_told_as_such() -> None:
    with pytest.raises(MemoryError, match=r"Lower training\.batch_size"), memory_told():
        torch.empty(2**52)


def test_another_fault_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="something else"), memory_told():
        raise RuntimeError("something else")


@pytest.mark.parametrize("module", ["learning.neural.folders", "schemas.plan"])
def test_torch_is_not_paid_for_where_nothing_is_fitted(module: str) -> None:
    told = f"import sys, {module}; print(sorted({{'torch', 'transformers'}} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == "[]"
