from pathlib import Path

import pytest

from schemas.store import Store
from tasks.storage import open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "home"))
