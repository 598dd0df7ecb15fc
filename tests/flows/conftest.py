"""Small real nights: a folder of drops, a plan of two cheap families, a Prefect test server."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from flows.train import run_nights
from schemas.ledger import Champion, Record
from schemas.store import Store
from tasks.ledger.champions import champion
from tasks.ledger.records import history
from tasks.storage import open_store

PLAN: dict[str, Any] = {
    "name": "tiny",
    "dataset": {
        "source": "drops",
        "key": "id",
        "columns": {"x": "number", "noise": "number", "colour": "category"},
    },
    "label": {"column": "y", "classes": ["no", "yes"]},
    "imbalance": [{"kind": "none"}, {"kind": "class-weights"}],
    "families": [
        {"classifier": {"kind": "logistic-regression"}},
        {"classifier": {"kind": "lightgbm", "rounds": [10, 20]}},
    ],
    "search": {"budget_minutes": 1, "trials": 2, "workers": 2},
}
SMALL: dict[str, Any] = {
    "imbalance": [{"kind": "none"}],
    "families": [{"classifier": {"kind": "logistic-regression", "C": 1.0}}],
    "search": {"method": "none", "budget_minutes": 1, "workers": 1},
}
"""Changes that make of it the quickest plan there is."""


@dataclass
class World:
    """One user's folder: plan, drops and home."""

    root: Path

    @property
    def plan(self) -> str:
        return str(self.root / "tiny.yaml")

    def write_plan(self, **changes: Any) -> None:
        Path(self.plan).write_text(yaml.safe_dump(PLAN | changes, sort_keys=False))

    def drop(self, name: str, rows: int = 300, seed: int = 0, shift: float = 3.0) -> Path:
        """Rows of which one in six is `yes`, told apart by `x` as far as `shift` is large."""
        draw = np.random.default_rng(seed)
        yes = draw.random(rows) < 1 / 6
        x = draw.normal(size=rows) + shift * yes
        lines = ["id,x,noise,colour,y"]
        lines += [
            f"{seed}-{i},{x[i]:.6f},{draw.normal():.6f},{'red' if i % 3 else 'blue'},"
            f"{'yes' if yes[i] else 'no'}"
            for i in range(rows)
        ]
        path = self.root / "drops" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
        return path

    def night(self, **named: Any) -> Record:
        (record,) = run_nights([self.plan], **named)
        return record

    @property
    def store(self) -> Store:
        return open_store(str(self.root / "home" / "state"))

    def history(self) -> list[Record]:
        return history(self.store, "tiny")

    def champion(self) -> Champion | None:
        return champion(self.store, "tiny")[0]

    def told(self, record: Record) -> dict[str, Any]:
        """All that the night of this record found, as it stands beside the model."""
        content, _ = self.store.read(f"models/tiny/{record.run_id}/night.json")
        return dict(json.loads(content))


@pytest.fixture(scope="session")
def tracking_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking database as MLflow makes it, which takes about two seconds each time."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: None, tracking_file: Path
) -> World:
    (tmp_path / "home" / "mlflow").mkdir(mode=0o700, parents=True)
    shutil.copy(tracking_file, tmp_path / "home" / "mlflow" / "mlflow.db")
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path)
    world.write_plan()
    world.drop("2026-01-01.csv")
    return world


@pytest.fixture
def client(world: World) -> Callable[[], MlflowClient]:
    return lambda: MlflowClient(f"sqlite:///{world.root}/home/mlflow/mlflow.db")
