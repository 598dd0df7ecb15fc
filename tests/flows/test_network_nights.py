"""Whole nights of a plan with a transformer, tiny and random, on text that it can learn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deployments.plans import load_plan
from flows.predict import predict_file
from tasks.home import home_from
from tests.learning.neural.tiny import BAD, GOOD, PLAIN, make_bert

pytestmark = pytest.mark.filterwarnings("default")

CLASSES = {"mood": ["bad", "good", "plain"], "length": ["long", "short"]}
TRAINING = {"learning_rate": 5e-3, "epochs": 6, "batch_size": 8, "validation_share": 0.2}


def _texts(rows: int, seed: int) -> list[dict[str, Any]]:
    draw = np.random.default_rng(seed)
    told = []
    for i in range(rows):
        mood, size = str(draw.choice(["bad", "good", "plain"])), int(draw.integers(1, 9))
        hint = {"bad": BAD, "good": GOOD, "plain": PLAIN}[mood]
        words = [*draw.choice(PLAIN, size), *draw.choice(hint, 2)]
        told.append(
            {
                "id": f"{seed}-{i}",
                "said": " ".join(map(str, draw.permutation(words))),
                "mood": mood,
                "length": "short" if size < 5 else "long",
            }
        )
    return told


def _plan(encoder: str, **changes: Any) -> dict[str, Any]:
    transformer = {
        "kind": "transformer",
        "encoder": {"model": encoder},
        "max_tokens": 16,
        "training": TRAINING,
        "first": [],
    }
    return {
        "dataset": {"source": "people", "key": "id", "columns": {"said": "text"}},
        "label": {"kind": "multi-task", "columns": CLASSES},
        "imbalance": [{"kind": "none"}],
        "families": [
            {"classifier": {"kind": "logistic-regression", "C": 0.001}},
            {"classifier": transformer},
        ],
        "search": {"method": "none", "budget_minutes": 2, "workers": 1, "folds": 2},
    } | changes


def _write(folder: Path, rows: list[dict[str, Any]], name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_transformer_has_its_night_and_answers_from_the_registry(world: Any) -> None:
    make_bert(world.root / "encoder")
    _write(world.root / "people", _texts(240, 0), "one.jsonl")
    world.write_plan(**_plan("./encoder"))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    told = world.told(record)
    assert told["judgement"]["contender"] == "transformer trial 0"
    fit = told["fits"]["transformer trial 0"]
    assert [each["epoch"] for each in fit["history"]] == list(range(1, 7))
    assert fit["settings"]["classifier.encoder.model"] == str(world.root / "encoder")
    assert not [path for path in fit["settings"] if not path.startswith("classifier.")]
    new = _write(world.root, _texts(40, 7), "new.jsonl")
    plan, home = load_plan(world.plan), home_from({"NIGHTSHIFT_HOME": str(world.root / "home")})
    predict_file(plan, home, new, world.root / "answers.csv")
    answers, truth = pd.read_csv(world.root / "answers.csv"), pd.DataFrame(_texts(40, 7))
    for label in CLASSES:
        assert (answers[f"{label}_prediction"] == truth[label]).mean() > 0.7
