import re
from pathlib import Path
from textwrap import dedent

import pytest

from deployments.plans import load_plan
from schemas.faults import PlanError

GOOD = """\
name: x
dataset:
  source: rows
  columns: {text: text, amount: number}
label: {column: sign, classes: [-1, 0, 1]}
"""


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "x.yaml"
    path.write_text(dedent(text))
    with pytest.raises(PlanError, match=r"has \d+ fault") as told:
        load_plan(str(path))
    return str(told.value).splitlines()[1:]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("enabeld: true", "enabeld: unknown setting; did you mean 'enabled'?"),
        ("enabled: yes", 'enabled: expected a boolean, got "yes"'),
        ("search: {budget_minutes: '10'}", 'search.budget_minutes: expected a number, got "10"'),
        ("search: {folds: 1}", "search.folds: expected greater than or equal to 2, got 1"),
        ("search: {workers: true}", "search.workers: expected a whole number, got true"),
        ("search: {trails: 3}", "search.trails: unknown setting; did you mean 'trials'?"),
        ("split: {by: hour}", "split.by: expected one of hash, time, got 'hour'"),
        ("split: {by: time}", "split.by: 'time' needs dataset.time"),
        ("split: {by: time, salt: x}", "split.salt: unknown setting"),
        ("gate: 3", "gate: expected the settings of a Gate, got 3"),
        ("families: []", "families: expected at least one entry"),
        (
            "families: [{classifier: {kind: lightgmb}}]",
            "families.0.classifier.kind: expected one of logistic-regression, nb-svm, lightgbm, "
            "xgboost, random-forest, balanced-random-forest, transformer, got 'lightgmb'; did you "
            "mean 'lightgbm'?",
        ),
        (
            "families: [{classifier: {C: 1}}]",
            "families.0.classifier.kind: expected 'kind', which says what this is, got none",
        ),
        (
            "families: [{classifier: {kind: lightgbm, rounds: -1}}]",
            "families.0.classifier.rounds: expected greater than 0, got -1",
        ),
        (
            "families: [{classifier: {kind: lightgbm, rounds: {low: 9, high: 2}}}]",
            "families.0.classifier.rounds: low must be below high, got low=9 and high=2",
        ),
        (
            "families: [{classifier: {kind: lightgbm, rounds: {low: 1, hihg: 2}}}]",
            "families.0.classifier.rounds.hihg: unknown setting; did you mean 'high'?",
        ),
        (
            "families: [{classifier: {kind: lightgbm, first: [{roundz: 3}]}}]",
            "families.0.classifier.first.0.roundz: unknown setting; did you mean 'rounds'?",
        ),
        (
            "families: [{classifier: {kind: lightgbm, first: [{rounds: -3}]}}]",
            "families.0.classifier.first.0.rounds: expected greater than 0, got -3",
        ),
        (
            "families: [{classifier: {kind: lightgbm}, features: {text: {weighting: [tfidf, x]}}}]",
            "families.0.features.text.weighting.1: expected 'tfidf' or 'binary', got \"x\"",
        ),
        (
            "imbalance: [{kind: smote}, {kind: smote}]",
            "imbalance: smote stands more than once; keep one",
        ),
    ],
)
def test_a_fault_has_its_path_in_the_yaml_and_its_line(tmp_path, more, told):
    lines = faults(tmp_path, GOOD + more)
    assert any(line.startswith(f"  {told}") for line in lines)
    assert all(re.search(r"x\.yaml:6\)$", line) for line in lines)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path):
    lines = faults(
        tmp_path,
        """\
        name: Bad Name
        dataset:
          source: rows
          columns:
            text: txet
            both: number
            amount: {role: number, low: x}
          ignore: {both: why}
        label: {column: sign, classes: [a]}
        search: {folds: 1}
        """,
    )
    paths = [line.strip().split(":")[0] for line in lines]
    assert paths == [
        "name",
        "dataset.columns.text",
        "dataset.columns.amount.low",
        "label.classes",
        "search.folds",
    ]


def test_contradictions_are_told_beside_faults_of_single_settings(tmp_path):
    lines = faults(
        tmp_path,
        """\
        name: x
        dataset:
          source: rows
          columns: {sign: number, amount: number}
        label: {column: sign, classes: [a, b]}
        search: {folds: 1}
        families: [{classifier: {kind: lightgbm, rounds: 0}}, {features: {}}]
        """,
    )
    told = "\n".join(lines)
    assert "dataset.columns.sign: the label can't be a feature too; remove it" in told
    assert "search.folds" in told
    assert "families.1.classifier: expected a setting, got none; add it" in told


SEVERAL = {
    "multi-task": "{kind: multi-task, columns: {a: [x, y], b: [x, y]}}",
    "multi-label": "{kind: multi-label, columns: [a, b]}",
}


@pytest.mark.parametrize("kind", SEVERAL)
@pytest.mark.parametrize(
    "objective",
    ["{kind: f-beta, of: x}", "{kind: average-precision, of: x}", "{kind: cost, costs: {x: {}}}"],
)
def test_an_objective_that_names_a_class_asks_for_one_label(tmp_path, kind, objective):
    text = GOOD.replace("{column: sign, classes: [-1, 0, 1]}", SEVERAL[kind])
    told = faults(tmp_path, f"{text}objective: {objective}\n")[0]
    assert "objective.kind" in told
    assert "needs one label a row; expected macro-f1" in told


@pytest.mark.parametrize(
    ("objective", "path"),
    [
        ("{kind: f-beta, of: 7}", "objective.of"),
        ("{kind: cost, costs: {'0': {'7': 1.0}}}", "objective.costs.0.7"),
    ],
)
def test_an_objective_names_classes_that_there_are(tmp_path, objective, path):
    told = faults(tmp_path, f"{GOOD}objective: {objective}\n")[0]
    assert f"{path}: expected one of the classes -1, 0, 1, got 7" in told


def test_an_unknown_objective_is_told_in_its_short_form(tmp_path):
    told = faults(tmp_path, f"{GOOD}objective: macro-f2\n")[0]
    assert told.startswith("  objective: expected one of macro-f1, f-beta,")


def test_a_width_that_words_and_embeddings_do_not_make_is_a_fault(tmp_path):
    dataset = "{source: rows, columns: {said: text, e: {role: embedding, dimension: 4}}}"
    family = "{classifier: {kind: lightgbm}, features: {vector: 10, text: {max_features: 5}}}"
    text = f"name: x\ndataset: {dataset}\nlabel: {{column: sign, classes: [0, 1]}}\n"
    told = faults(tmp_path, f"{text}families: [{family}]\n")[0]
    assert (
        "families.0.features.vector: expected 9 (4 of embeddings and 1 x 5 words), got 10" in told
    )


def test_a_single_class_is_shown_and_not_taken_for_a_count(tmp_path):
    told = faults(tmp_path, GOOD.replace("[-1, 0, 1]", "[0]"))
    assert told[0].startswith("  label.classes: expected at least two classes, got only '0' (")


@pytest.mark.parametrize("name", ["Bad Name", "1st", "x" * 64, "caf\xe9"])
def test_a_bad_name_is_told_what_a_name_is_in_words(tmp_path, name):
    told = faults(tmp_path, GOOD.replace("name: x", f"name: {name}"))
    assert told[0].startswith(
        "  name: expected a small letter, then at most 62 small letters, digits, '-' and '_', "
        f"got {name!r} ("
    )


def test_a_list_and_a_sentence_are_no_plans(tmp_path):
    assert "expected settings" in faults(tmp_path, "[1, 2]")[0]
    assert "expected settings" in faults(tmp_path, "just words")[0]


def test_a_long_value_is_cut_in_the_message(tmp_path):
    assert len(faults(tmp_path, GOOD + f"search: {{folds: '{'9' * 500}'}}")[0]) < 250
