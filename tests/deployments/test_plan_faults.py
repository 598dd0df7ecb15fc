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
            "families.0.classifier.kind: expected one of logistic-regression, lightgbm, "
            "got 'lightgmb'; did you mean 'lightgbm'?",
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


@pytest.mark.parametrize("kind", ["multi-task", "multi-label"])
def test_a_label_kind_that_is_not_trained_is_refused_by_name(tmp_path, kind):
    columns = "{a: [x, y], b: [x, y]}" if kind == "multi-task" else "[a, b]"
    text = GOOD.replace(
        "{column: sign, classes: [-1, 0, 1]}", f"{{kind: {kind}, columns: {columns}}}"
    )
    assert f"'{kind}' is not trained" in faults(tmp_path, text)[0]


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
