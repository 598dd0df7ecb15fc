"""Nights on which something broke: what it cost, and what it did not."""

import pytest

import flows.rows
from deployments.plans import load_plan
from flows.train import night, run_nights
from learning.reports.page import page
from nightshift.summary import night_summary
from schemas.faults import NightFailed, ObjectMissing
from schemas.night import Night
from tasks.ledger.champions import champion, move_champion
from tasks.registry import versions
from tasks.storage import LocalStore
from tests.flows.conftest import PLAN, SMALL
from tests.nightshift.records import printed

pytestmark = pytest.mark.filterwarnings("default")


def test_mlflow_down_keeps_the_studies_and_promotes_nothing(world, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    record = world.night()
    assert record.outcome == "failed"
    assert "127.0.0.1:9" in record.reasons[0]
    assert world.champion() is None
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    record = world.night()
    assert record.outcome == "promoted"
    night = world.told(record)
    assert sum(study["resumed"] for study in night["studies"]) == 4


def test_a_damaged_champion_is_refused_and_the_one_before_stands_in(world):
    world.night()
    world.drop("2026-01-02.csv", rows=400, seed=5, shift=8.0)
    (second,) = run_nights([world.plan])
    store = world.store
    if second.outcome != "promoted":  # make version 2 champion by hand: its bytes are what counts
        now, generation = champion(store, "tiny")
        version = versions(store, "tiny")[-1]
        updated = {"version": version.number, "digest": version.digest, "previous": now.version}
        move_champion(store, "tiny", now.model_copy(update=updated), generation)
    folder = world.root / "home" / "state" / "models" / "tiny"
    damaged = folder / versions(store, "tiny")[-1].run_id / "model" / "features.skops"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    world.drop("2026-01-03.csv", rows=60, seed=6)
    third = world.night()
    assert third.outcome in {"promoted", "held", "insufficient-evidence"}
    assert any("version 2 was refused" in reason for reason in third.reasons)
    assert third.verdict.reference == "version 1"


def test_a_first_champion_that_is_damaged_stops_the_night_until_it_is_restored(world):
    record = world.night()
    folder = world.root / "home" / "state" / "models" / "tiny" / record.run_id / "model"
    whole = (folder / "model.json").read_bytes()
    (folder / "model.json").write_text("{}")
    world.drop("2026-01-02.csv", rows=60, seed=6)
    second = world.night()
    assert second.outcome == "failed"
    assert f"Restore the files under {folder}" in second.reasons[0]
    assert world.champion().version == 1
    (folder / "model.json").write_bytes(whole)
    assert world.night().outcome in {"promoted", "held", "insufficient-evidence"}


def test_a_finalist_that_can_not_be_fitted_leaves_the_night_to_the_baseline(world, monkeypatch):
    import tasks.tuning

    def broken(job):
        raise NightFailed("no memory left")

    fitted = tasks.tuning.fit_final.fn

    def fit(name, recipe, threads, bench):
        return broken(None) if "trial" in name else fitted(name, recipe, threads, bench)

    monkeypatch.setattr("flows.search.fit_final", tasks.tuning.task(fit, name="fit"))
    record = world.night()
    assert record.outcome == "promoted"
    assert record.contender == "class-weighted logistic regression"
    assert "no memory left" in record.reasons


def test_a_night_without_a_trial_says_that_the_baseline_stands_alone_and_what_to_do(world):
    record = world.night(budget_minutes=0.001)
    assert record.outcome == "promoted"
    assert record.contender == "class-weighted logistic regression"
    told = (
        "no trial ended in the budget of 0.001 minutes (logistic-regression, lightgbm); the "
        "baseline stands. Raise search.budget_minutes (or --budget-minutes), or give fewer or "
        "cheaper families."
    )
    assert told in record.reasons
    assert told in printed(night_summary(record)).replace("\n", " ")
    assert told in page(Night.model_validate(world.told(record)))


def test_a_second_look_at_a_source_that_changed_records_only_what_it_found(world, monkeypatch):
    world.write_plan(**SMALL, dataset=PLAN["dataset"] | {"marker": "_SUCCESS"})
    drops = world.root / "drops"
    (drops / "_SUCCESS").touch()
    (drops / "late").mkdir()
    world.drop("late/2026-01-02.csv", rows=60, seed=1)
    read = flows.rows.ingest_objects

    def changed(source, manifest, *rest):
        if len(manifest.objects) == 1:
            (drops / "late" / "_SUCCESS").touch()
            raise ObjectMissing("2026-01-01.csv changed while it was being read")
        return read(source, manifest, *rest)

    monkeypatch.setattr("flows.rows.ingest_objects", changed)
    record = world.night()
    assert record.outcome == "promoted"
    assert record.manifest.objects == 2
    assert not [reason for reason in record.reasons if "wait for" in reason]


def test_a_family_that_is_left_out_is_on_record(world, client, monkeypatch):
    import tasks.tuning

    studied = tasks.tuning.run_study

    def refuse(family, **named):
        if family.classifier.kind == "lightgbm":
            raise NightFailed("the first trials all failed")
        return studied(family, **named)

    monkeypatch.setattr("tasks.tuning.run_study", refuse)
    record = world.night()
    assert record.outcome == "promoted"
    assert any("lightgbm is left out tonight" in reason for reason in record.reasons)
    left_out = client().search_runs(
        [client().get_experiment_by_name("nightshift/tiny").experiment_id],
        "tags.model_type = 'LightGBM'",
    )
    assert [run.info.status for run in left_out] == ["FAILED"]


def test_a_record_beside_the_model_that_can_not_be_written_costs_only_itself(world, monkeypatch):
    write = LocalStore.write

    def full(store, name, content, if_generation):
        if name.startswith("models/") and name.endswith("night.json"):
            raise NightFailed("no space left")
        return write(store, name, content, if_generation)

    monkeypatch.setattr(LocalStore, "write", full)
    assert world.night().outcome == "promoted"
    assert [record.outcome for record in world.history()] == ["promoted"]


def test_a_page_that_can_not_be_written_costs_only_the_page(world, monkeypatch):
    from prefect import task

    def broken(told):
        raise ConnectionError("no server")

    monkeypatch.setattr("flows.train.report", task(broken))
    assert world.night().outcome == "promoted"
    assert [record.outcome for record in world.history()] == ["promoted"]


def test_a_defect_of_ours_is_on_record_by_kind_and_place_without_its_words(world, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a cell of the data")

    monkeypatch.setattr("flows.train.scan_source", broken)
    record = world.night()
    assert record.outcome == "failed"
    assert record.reasons[0].startswith("ZeroDivisionError at test_mishaps.py:")
    assert "a cell" not in record.model_dump_json()


def test_an_alias_that_strayed_is_brought_back_by_the_next_night(world, client):
    world.night()
    client().delete_registered_model_alias("tiny", "champion")
    world.drop("2026-01-02.csv", rows=60, seed=1)
    record = world.night()
    found = client().get_model_version_by_alias("tiny", "champion")
    store = world.store
    now = next(v for v in versions(store, "tiny") if v.number == record.champion_after)
    assert str(found.version) == now.mlflow_version


def test_a_claim_that_can_not_be_given_back_costs_only_its_time(world, monkeypatch):
    def broken(store, claim):
        raise NightFailed("HTTP 503")

    world.write_plan(**SMALL)
    monkeypatch.setattr("flows.train.release", broken)
    state = night(load_plan(world.plan), "r1", return_state=True)
    assert state.is_completed()
    assert [record.outcome for record in world.history()] == ["promoted"]


def test_a_record_whose_answer_never_came_is_the_nights_own(world, monkeypatch):
    write = LocalStore.write

    def lost(store, name, content, if_generation):
        generation = write(store, name, content, if_generation)
        if name.startswith("ledger/"):
            raise NightFailed("no answer until the deadline")
        return generation

    world.write_plan(**SMALL)
    monkeypatch.setattr(LocalStore, "write", lost)
    state = night(load_plan(world.plan), "r1", return_state=True)
    assert state.is_completed()
    assert [record.outcome for record in world.history()] == ["promoted"]
