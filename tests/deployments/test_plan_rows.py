"""Each shipped plan takes the rows that it describes, in every form that they come in."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from deployments.plans import load_plan, shipped_names
from learning.features.matrix import transformer
from learning.reading.tables import to_arrow
from learning.searching.space import candidate, first_points, space
from schemas.manifest import LABEL, WEIGHT
from tests.generated import PLANS, write
from tests.learning.reading.tables import whole
from tests.real_data import COMMENTS, FIRE

FORMS = ("csv", "csv.gz", "jsonl", "jsonl.gz", "parquet")


def test_every_plan_without_data_of_its_own_has_generated_rows() -> None:
    assert set(PLANS) == set(shipped_names()) - {"quickstart"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PLANS)
def test_generated_rows_are_read_whole(name: str, form: str, tmp_path: Path) -> None:
    plan, path = load_plan(name), tmp_path / f"day.{form}"
    made = PLANS[name](120, 0)
    write(made, path)
    read = whole(path, path.name, plan.dataset, plan.targets)
    assert len(read.frame) == 120
    assert read.findings == ()
    classes = [plan.targets[0].class_texts[label] for label in read.frame[f"{LABEL}0"]]
    assert classes == made[plan.targets[0].name].astype(str).to_list()


@pytest.mark.parametrize("name", PLANS)
def test_all_forms_of_the_same_rows_are_read_alike(name: str, tmp_path: Path) -> None:
    plan, made = load_plan(name), PLANS[name](60, 1)
    frames = []
    for form in FORMS:
        path = write(made, tmp_path / f"day.{form}")
        frames.append(whole(path, path.name, plan.dataset, plan.targets).frame)
    recipe = candidate(plan.families[0], plan.imbalance, {})
    features = transformer(recipe.features, plan.dataset.columns)
    first, *others = [features.fit_transform(frame) for frame in frames]
    for other in others:
        assert abs(first - other).max() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", PLANS)
def test_every_family_makes_features_of_its_first_points(name: str, tmp_path: Path) -> None:
    plan = load_plan(name)
    path = write(PLANS[name](60, 0), tmp_path / "day.parquet")
    frame = whole(path, path.name, plan.dataset, plan.targets).frame
    for family in plan.families:
        knobs = space(family, plan.dataset.columns, plan.imbalance)
        for point in first_points(family, knobs):
            settled = candidate(family, plan.imbalance, point).features
            made = transformer(settled, plan.dataset.columns).fit_transform(frame)
            assert made.shape[0] == 60
            assert np.isfinite(made.sum())


@pytest.mark.parametrize("name", PLANS)
def test_generated_rows_can_be_learned_but_not_by_heart(name: str, tmp_path: Path) -> None:
    plan = load_plan(name)
    path = write(PLANS[name](600, 0), tmp_path / "day.parquet")
    frame = whole(path, path.name, plan.dataset, plan.targets).frame
    labels = frame[f"{LABEL}0"].to_numpy()
    train = np.random.default_rng(0).random(600) < 2 / 3
    fitted = make_pipeline(
        transformer(candidate(plan.families[0], plan.imbalance, {}).features, plan.dataset.columns),
        LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000),
    ).fit(frame[train], labels[train])
    found = f1_score(labels[~train], fitted.predict(frame[~train]), average="macro")
    assert 0.6 < found < 0.99


def test_rows_kept_as_parquet_make_the_same_features(tmp_path: Path) -> None:
    plan = load_plan("intent")
    path = write(PLANS["intent"](60, 0), tmp_path / "day.csv")
    frame = whole(path, path.name, plan.dataset, plan.targets).frame
    pq.write_table(to_arrow(frame), tmp_path / "kept.parquet")
    kept = pq.read_table(tmp_path / "kept.parquet").to_pandas()
    features = candidate(plan.families[0], plan.imbalance, {}).features
    fitted = transformer(features, plan.dataset.columns).fit(frame)
    assert np.array_equal(fitted.transform(frame), fitted.transform(kept))


def test_intent_has_vectors_of_584_numbers_and_a_weight(tmp_path: Path) -> None:
    plan = load_plan("intent")
    path = write(PLANS["intent"](60, 0), tmp_path / "day.jsonl")
    frame = whole(path, path.name, plan.dataset, plan.targets).frame
    assert frame[WEIGHT].between(0.5, 1).all()
    features = candidate(plan.families[0], plan.imbalance, {}).features
    fitted = transformer(features, plan.dataset.columns).fit(frame)
    widths = {name: block.stop - block.start for name, block in fitted.output_indices_.items()}
    assert widths["words0"] + widths["embedding0"] == features.vector == 584


def test_of_a_fire_of_an_unknown_type_only_that_row_is_set_aside(tmp_path: Path) -> None:
    plan, made = load_plan("fire"), PLANS["fire"](200, 0)
    made.loc[7, "type"] = 3
    path = write(made, tmp_path / "day.csv")
    read = whole(path, path.name, plan.dataset, plan.targets)
    assert read.quarantined["row"].to_list() == [8]
    assert len(read.frame) == 199


@pytest.mark.real_data
@pytest.mark.skipif(not FIRE.exists(), reason="no such file here")
def test_the_fire_archive_is_read_as_it_is_but_for_ten_rows_offshore() -> None:
    plan = load_plan("fire")
    read = whole(FIRE, FIRE.name, plan.dataset, plan.targets)
    assert Counter(read.frame[f"{LABEL}0"]) == {0: 35_666, 1: 335}
    assert len(read.quarantined) == 10
    assert plan.dataset.quarantine.max_share > 10 / 36_011


@pytest.mark.real_data
@pytest.mark.skipif(not COMMENTS.exists(), reason="no such file here")
def test_the_comments_are_read_whole() -> None:
    plan = load_plan("comments")
    read = whole(COMMENTS, COMMENTS.name, plan.dataset, plan.targets)
    assert len(read.frame) == 37_249
    assert read.findings == ()
