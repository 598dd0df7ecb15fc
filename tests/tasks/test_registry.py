import json
import threading
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from mlflow import pyfunc
from prefect.logging import disable_run_logger

from learning.keeping.models import save
from schemas.faults import ModelRefused
from schemas.ledger import Champion, Version
from schemas.plan import Plan
from tasks.registry import (
    _requirements,
    fetch_model,
    keep_model,
    mirror_champion,
    promote,
    save_pyfunc,
    standing_champion,
    version_of,
    versions,
)
from tasks.storage import open_store
from tests.tasks.kept import COLUMNS, fitted

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quiet():
    with disable_run_logger():
        yield


@pytest.fixture
def store(tmp_path):
    (tmp_path / "state").mkdir()
    return open_store(str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "fit"
    made.mkdir()
    (made / "manifest.json").write_text("{}")
    (made / "classifier.lgb").write_text("trees")
    return made


@pytest.fixture
def beside(tmp_path):
    made = tmp_path / "judged"
    made.mkdir()
    (made / "metrics.json").write_text("{}")
    return made


def _version(run_id: str = "r1", digest: str = "d1", number: int = 1) -> Version:
    return Version(
        plan="p",
        number=number,
        digest=digest,
        family="lightgbm trial 1",
        run_id=run_id,
        created_at=NOW,
        mlflow_version=f"m-{run_id}",
    )


def _champion(version: Version, previous: int | None = None) -> Champion:
    return Champion(
        plan="p",
        version=version.number,
        digest=version.digest,
        since=NOW,
        run_id=version.run_id,
        previous=previous,
    )


def test_versions_count_up(store, folder, beside):
    for run_id in ("r1", "r2"):
        keep_model.fn(store, folder, beside, _version(run_id))
    assert [(v.number, v.run_id) for v in versions(store, "p")] == [(1, "r1"), (2, "r2")]


def test_the_same_night_kept_twice_is_one_version(store, folder, beside):
    first = keep_model.fn(store, folder, beside, _version())
    assert keep_model.fn(store, folder, beside, _version()) == first
    assert len(versions(store, "p")) == 1


def test_nights_that_register_at_once_get_different_numbers(store, folder, beside):
    numbers: list[int] = []

    def keep(run_id: str) -> None:
        with disable_run_logger():
            numbers.append(keep_model.fn(store, folder, beside, _version(run_id)).number)

    threads = [threading.Thread(target=keep, args=(f"r{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_what_is_fetched_is_the_model_without_what_stands_beside_it(
    store, folder, beside, tmp_path
):
    version = keep_model.fn(store, folder, beside, _version())
    fetched = fetch_model(store, version, tmp_path / "cache")
    assert {path.name for path in fetched.iterdir()} == {"manifest.json", "classifier.lgb"}
    assert (fetched / "classifier.lgb").read_text() == "trees"


def test_an_unknown_version_is_refused_with_the_known_ones(store, folder, beside):
    keep_model.fn(store, folder, beside, _version())
    with pytest.raises(ModelRefused, match=r"version 7 of p .* versions there: 1"):
        version_of(store, "p", 7)


def test_a_version_without_files_is_refused(store, tmp_path):
    with pytest.raises(ModelRefused, match=r"Expected the files of p version 1 .* got none"):
        fetch_model(store, _version(), tmp_path / "cache")


def test_promotion_names_the_one_before_and_mirrors_both(store, folder, beside):
    one = keep_model.fn(store, folder, beside, _version("r1", "d1"))
    two = keep_model.fn(store, folder, beside, _version("r2", "d2"))
    moved: list[Champion] = []
    mirrored: list[tuple[str, str | None, str | None]] = []

    def mirror(model: str, champion: str | None, previous: str | None) -> None:
        mirrored.append((model, champion, previous))

    promote.fn(store, two, one, None, moved.append, mirror)
    assert [(c.version, c.previous, c.digest) for c in moved] == [(2, 1, "d2")]
    assert mirrored == [("p", "m-r2", "m-r1")]


def test_there_is_no_standing_champion_before_the_first(store, tmp_path):
    assert standing_champion.fn(store, None, tmp_path) is None


def test_a_champion_without_a_verified_forerunner_stops_the_night(store, folder, beside, tmp_path):
    version = keep_model.fn(store, folder, beside, _version())
    with pytest.raises(ModelRefused):
        standing_champion.fn(store, _champion(version), tmp_path / "cache")


def test_a_fetch_that_was_killed_or_runs_elsewhere_harms_no_later_one(
    store, folder, beside, tmp_path
):
    version = keep_model.fn(store, folder, beside, _version())
    cache = tmp_path / "cache"
    (cache / ".models" / ".fetching-killed").mkdir(parents=True)
    (cache / ".models" / ".fetching-killed" / "manifest.json").write_text("half")
    threads = [threading.Thread(target=fetch_model, args=(store, version, cache)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fetched = fetch_model(store, version, cache)
    assert {path.name for path in fetched.iterdir()} == {"manifest.json", "classifier.lgb"}


def test_mirroring_survives_a_version_without_a_record(store, folder, beside):
    two = keep_model.fn(store, folder, beside, _version("r2"))
    told = []
    mirror_champion(store, _champion(two, previous=99), lambda *named: told.append(named))
    assert told == [("p", "m-r2", None)]


def test_the_saved_pyfunc_answers_the_example_that_stands_beside_it(tmp_path, capfd):
    plan = Plan.model_validate(
        {
            "name": "p",
            "dataset": {"source": "rows", "columns": dict(COLUMNS)},
            "label": {"column": "label", "classes": [-1, 0, 1]},
        }
    )
    digest = save(fitted(), tmp_path / "fit", np.arange(30, dtype=np.uint64))
    saved = save_pyfunc(tmp_path / "fit", digest, plan, tmp_path / "pyfunc")
    told = json.loads((saved / "input_example.json").read_text())
    assert told == {"columns": ["said", "amount"], "data": [["some text", 0.0]]}
    kept = {path.name for path in saved.rglob("*")}
    assert not {name for name in kept if name.endswith((".pkl", ".py"))}
    assert not kept & {"uv.lock", "pyproject.toml"}
    model = pyfunc.load_model(str(saved))
    (answer,) = model.predict(model.input_example)["prediction"]
    assert answer in (-1, 0, 1)
    assert "WARNING" not in (said := capfd.readouterr().err), said
    assert "INFO" not in said, said


def test_requirements_name_only_what_is_installed(tmp_path, monkeypatch):
    save(fitted(), tmp_path / "fit", np.arange(30, dtype=np.uint64))
    card = json.loads((tmp_path / "fit" / "model.json").read_text())
    card["libraries"] = {"numpy": "1", "no-such-network": "1"}
    (tmp_path / "fit" / "model.json").write_text(json.dumps(card))
    monkeypatch.setattr("tasks.registry._NEEDED", ("no-such-library", "pandas"))
    wanted = [f"pandas=={pd.__version__}", f"numpy=={np.__version__}"]
    assert _requirements(tmp_path / "fit") == wanted


def test_a_requirement_says_nothing_of_the_build_that_is_here(tmp_path, monkeypatch):
    save(fitted(), tmp_path / "fit", np.arange(30, dtype=np.uint64))
    monkeypatch.setattr("tasks.registry._NEEDED", ("torch",))
    monkeypatch.setattr("tasks.registry._installed", lambda name: "2.13.0+cpu")
    assert "torch==2.13.0" in _requirements(tmp_path / "fit")
