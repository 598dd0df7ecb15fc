"""Whole comparisons, small ones, against a Prefect test server, real MLflow and real workers."""

import os
import re

import pytest
from mlflow import MlflowClient

import flows.variants
from deployments.plans import load_plan
from flows.variants import variants
from learning.variants.listing import variants as variants_of
from schemas.faults import DataRejected, NightFailed
from schemas.plan import Plan
from schemas.variants import Variant, VariantTable
from tasks.tidying import tidy

pytestmark = pytest.mark.filterwarnings("default")


def _asked(plan: Plan, *factors: str) -> tuple[Variant, ...]:
    return variants_of(plan.families[0], plan.imbalance, plan.dataset.columns, factors)


def _compared(world, *factors: str, repeats: int = 2, **changes) -> VariantTable:
    plan = load_plan(world.plan, **changes)
    return variants(plan, "logistic-regression", _asked(plan, *factors), repeats)


@pytest.fixture
def client(world):
    return lambda: MlflowClient(f"sqlite:///{world.root}/home/mlflow/mlflow.db")


def _runs(client):
    found = client().get_experiment_by_name("nightshift/tiny")
    return client().search_runs([found.experiment_id])


def test_a_comparison_tells_every_variant_and_promotes_nothing(world, client):
    table = _compared(world, "imbalance")
    assert [score.standing for score in table.scores].count("base") == 1
    assert {score.repeats for score in table.scores} == {2}
    assert all(score.score.value > 0.5 for score in table.scores)
    assert all(score.difference is not None for score in table.scores[1:])
    assert world.history() == []
    assert world.champion() is None


def test_mlflow_has_a_run_a_variant_below_the_one_of_the_table(world, client):
    table = _compared(world, "C")
    parents = [run for run in _runs(client) if run.info.run_name == "tiny_variants"]
    below = [run for run in _runs(client) if "mlflow.parentRunId" in run.data.tags]
    assert [run.info.run_id for run in parents] == [table.mlflow_run]
    assert {run.info.run_name for run in below} == {score.variant.name for score in table.scores}
    assert {run.data.tags["mlflow.parentRunId"] for run in below} == {table.mlflow_run}
    files = {file.path for file in client().list_artifacts(table.mlflow_run)}
    assert files == {"variants.csv", "variants.json"}
    for score in table.scores:
        (run,) = (run for run in below if run.info.run_name == score.variant.name)
        assert run.data.metrics["val_macro_f1"] == pytest.approx(score.score.value)


def test_the_same_again_fits_nothing_and_says_the_same(world):
    first = _compared(world, "C")
    answers = list((world.root / "home" / "studies" / "tiny.variants").rglob("*.npy"))
    made = {path: path.stat().st_mtime_ns for path in answers}
    again = _compared(world, "C")
    assert len(answers) == 2 * 3 * len(first.scores)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert again.scores == first.scores


def test_a_night_that_ends_meanwhile_takes_nothing_from_a_comparison(world, monkeypatch):
    ends = iter(range(9))
    fitted = flows.variants.fit_repeat

    def meanwhile(*given: object) -> object:
        home, number = world.root / "home", next(ends)
        nights = [home / name / "tiny" for name in ("studies", "work")]
        tidy(nights, home / "cache" / "tiny", home / "quarantine" / "tiny", [], keep=0)
        if number:  # dealt anew by then, from the shards of the first repeat
            assert list((home / "cache" / "tiny.variants").rglob("*.parquet"))
        return fitted(*given)

    monkeypatch.setattr(flows.variants, "fit_repeat", meanwhile)
    assert {score.repeats for score in _compared(world, "C").scores} == {2}


def test_folders_of_a_comparison_are_marked_as_used_at_each_repeat(world):
    _compared(world, "C")
    for name in ("studies", "work"):
        for folder in (world.root / "home" / name / "tiny.variants").iterdir():
            os.utime(folder, (0, 0))
    _compared(world, "C")
    ages = [
        folder.stat().st_mtime
        for name in ("studies", "work")
        for folder in (world.root / "home" / name / "tiny.variants").iterdir()
    ]
    assert len(ages) == 4
    assert min(ages) > 0


def test_repeats_deal_the_rows_anew_and_look_at_no_row_of_the_holdout(world):
    table = _compared(world, "C", repeats=3)
    assert table.rows < 300
    assert len({score.repeat_scores for score in table.scores}) > 1
    assert all(len(set(score.repeat_scores)) > 1 for score in table.scores[:1])


def test_a_variant_that_fails_is_told_and_left_out(world):
    family = {"classifier": {"kind": "logistic-regression", "C": 1.0, "penalty": ["l2", "l1"]}}
    world.write_plan(families=[family])
    table = _compared(world, "penalty")
    base, failed = table.scores
    assert (base.standing, failed.standing, failed.score) == ("base", "failed", None)
    assert "l1" in failed.variant.name
    assert failed.note


def test_a_base_that_fails_ends_the_comparison(world):
    family = {
        "classifier": {
            "kind": "logistic-regression",
            "C": [1.0, 2.0],
            "penalty": ["l1"],
            "first": [],
        }
    }
    world.write_plan(families=[family])
    with pytest.raises(NightFailed, match=r"base recipe of logistic-regression has no answers"):
        _compared(world, "C")


def test_a_budget_that_is_up_at_once_says_so(world):
    with pytest.raises(NightFailed, match=r"the time was up.*--budget-minutes"):
        _compared(world, "C", budget_minutes=1e-6)


def test_rejected_data_is_told(world):
    world.drop("2026-01-01.csv", rows=3)
    with pytest.raises(DataRejected):
        _compared(world, "C")


def test_a_defect_is_told_by_kind_and_place_without_its_words(world, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("the cell 'secret'")

    monkeypatch.setattr(flows.variants, "scan_source", broken)
    with pytest.raises(NightFailed, match=r"RuntimeError at test_variants\.py:\d+") as told:
        _compared(world, "C")
    assert not re.search("secret", str(told.value))


def test_several_labels_and_another_objective_are_compared(world):
    label = {"kind": "multi-task", "columns": {"y": ["no", "yes"], "colour": ["red", "blue"]}}
    columns = {"x": "number", "noise": "number"}
    dataset = {"source": "drops", "key": "id", "columns": columns}
    world.write_plan(label=label, dataset=dataset, objective="balanced-accuracy")
    table = _compared(world, "C")
    assert table.objective == "balanced accuracy"
    assert {each.target for each in table.scores[0].classes} == {"y", "colour"}
