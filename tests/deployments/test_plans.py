from pathlib import Path

import pytest

from deployments import plans
from deployments.plans import enabled_names, load_plan, shipped_names
from schemas.classifiers import LightGBM
from schemas.dataset import NumberColumn, TextColumn
from schemas.faults import PlanError
from schemas.knobs import Range
from schemas.objectives import objective_name

PLAN = """\
name: mine
enabled: true
dataset:
  source: rows
  columns: {text: text}
label: {column: sign, classes: ["no", "yes"]}
"""


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    folder = tmp_path / "plans"
    folder.mkdir()
    monkeypatch.setattr(plans, "SHIPPED", folder)
    return folder


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_plan_is_valid_and_called_as_its_file(name):
    assert load_plan(name).name == name


def test_only_the_plan_that_brings_its_own_data_is_enabled():
    assert enabled_names() == ("quickstart",)


def test_quickstart_has_64_pixels_and_one_rare_class():
    plan = load_plan("quickstart")
    assert set(plan.dataset.columns.values()) == {NumberColumn()}
    assert len(plan.dataset.columns) == 64
    assert plan.targets[0].class_texts == ("no", "yes")
    assert plan.search.budget_minutes == 1


def test_comments_has_three_classes_of_text():
    plan = load_plan("comments")
    assert plan.dataset.columns == {"clean_comment": TextColumn()}
    assert plan.targets[0].class_texts == ("-1", "0", "1")
    boosted = next(f for f in plan.families if isinstance(f.classifier, LightGBM))
    assert isinstance(boosted.classifier.rounds, Range)


def test_fire_is_judged_by_its_rare_class_on_the_latest_days():
    plan = load_plan("fire")
    assert objective_name(plan.objective) == "F1 of '2'"
    assert plan.split.by == "time"
    assert plan.targets[0].class_texts == ("0", "2")


def test_intent_draws_at_random_and_trusts_rows_by_their_confidence():
    plan = load_plan("intent")
    assert (plan.search.method, plan.search.trials) == ("random", 20)
    assert plan.dataset.weight == "confidence"
    assert {family.features.vector for family in plan.families} == {584}


def test_polarization_has_one_encoder_for_two_labels():
    plan = load_plan("polarization")
    assert [target.name for target in plan.targets] == ["sentiment", "polarization"]
    assert [target.classes for target in plan.targets] == [3, 3]
    transformer = plan.families[0].classifier
    assert transformer.encoder.model.endswith("bert-base-multilingual-cased")
    assert set(transformer.tasks) == {"sentiment", "polarization"}


def test_wellbeing_has_six_flags_and_a_deep_head_as_one_setting():
    plan = load_plan("wellbeing")
    assert len(plan.targets) == 6
    assert all(target.is_flag for target in plan.targets)
    transformer = plan.families[0].classifier
    assert transformer.encoder.model.endswith("bert-base-uncased")
    head = transformer.head
    assert (head.hidden_layers, head.hidden_width, head.halving) == ((0, 2), 384, True)


def test_the_transformer_that_comments_leaves_out_is_valid(tmp_path):
    text = (plans.SHIPPED / "comments.yaml").read_text()
    marked, uncommented = False, []
    for line in text.splitlines():
        marked = marked or line.startswith("  # - classifier")
        if marked and line.startswith("  # "):
            line = f"  {line[4:]}"
        uncommented.append(line)
    path = tmp_path / "comments.yaml"
    path.write_text("\n".join(uncommented))
    assert load_plan(str(path)).families[-1].classifier.kind == "transformer"


def intent_of_text(folder):
    """The plan `intent` as its comments say for rows without an embedding."""
    text = (plans.SHIPPED / "intent.yaml").read_text()
    made = text.replace("    embeddings: {role: embedding, dimension: 384}\n", "")
    assert made != text
    for line in ("embedding:", "  encoder:", "    model:", "    revision:"):
        assert f"        # {line}" in made
        made = made.replace(f"        # {line}", f"        {line}")
    path = folder / "intent.yaml"
    path.write_text(made)
    return path


def test_intent_can_have_its_vectors_of_584_numbers_made_of_the_text(tmp_path):
    plan = load_plan(str(intent_of_text(tmp_path)))
    (embedding,) = plan.embeddings
    assert plan.families[0].features.vector == 200 + embedding.dimension == 584
    assert embedding.encoder.model.endswith("all-MiniLM-L6-v2")
    assert load_plan("intent").embeddings == ()


def test_a_vector_that_forgets_what_is_made_of_the_text_is_refused(tmp_path):
    path = intent_of_text(tmp_path)
    path.write_text(path.read_text().replace("vector: 584", "vector: 200"))
    with pytest.raises(PlanError, match=r"vector: expected 584 \(384 of embeddings and 1 x 200 w"):
        load_plan(str(path))


def test_a_source_starts_at_the_folder_of_a_plan_given_by_path(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "mine.yaml"
    path.write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    assert load_plan("there/mine.yaml").dataset.source == str(tmp_path / "there" / "rows")
    assert load_plan(str(path), source="rows").dataset.source == str(tmp_path / "rows")
    assert load_plan(str(path), source="/a/../b").dataset.source == "/b"


def test_a_shipped_plans_source_starts_at_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_path = load_plan(str(plans.SHIPPED / "quickstart.yaml"))
    assert by_path.dataset.source == str(tmp_path / "drops" / "quickstart")
    assert by_path == load_plan("quickstart")


def test_a_uri_is_left_as_it_is():
    assert load_plan("quickstart", source="gs://bucket/x").dataset.source == "gs://bucket/x"


def test_another_place_of_the_same_rows_is_the_same_plan():
    assert load_plan("quickstart", source="a").digest == load_plan("quickstart").digest


def test_a_budget_replaces_the_plans():
    assert load_plan("quickstart", budget_minutes=7).search.budget_minutes == 7


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_budget_that_is_no_time_is_refused(minutes):
    with pytest.raises(PlanError, match="budget minutes: expected a number above 0"):
        load_plan("quickstart", budget_minutes=minutes)


def test_a_misspelt_name_is_told_its_nearest():
    with pytest.raises(PlanError, match=r"no plan 'quikstart'.*did you mean 'quickstart'\?"):
        load_plan("quikstart")


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(PlanError, match=r"There is no plan .*mine\.yaml"):
        load_plan(str(tmp_path / "mine.yaml"))


def test_a_shipped_plan_must_be_called_as_its_file(shipped):
    (shipped / "other.yaml").write_text(PLAN)
    with pytest.raises(PlanError, match=r"name: expected 'other' as the file is called"):
        load_plan("other")


def test_a_plan_that_cannot_be_read_counts_as_enabled_so_that_the_night_tells(shipped):
    (shipped / "mine.yaml").write_text(PLAN)
    (shipped / "off.yaml").write_text(PLAN.replace("enabled: true", "enabled: false"))
    (shipped / "torn.yaml").write_text(PLAN + "search: [")
    (shipped / "wrong.yaml").write_text(PLAN.replace("mine", "wrong") + "serach: {}")
    assert enabled_names() == ("mine", "torn", "wrong")


def test_classes_that_yaml_takes_for_booleans_stay_words(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(PLAN.replace('["no", "yes"]', "[no, yes]"))
    assert load_plan(str(path)).targets[0].class_texts == ("no", "yes")


def test_the_plan_in_the_readme_is_valid(tmp_path):
    readme = (plans.SHIPPED.parents[1] / "README.md").read_text()
    path = tmp_path / "spam.yaml"
    path.write_text(readme.partition("```yaml\n")[2].partition("```")[0])
    assert load_plan(str(path)).name == "spam"


def test_an_encoders_folder_starts_at_the_folder_of_its_plan(tmp_path, monkeypatch):
    path = tmp_path / "there" / "mine.yaml"
    path.parent.mkdir()
    encoder = "{kind: transformer, encoder: {model: ./encoder}}"
    path.write_text(PLAN + f"families: [{{classifier: {encoder}}}]\n")
    monkeypatch.chdir(tmp_path)
    (family,) = load_plan("there/mine.yaml").families
    assert family.classifier.encoder.model == str(tmp_path / "there" / "encoder")
