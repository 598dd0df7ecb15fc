import gzip
from pathlib import Path

import pytest

from schemas.store import Store
from tasks.storage import open_store
from tests.tasks.ingestion.dropped import csv


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "drops"
    folder.mkdir()
    (folder / "day-1.csv").write_text(csv(0, 90))
    (folder / "day-2.csv.gz").write_bytes(gzip.compress(csv(90, 60).encode()))
    return folder


@pytest.fixture
def store(source: Path) -> Store:
    return open_store(str(source))
