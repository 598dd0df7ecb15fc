"""Worlds with a champion: made once, copied for each test, or for all tests of a module."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.standing import Standing, copied, first_night


def _visitor(patch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def visit(root: Path) -> None:
        patch.setenv("NIGHTSHIFT_HOME", str(root / "home"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)

    return visit


@pytest.fixture(scope="session")
def champion_world(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    with pytest.MonkeyPatch.context() as patch:
        return first_night(tmp_path_factory.mktemp("standing"), _visitor(patch))


@pytest.fixture
def world(champion_world: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    return copied(champion_world, tmp_path, _visitor(monkeypatch))


@pytest.fixture(scope="module")
def shared_world(
    champion_world: Standing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standing]:
    """For facts about one and the same night."""
    with pytest.MonkeyPatch.context() as patch:
        yield copied(champion_world, tmp_path_factory.mktemp("shared"), _visitor(patch))
