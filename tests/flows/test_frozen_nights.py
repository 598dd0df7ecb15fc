"""Whole nights of a cheap family on the vectors of a frozen encoder, tiny and random."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deployments.plans import load_plan
from flows.predict import predict_file
from tasks.home import home_from
from tests.learning.neural.tiny import LENGTH, MOOD, make_bert, rows

pytestmark = pytest.mark.filterwarnings("default")

LABELS = {"mood": list(MOOD.class_texts), "length": list(LENGTH.class_texts)}


def _plan(**embedding: Any) -> dict[str, Any]:
    told = {"encoder": {"model": "./encoder"}, "dimension": 32, "max_tokens": 16} | embedding
    linear = {"kind": "logistic-regression", "C": 10.0}
    # The baseline has the words; how long a text is, neither these nor a random encoder tell it.
    features = {"text": {"statistics": True, "embedding": told}}
    return {
        "dataset": {"source": "people", "columns": {"text": "text"}},
        "label": {"kind": "multi-task", "columns": LABELS},
        "imbalance": [{"kind": "none"}],
        "families": [{"classifier": linear, "features": features}],
        "search": {"method": "none", "budget_minutes": 1, "workers": 1, "folds": 2},
    }


def _people(count: int, seed: int) -> pd.DataFrame:
    frame, labels = rows(count, seed)
    named = {
        name: np.array(texts, dtype=object)[labels[:, place]]
        for place, (name, texts) in enumerate(LABELS.items())
    }
    return frame.assign(**named)


def _write(folder: Path, frame: pd.DataFrame, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / name, index=False)
    return folder / name


def test_a_night_reads_its_texts_once_and_answers_without_the_encoders_folder(world: Any) -> None:
    encoder = make_bert(world.root / "encoder")
    _write(world.root / "people", _people(300, 0), "one.csv")
    world.write_plan(**_plan())
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    told = world.told(record)
    assert told["judgement"]["contender"] == "logistic-regression trial 0"
    assert "embed texts" in told["stage_seconds"]
    settings = told["fits"]["logistic-regression trial 0"]["settings"]
    assert settings["features.text.embedding.encoder.model"] == str(encoder)
    kept = list((world.root / "home" / "cache" / "tiny" / "vectors").rglob("*"))
    assert [path.suffix for path in kept if path.is_file()] == [".npy"]  # the folds added none
    for path in encoder.iterdir():
        path.unlink()
    truth = _people(40, 7)
    new = _write(world.root, truth[["text"]], "new.csv")
    plan, home = load_plan(world.plan), home_from({"NIGHTSHIFT_HOME": str(world.root / "home")})
    predict_file(plan, home, new, world.root / "answers.csv")
    answers = pd.read_csv(world.root / "answers.csv")
    assert (answers["mood_prediction"] == truth["mood"]).mean() > 0.6


def test_an_encoder_that_reads_no_texts_as_long_ends_the_night_before_its_search(
    world: Any,
) -> None:
    make_bert(world.root / "encoder")
    _write(world.root / "people", _people(60, 0), "one.csv")
    world.write_plan(**_plan(max_tokens=64))
    record = world.night()
    assert record.outcome == "failed"
    assert "expected max_tokens of at most 32, got 64" in record.reasons[0]
    assert world.champion() is None
    assert not list((world.root / "home" / "studies").rglob("*.npy"))
