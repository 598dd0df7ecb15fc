"""Whole nights of every label kind, column kind and objective, and of rows to be set aside."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deployments.plans import load_plan
from flows.predict import predict_file
from learning.rows.sides import read_side
from learning.rows.splits import scored_in
from tasks.home import home_from

pytestmark = pytest.mark.filterwarnings("default")

MOODS = ("bad", "plain", "good")


def _people(rows: int = 300, seed: int = 0) -> list[dict[str, Any]]:
    """What a person said and when, with an embedding of it; mood and loudness can be told."""
    draw = np.random.default_rng(seed)
    told = []
    for i in range(rows):
        mood = int(draw.choice(3, p=[0.15, 0.5, 0.35]))
        loud = bool(draw.random() < 0.3)
        told.append(
            {
                "id": f"{seed}-{i}",
                "said": " ".join(draw.choice([MOODS[mood], MOODS[mood], "so", "very"], 4)),
                "shouted": loud if draw.random() < 0.9 else not loud,
                "at": f"2026-01-{1 + i % 28:02}T{9 + i % 12:02}:00:00+01:00",
                "vector": (np.eye(4)[mood] + draw.normal(scale=0.3, size=4)).round(4).tolist(),
                "trust": round(float(draw.uniform(0.5, 1.0)), 3),
                "mood": MOODS[mood],
                "loud": "yes" if loud else "no",
                "glad": int(mood == 2),
                "upset": int(mood == 0 or (loud and mood == 1)),
            }
        )
    return told


COLUMNS = {
    "said": "text",
    "shouted": "boolean",
    "at": "time",
    "vector": {"role": "embedding", "dimension": 4},
}
LABELS = {
    "single": {"column": "mood", "classes": list(MOODS)},
    "multi-task": {"kind": "multi-task", "columns": {"mood": list(MOODS), "loud": ["no", "yes"]}},
    "multi-label": {"kind": "multi-label", "columns": ["glad", "upset"]},
}


def _plan(kind: str, **changes: Any) -> dict[str, Any]:
    label = LABELS[kind]
    asked = [label["column"]] if kind == "single" else list(label["columns"])
    others = {"mood", "loud", "glad", "upset"} - set(asked)
    dataset = {
        "source": "people",
        "key": "id",
        "weight": "trust",
        "columns": COLUMNS,
        "ignore": dict.fromkeys(sorted(others), "another label"),
    }
    return {"dataset": dataset, "label": label, **changes}


def _mumbling(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fewer words of a mood, and embeddings that blur: nobody can tell each mood."""
    draw = np.random.default_rng(9)
    return [
        row
        | {
            "said": " ".join(draw.choice([row["said"].split()[0], "so", "very"], 3)),
            "vector": (np.array(row["vector"]) + draw.normal(scale=0.8, size=4)).round(4).tolist(),
        }
        for row in rows
    ]


def _write(world: Any, rows: list[dict[str, Any]], name: str = "one.jsonl") -> Path:
    path: Path = world.root / "people" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _card(world: Any, run_id: str) -> dict[str, Any]:
    path = world.root / "home" / "state" / "models" / "tiny" / run_id / "night.json"
    told: dict[str, Any] = json.loads(path.read_text())
    return told


@pytest.mark.parametrize("kind", LABELS)
def test_every_label_kind_has_its_night_and_its_answers(world: Any, kind: str) -> None:
    _write(world, _people())
    world.write_plan(**_plan(kind))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert record.figures["challenger_macro_f1"] > 0.75
    card = _card(world, record.run_id)["judgement"]["cards"]["challenger"]
    assert [target["name"] for target in card["targets"]] == (
        ["mood"] if kind == "single" else list(LABELS[kind]["columns"])
    )
    _write(world, _people(60, seed=7), "new.jsonl").rename(world.root / "new.jsonl")
    plan, home = load_plan(world.plan), home_from({"NIGHTSHIFT_HOME": str(world.root / "home")})
    predict_file(plan, home, world.root / "new.jsonl", world.root / "answers.csv")
    answers = pd.read_csv(world.root / "answers.csv")
    truth = pd.DataFrame(_people(60, seed=7))
    name = {"single": "prediction", "multi-task": "mood_prediction", "multi-label": "glad"}[kind]
    asked = "glad" if kind == "multi-label" else "mood"
    assert (answers[name] == truth[asked]).mean() > 0.8
    assert answers["id"].tolist() == truth["id"].tolist()


def test_a_second_night_of_several_labels_is_judged_task_by_task(world: Any) -> None:
    _write(world, _people())
    world.write_plan(**_plan("multi-task"))
    world.night()
    _write(world, _people(80, seed=3), "two.jsonl")
    record = world.night()
    assert record.outcome in {"promoted", "held", "insufficient-evidence"}
    assert record.verdict.reference == "version 1"
    changes = record.verdict.target_changes
    assert [change.name for change in changes] == ["mood", "loud"]
    assert [(change.target, change.name) for change in record.verdict.class_changes] == [
        *(("mood", mood) for mood in MOODS),
        ("loud", "no"),
        ("loud", "yes"),
    ]
    judgement = _card(world, record.run_id)["judgement"]
    cards = judgement["cards"]
    for each in cards["challenger"]["targets"][0]["classes"]:
        inside = [
            w for w in judgement["within"] if (w["target"], w["name"]) == ("mood", each["name"])
        ]
        assert {w["given"] for w in inside} == {"loud"}
        assert sum(w["hits"] for w in inside) == each["hits"]
        assert sum(w["support"] for w in inside) == each["support"]
    champion, challenger = cards["champion"], cards["challenger"]
    for change, old, new in zip(changes, champion["targets"], challenger["targets"], strict=True):
        assert new["name"] == change.name
        assert new["score"]["value"] > 0.75
        expected = new["score"]["value"] - old["score"]["value"]
        assert change.score.value == pytest.approx(expected)
    assert record.verdict.difference.value == pytest.approx(
        np.mean([change.score.value for change in changes])
    )
    worst = min(target["accuracy"] for target in challenger["targets"])
    assert 0.7 < challenger["exact_match"] <= worst


def test_labels_of_which_each_row_has_one_are_told_as_one_label(world: Any) -> None:
    rows = [{**row, "upset": 1 - row["glad"]} for row in _people()]
    _write(world, rows)
    world.write_plan(**_plan("multi-label"))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert any("kind: single" in reason for reason in record.reasons)


@pytest.mark.parametrize(
    ("objective", "told", "constant"),
    [
        ({"kind": "average-precision", "of": "bad"}, "PR-AUC of 'bad'", 0.15),
        ("balanced-accuracy", "balanced accuracy", 1 / 3),
    ],
    ids=["average-precision", "balanced-accuracy"],
)
def test_other_objectives_rank_and_judge(
    world: Any, objective: Any, told: str, constant: float
) -> None:
    _write(world, _people())
    world.write_plan(**_plan("single", objective=objective))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert record.objective == told
    assert record.verdict.reference.startswith("always '")
    score = record.figures["challenger_score"]
    assert 0.75 < score <= 1
    assert score - record.verdict.difference.value == pytest.approx(constant, abs=0.06)


def test_objectives_that_want_a_class_found_decide_for_it_more_often(world: Any) -> None:
    _write(world, _mumbling(_people(900)))
    family = {"classifier": {"kind": "logistic-regression"}}
    decided, right = {}, {}
    for name, objective in {
        "macro-F1": "macro-f1",
        "F2": {"kind": "f-beta", "of": "bad", "beta": 2.0},
        "cost": {"kind": "cost", "costs": {"bad": {"plain": 8.0, "good": 8.0}}},
    }.items():
        world.write_plan(**_plan("single", families=[family], objective=objective))
        record = world.night()
        assert record.verdict is not None, record.reasons
        (target,) = _card(world, record.run_id)["judgement"]["cards"]["challenger"]["targets"]
        decided[name], right[name] = (target["classes"][0][of] for of in ("predicted", "hits"))
        score = record.figures["challenger_score"]
        assert score < 0 if name == "cost" else 0.5 < score < 1
    for name in ("F2", "cost"):
        assert decided[name] > 1.5 * decided["macro-F1"]  # measured: 3 and 5 times
        assert right[name] > right["macro-F1"]


def test_rows_that_break_the_schema_are_set_aside_and_the_night_goes_on(world: Any) -> None:
    rows = _people()
    rows[3]["mood"], rows[40]["vector"] = "angry", [1.0]
    _write(world, rows)
    world.write_plan(**_plan("single"))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert sum(record.quarantined.values()) == 2
    (aside,) = (world.root / "home" / "quarantine" / "tiny").glob("*.csv")
    told = pd.read_csv(aside)
    assert told["row"].tolist() == [4, 41]
    assert told["reasons"][0].startswith("column 'mood': expected one of 'bad'")
    assert world.night().outcome == "skipped"


def test_too_many_rows_that_break_the_schema_reject_the_data_and_keep_the_champion(
    world: Any,
) -> None:
    _write(world, _people())
    world.write_plan(**_plan("single"))
    assert world.night().outcome == "promoted"
    _write(world, [{**row, "mood": "angry"} for row in _people(30, seed=5)], "two.jsonl")
    record = world.night()
    assert record.outcome == "rejected-data"
    assert world.champion().version == 1


@pytest.mark.parametrize(
    ("search", "trials"),
    [({"method": "grid"}, 4), ({"method": "random", "trials": 3}, 3), ({"method": "none"}, 1)],
    ids=lambda search: search["method"] if isinstance(search, dict) else "",
)
def test_other_search_methods_try_what_they_say(
    world: Any, search: dict[str, Any], trials: int
) -> None:
    _write(world, _people())
    settings = {"C": [0.1, 1.0], "penalty": ["l1", "l2"], "solver": "liblinear"}
    features = {"text": {"weighting": "tfidf", "ngram_max": 1, "min_df": 2}}
    family = {"classifier": {"kind": "logistic-regression", **settings}, "features": features}
    world.write_plan(
        **_plan(
            "single",
            families=[family],
            imbalance=[{"kind": "class-weights"}],
            search={"budget_minutes": 1, "workers": 2, **search},
        )
    )
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    assert record.figures["trials"] == trials


def test_shuffled_splits_judge_like_folds(world: Any) -> None:
    _write(world, _mumbling(_people()))
    search = {"budget_minutes": 1, "workers": 2, "trials": 2, "validation": "shuffle"}
    search |= {"validation_share": 0.3}
    world.write_plan(**_plan("single", search=search))
    record = world.night()
    assert record.outcome == "promoted", record.reasons
    told = _card(world, record.run_id)
    for study in told["studies"]:
        scores = study["trials"][0]["fold_scores"]
        assert len(scores) == 3
        assert len(set(scores)) > 1
    folds = read_side(told["rows"]["train"], ["__fold"])["__fold"].to_numpy()
    scored = np.array([scored_in(folds, split) for split in range(3)])
    np.testing.assert_allclose(scored.mean(axis=1), 0.3, atol=0.02)
    assert (scored.sum(axis=0) > 1).any()  # unlike folds, splits are drawn apart
    assert not (scored[0] == scored[1]).all()
