"""What the tests of studies share, once a module."""

from collections.abc import Iterator

import pytest

from learning.searching.workers import WorkerPool
from schemas.manifest import Rows
from tests.learning.samples import prepared_rows


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(workers=2, threads=1, preload=("learning.searching.folds",)) as running:
        yield running


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return prepared_rows(tmp_path_factory.mktemp("rows"))
