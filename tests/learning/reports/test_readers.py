"""What is told of networks: where they come from, how they were fitted, when they are no good."""

import csv

import pytest

from learning.reports.files import judgement_files
from learning.reports.page import page
from learning.reports.readers import history_csv, reader_defect, reader_lines
from schemas.night import BASELINE, Night
from schemas.trials import FitEpoch, StudyResult
from tests.learning.records import MOOD, POLARITY, night, trial

TARGETS = (POLARITY, MOOD)
HISTORY = (
    FitEpoch(
        epoch=1, train_loss=1.5, learning_rate=3e-5, seconds=2.0, held_loss=1.25,
        macro_f1=(0.5, 0.25), class_f1=((0.25, 0.75), (None, 0.25, 0.25)),
    ),
    FitEpoch(
        epoch=2, train_loss=0.5, learning_rate=1e-5, seconds=2.0, held_loss=1.5,
        macro_f1=(0.25, 0.25), class_f1=((0.25, 0.25), (0.25, 0.25, 0.25)),
    ),
)  # fmt: skip
SETTINGS = {"classifier.encoder.model": "owner/name", "classifier.encoder.revision": "a" * 40}


def read(history: tuple[FitEpoch, ...] = HISTORY) -> Night:
    told = night(*TARGETS)
    fit = told.fits[BASELINE].model_copy(update={"settings": SETTINGS, "history": history})
    return told.model_copy(update={"fits": {BASELINE: fit}})


def test_the_history_has_a_row_an_epoch_and_an_empty_cell_for_what_was_not_measured() -> None:
    rows = list(csv.DictReader(history_csv(HISTORY, TARGETS).splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["mood_macro_f1"] for row in rows] == ["0.25", "0.25"]
    assert rows[0]["mood_f1_sad"] == ""
    assert rows[0]["polarity_f1_a|b"] == "0.75"
    bare = tuple(FitEpoch(epoch=n, train_loss=1, learning_rate=1, seconds=1) for n in (1, 2))
    unscored = list(csv.DictReader(history_csv(bare, TARGETS).splitlines()))
    assert [(row["held_loss"], row["mood_f1_calm"]) for row in unscored] == [("", "")] * 2


def test_a_network_that_contends_leaves_its_history_and_its_curve() -> None:
    files = judgement_files(read())
    assert files["training_history.csv"].startswith(b"member,epoch,train_loss,held_loss")
    assert files["training_history.png"].startswith(b"\x89PNG")
    assert not any("history" in name for name in judgement_files(night(*TARGETS)))


@pytest.mark.parametrize("members", [1, 3])
def test_the_page_names_the_encoder_its_revision_and_the_epochs(members: int) -> None:
    history = tuple(e.model_copy(update={"member": m}) for m in range(members) for e in HISTORY)
    told = page(read(history))
    assert f"encoder: owner/name at revision {'a' * 40}" in told
    assert f"{2 * members} epochs" in told
    assert "macro-F1 on the rows held back, in epoch 1: polarity 0.5000, mood 0.2500" in told
    assert ("of 3 members" in told) == (members == 3)


def test_of_other_models_no_encoder_is_told() -> None:
    assert list(reader_lines(night(*TARGETS).fits[BASELINE], TARGETS)) == []


@pytest.mark.parametrize(
    ("score", "told"),
    [(0.6, "transformer trial 3 is defective: out of fold it scores 0.1000 less"), (0.7, ""),
     (0.8, "")],
)  # fmt: skip
def test_a_network_below_the_linear_baseline_is_defective(score: float, told: str) -> None:
    best = trial(3, score)
    study = StudyResult(family="transformer", trials=(best,), best=best)
    found = reader_defect(study, night(POLARITY).methods[0])
    assert found.startswith(told)
    assert bool(found) == bool(told)


def test_a_network_without_a_score_is_told_to_want_time() -> None:
    study = StudyResult(family="transformer", trials=(), best=None)
    assert "no fold ended in time" in reader_defect(study, night(POLARITY).methods[0])
