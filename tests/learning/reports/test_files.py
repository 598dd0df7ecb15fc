import csv
import json

import numpy as np
import pytest

from learning.answers import Answers
from learning.reports.figures import metrics
from learning.reports.files import (
    MOST_PICTURED,
    answer_pictures,
    ending_files,
    judgement_files,
)
from schemas.label import Target
from schemas.night import Night
from tests.learning.records import CONFUSIONS, LABELS, MOOD, POLARITY, night

PNG = b"\x89PNG"


def _answers(targets, rows, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.column_stack([rng.integers(0, target.classes, rows) for target in targets])
    parts = tuple(rng.dirichlet(np.ones(target.classes), rows) for target in targets)
    return labels, Answers(parts, np.column_stack([part.argmax(1) for part in parts]))


def test_a_judged_model_has_its_report_its_classes_and_its_confusion():
    files = judgement_files(night(POLARITY))
    for role in ("challenger", "champion"):
        assert files[f"{role}/confusion_matrix.png"].startswith(PNG)
        assert b"weighted avg" in files[f"{role}/classification_report.txt"]
        rows = list(csv.DictReader(files[f"{role}/classes.csv"].decode().splitlines()))
        assert [row["class"] for row in rows] == list(POLARITY.class_texts)
        assert rows[1]["recall"] == "0.800000"
    assert files["trials.png"].startswith(PNG)
    assert files["class_changes.png"].startswith(PNG)
    assert json.loads(files["metrics.json"]) == metrics(night(POLARITY))


def test_several_targets_have_a_folder_each():
    files = judgement_files(night(POLARITY, MOOD))
    for target in ("polarity", "mood"):
        assert files[f"challenger/{target}/confusion_matrix.png"].startswith(PNG)
        assert f"challenger/{target}/classification_report.txt" in files
    assert "challenger/classification_report.txt" not in files


def test_many_labels_share_one_report():
    files = judgement_files(night(*LABELS))
    assert b"micro avg" in files["challenger/classification_report.txt"]
    assert "challenger/toxic/confusion_matrix.png" in files
    assert "challenger/toxic/classification_report.txt" not in files


def test_a_night_without_changes_has_no_picture_of_them():
    told = night(POLARITY)
    verdict = told.judgement.verdict.model_copy(update={"class_changes": ()})
    judgement = told.judgement.model_copy(update={"verdict": verdict})
    assert "class_changes.png" not in judgement_files(
        told.model_copy(update={"judgement": judgement})
    )


def test_the_record_of_a_night_is_read_back_as_it_was():
    told = night(POLARITY, MOOD)
    assert Night.model_validate_json(ending_files(told)["night.json"]) == told


def test_a_row_of_the_confusion_is_one_line_of_the_record():
    told = ending_files(night(MOOD))["night.json"].decode().splitlines()
    assert sum(line.strip().strip(",") == "[1, 2, 0]" for line in told) == 2


def test_what_a_class_is_called_is_never_taken_for_numbers():
    named = MOOD.model_copy(update={"class_values": ("[1,\n 2]", "[\n1 ,  2]", "[  3 ]")})
    told = night(named)
    assert Night.model_validate_json(ending_files(told)["night.json"]) == told


def test_the_record_of_a_thousand_classes_stays_small(monkeypatch):
    monkeypatch.setitem(CONFUSIONS, "many", np.eye(1000, dtype=int).tolist())
    names = tuple(f"class {c}" for c in range(1000))
    many = Target(name="many", class_values=names, counted=tuple(range(1000)))
    body = ending_files(night(many))["night.json"]
    assert len(body) < 2 * 4e6  # two cards; a line a cell made 13 MB of each
    assert Night.model_validate_json(body) == night(many)


def test_what_was_before_calibration_is_in_the_reliability_picture():
    labels, answers = _answers((POLARITY, MOOD), 40)
    before = tuple(part**3 / (part**3).sum(1, keepdims=True) for part in answers.probabilities)
    alone = answer_pictures(labels, answers, (POLARITY, MOOD), "p")
    both = answer_pictures(labels, answers, (POLARITY, MOOD), "p", before)
    changed = {name for name in alone if alone[name] != both[name]}
    assert changed == {"polarity/reliability.png", "mood/reliability.png"}


def test_probabilities_are_pictured_for_each_target():
    labels, answers = _answers((POLARITY, MOOD), 40)
    pictures = answer_pictures(labels, answers, (POLARITY, MOOD), "p: challenger")
    names = ("precision_recall.png", "roc.png", "reliability.png")
    assert set(pictures) == {f"{t}/{name}" for t in ("polarity", "mood") for name in names}
    assert all(picture.startswith(PNG) for picture in pictures.values())
    labels, answers = _answers((MOOD,), 40)
    assert set(answer_pictures(labels, answers, (MOOD,), "p")) == set(names)


def test_a_holdout_of_one_row_can_be_pictured():
    labels, answers = _answers((POLARITY,), 1)
    assert len(answer_pictures(labels, answers, (POLARITY,), "p")) == 3


def test_a_hundred_labels_are_not_all_pictured():
    targets = tuple(
        Target(name=f"label {n}", class_values=(0, 1), counted=(1,))
        for n in range(MOST_PICTURED + 9)
    )
    labels, answers = _answers(targets, 30)
    assert len(answer_pictures(labels, answers, targets, "p")) == 3 * MOST_PICTURED


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".."])
def test_no_target_leads_out_of_its_folder(name):
    targets = (MOOD, Target(name=name, class_values=("x", "y"), counted=(0, 1)))
    labels, answers = _answers(targets, 10)
    for path in answer_pictures(labels, answers, targets, "p"):
        assert ".." not in path
        assert path.count("/") == 1
