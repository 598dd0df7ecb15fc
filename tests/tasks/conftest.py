"""A store of either kind: what holds for a folder holds for a bucket."""

from pathlib import Path

import pytest

from schemas.store import Store
from tasks.storage import open_store
from tests.cloud.emulator import BUCKET


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "bucket":
        request.getfixturevalue("cloud")
        return open_store(f"gs://{BUCKET}/home", tmp_path / "memory")
    return open_store(str(tmp_path / "home"), tmp_path / "memory")
