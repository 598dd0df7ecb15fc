"""A plan with a column of every role, a champion that stands, and drops that are spoiled by cells.

The champion is trained once; each test works on a copy of its world.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from flows.train import run_nights
from learning.rows.sides import read_side
from schemas.ledger import Champion, Record
from schemas.manifest import KEY
from tasks.ledger.champions import champion
from tasks.ledger.records import history
from tasks.storage import open_store

PLAN: dict[str, Any] = {
    "name": "standing",
    "dataset": {
        "source": "drops",
        "key": "id",
        "columns": {
            "x": "number",
            "colour": "category",
            "note": "text",
            "seen": "time",
            "vector": {"role": "embedding", "dimension": 3},
        },
        "drift": {"min_rows": 50},
    },
    "label": {"column": "y", "classes": ["no", "yes", "NA"]},
    "imbalance": [{"kind": "none"}],
    "families": [{"classifier": {"kind": "logistic-regression", "C": 1.0}}],
    "search": {"method": "none", "budget_minutes": 1, "workers": 1, "folds": 2},
    "gate": {"resamples": 200},
}
WORDS = ("fine", "slow", "broken", "late", "warm", "cold")
FIRST = "2026-01-01.csv"
BAD = "2026-01-02.csv"

Spoiled = Mapping[str, Mapping[int, str]]
"""Cells by column and row number, from 1."""


def rows(count: int = 60, draw_of: int = 1) -> pd.DataFrame:
    """Good rows: `x` tells the classes apart, and one in six is `NA`, which is no missing cell."""
    draw = np.random.default_rng(draw_of)
    y = np.array(["no", "yes", "NA"])[np.minimum(draw.integers(0, 6, count) // 2, 2)]
    x = draw.normal(size=count) + 4 * (y == "yes") - 4 * (y == "NA")
    return pd.DataFrame(
        {
            "id": [f"{draw_of}-{i}" for i in range(count)],
            "x": [f"{value:.4f}" for value in x],
            "colour": draw.choice(["red", "blue"], count),
            "note": [" ".join(draw.choice(WORDS, 4)) + f" {draw_of} {i}" for i in range(count)],
            "seen": [f"2026-01-0{1 + i % 9}T0{i % 10}:00:00+00:00" for i in range(count)],
            "vector": [json.dumps(draw.normal(size=3).round(3).tolist()) for _ in range(count)],
            "y": y,
        }
    )


def spoiled(frame: pd.DataFrame, cells: Spoiled) -> pd.DataFrame:
    """The same rows with other cells."""
    frame = frame.copy()
    for column, by_row in cells.items():
        for row, cell in by_row.items():
            frame.loc[row - 1, column] = cell
    return frame


def every(cell: str, count: int = 60) -> dict[int, str]:
    """The same cell in all rows."""
    return dict.fromkeys(range(1, count + 1), cell)


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@dataclass
class Standing:
    """One user's folder: plan, drops and home, with a champion."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def drops(self) -> Path:
        return self.root / "drops"

    @property
    def columns(self) -> dict[str, Any]:
        return dict(PLAN["dataset"]["columns"])

    def write_plan(self, **dataset: Any) -> None:
        """The plan, with other settings of its data."""
        plan = PLAN | {"dataset": PLAN["dataset"] | dataset}
        (self.root / "standing.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))

    def put(self, content: bytes, name: str = BAD) -> Path:
        path = self.drops / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def night(self, source: str | None = None) -> Record:
        (record,) = run_nights([str(self.root / "standing.yaml")], source=source)
        return record

    def champion(self) -> Champion | None:
        return champion(open_store(str(self.home / "state")), "standing")[0]

    def history(self) -> list[Record]:
        return history(open_store(str(self.home / "state")), "standing")

    def groups(self, record: Record) -> tuple[set[int], set[int]]:
        """The groups of rows that a night trained on, and those that it judged on."""
        beside = self.home / "state" / "models" / "standing" / record.run_id / "night.json"
        rows = json.loads(beside.read_text())["rows"]
        train, holdout = (
            {*read_side(rows[side], [KEY])[KEY].to_pylist()} for side in ("train", "holdout")
        )
        return train, holdout

    def findings(self, record: Record) -> pd.DataFrame:
        """The file that the owner of the data gets."""
        return pd.read_csv(
            self.home / "quarantine" / "standing" / record.run_id / "findings.csv",
            keep_default_na=False,
        )


def first_night(root: Path, visit: Callable[[Path], object]) -> Standing:
    """A world with a champion; `visit` makes it the working folder and home of the process."""
    visit(root)
    world = Standing(root)
    world.write_plan()
    world.put(as_csv(rows(600, draw_of=0)), FIRST)
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    return world


def copied(world: Standing, root: Path, visit: Callable[[Path], object]) -> Standing:
    """A world of its own, as it stood."""
    shutil.copytree(world.root, root, dirs_exist_ok=True)
    visit(root)
    return Standing(root)


@dataclass
class Told:
    """A night and the world as it left it."""

    world: Standing
    record: Record

    def of(self, name: str) -> dict[str, Any]:
        """The one finding about an object, as its owner reads it."""
        table = self.world.findings(self.record)
        (found,) = table[table["object"] == name].to_dict("records")
        return {str(column): cell for column, cell in found.items()}


def refused(world: Standing) -> Told:
    """The night that bad objects end: in record, file and message, and the champion unchanged."""
    before = world.champion()
    record = world.night()
    assert record.outcome == "rejected-data", record.reasons
    assert (record.champion_before, record.champion_after) == (1, 1)
    assert world.champion() == before
    assert "findings.csv" in record.reasons[-1]
    return Told(world, record)


def fine_without(world: Standing, *names: str) -> None:
    """What was removed leaves nothing behind: the source is again what the champion learned."""
    before = world.champion()
    for name in names:
        (world.drops / name).unlink()
    record = world.night()
    assert (record.outcome, record.reasons[0][:11]) == ("skipped", "no new data"), record.reasons
    assert world.champion() == before
