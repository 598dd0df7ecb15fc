"""Whole nights of a plan with a transformer, tiny and random, on text that it can learn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from deployments.plans import load_plan
from flows.predict import predict_file
from nightshift.rendering import exit_code
from schemas.night import BASELINE
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
    kept = {path.name for path in (world.root / "home").rglob("training_history.*")}
    assert kept == {"training_history.csv", "training_history.png"}
    new = _write(world.root, _texts(40, 7), "new.jsonl")
    plan, home = load_plan(world.plan), home_from({"NIGHTSHIFT_HOME": str(world.root / "home")})
    predict_file(plan, home, new, world.root / "answers.csv")
    answers, truth = pd.read_csv(world.root / "answers.csv"), pd.DataFrame(_texts(40, 7))
    for label in CLASSES:
        assert (answers[f"{label}_prediction"] == truth[label]).mean() > 0.7


def test_an_encoder_that_is_nowhere_ends_the_night_before_its_search(world: Any) -> None:
    _write(world.root / "people", _texts(120, 0), "one.jsonl")
    world.write_plan(**_plan("./nowhere"))
    record = world.night()
    assert record.outcome == "failed"
    assert "The encoder" in record.reasons[0]
    assert "expected a folder, got nothing at" in record.reasons[0]
    assert exit_code(record) == 4
    assert world.champion() is None
    assert not list((world.root / "home").rglob("*.npy"))


def test_a_transformer_below_the_linear_baseline_is_told_as_defective(world: Any) -> None:
    make_bert(world.root / "encoder")
    _write(world.root / "people", _texts(120, 0), "one.jsonl")
    plan = _plan("./encoder")
    plan["families"] = plan["families"][1:]
    plan["families"][0]["classifier"]["training"] = {"learning_rate": 1e-7, "epochs": 1}
    world.write_plan(**plan)
    told = yaml.safe_load(Path(world.plan).read_text())
    del told["imbalance"]  # which no family of this plan would use
    Path(world.plan).write_text(yaml.safe_dump(told))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert any("transformer trial 0 is defective" in reason for reason in record.reasons)
    assert world.told(record)["judgement"]["contender"] == BASELINE
    assert [m["method"] for m in world.told(record)["methods"]] == ["class-weights (baseline)"]
