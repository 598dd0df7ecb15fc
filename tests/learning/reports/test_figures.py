import re
from typing import get_args

import pytest

from learning.reports.figures import metrics, positive_class, target_prefixes
from schemas.label import Target
from schemas.results import ClassScore
from tests.learning.records import LABELS, MOOD, POLARITY, night, target_score

TAKEN_BY_MLFLOW = re.compile(r"[/\w.\- :]{1,250}")
"""Its own check of a metric's name; ours are of fewer letters."""


def test_every_figure_of_one_target_is_the_cards_under_its_plain_name():
    told = metrics(night(POLARITY))
    card = night(POLARITY).judgement.cards["challenger"]
    (target,) = card.targets
    for name in (
        "accuracy",
        "balanced_accuracy",
        "log_loss",
        "brier",
        "ece",
        "class_ece",
        "roc_auc",
    ):
        assert told[name] == getattr(target, name)
    assert told["macro_f1"] == told["score"] == card.macro_f1.value
    assert told["macro_f1_low"] == card.macro_f1.low
    assert told["precision_macro"] == target.macro_precision
    assert told["recall_macro"] == target.macro_recall
    assert told["average_precision"] == target.average_precision
    assert told["roc_auc_class_a_b"] == 0.75
    assert told["f1_class_a_b"] == pytest.approx(0.8)
    assert told["latency_ms"] == 0.25
    assert told["champion_accuracy"] == target.accuracy
    assert told["best_val_macro_f1_lightgbm"] == 0.7
    assert told["train_macro_f1_class-weighted logistic regression"] == 0.9


def test_the_four_outcomes_of_two_classes_are_those_of_the_rarer():
    told = metrics(night(POLARITY))  # [[2, 1], [1, 4]], so the first is positive
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert [told[name] for name in names] == [2, 1, 1, 4]


def test_the_four_outcomes_of_more_classes_stand_a_class_and_sum_to_the_rows():
    told = metrics(night(MOOD))
    for text in ("sad", "calm", "glad"):
        names = [
            f"{o}_{n}_class_{text}" for o in ("true", "false") for n in ("positives", "negatives")
        ]
        assert sum(told[name] or 0 for name in names) == 8
    assert told["false_positives_class_sad"] == 2
    assert "true_positives" not in told


@pytest.mark.parametrize(
    ("confusion", "counted", "positive"),
    [
        ([[2, 0], [0, 3]], (0, 1), 0),
        ([[3, 0], [0, 2]], (0, 1), 1),
        ([[2, 0], [0, 2]], (0, 1), 1),
        ([[2, 0], [0, 3]], (1,), 1),
    ],
    ids=["first is rarer", "second is rarer", "the second of equals", "the one that counts"],
)
def test_the_positive_class(confusion, counted, positive):
    target = Target(name="t", class_values=("a", "b"), counted=counted)
    assert positive_class(target_score(target, confusion)) == positive


def test_of_three_classes_none_is_positive():
    assert positive_class(target_score(MOOD, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])) is None


def test_several_targets_stand_behind_their_names_and_over_all():
    told = metrics(night(POLARITY, MOOD))
    assert told["score"] == pytest.approx(
        ((told["polarity_score"] or 0) + (told["mood_score"] or 0)) / 2
    )
    assert told["exact_match"] == 0.5
    assert told["mood_recall_class_sad"] == 1.0
    assert told["polarity_true_positives"] == 2
    assert told["champion_mood_accuracy"] == told["mood_accuracy"]
    assert "accuracy" not in told


def test_of_many_labels_only_what_counts_is_told():
    told = metrics(night(*LABELS))
    assert told["toxic_f1_class_1"] == 0.5
    assert "toxic_f1_class_0" not in told
    assert told["toxic_true_negatives"] == 5
    assert told["threat_precision_class_1"] is None


def test_changes_against_the_reference_are_told_of_all_targets_and_classes():
    told = metrics(night(POLARITY, MOOD))
    assert told["difference_score"] == told["difference_macro_f1"] == 0.01
    assert told["difference_macro_f1_low"] == -0.02
    assert told["mood_difference_score_high"] == pytest.approx(0.12)
    assert told["mood_f1_change_class_glad_low"] == -0.1
    assert "f1_change_class_a_b" in metrics(night(POLARITY))


def test_another_objective_names_its_own_figures():
    told = metrics(night(POLARITY, objective="F2 of 'yes'"))
    assert told["best_val_f2_of_yes_lightgbm"] == 0.7
    assert told["difference_f2_of_yes"] == told["difference_score"] == 0.01
    assert "difference_macro_f1" not in told


@pytest.mark.parametrize(
    "targets", [(POLARITY,), (POLARITY, MOOD), LABELS], ids=["one", "tasks", "labels"]
)
def test_metric_names_are_of_letters_that_mlflow_takes(targets):
    for name in metrics(night(*targets)):
        assert TAKEN_BY_MLFLOW.fullmatch(name)
    assert "f1_class__img onerror_x_" in metrics(night(POLARITY))


def test_a_target_of_a_roles_name_takes_no_other_figure():
    names = ("baseline", "mood", "mo/od", "mo|od")
    prefixes = target_prefixes(names)
    assert prefixes["mood"] == "mood_"
    assert prefixes["baseline"] != "baseline_"
    assert len(set(prefixes.values())) == len(names)


def test_a_class_score_has_no_figure_that_is_not_told():
    """A new figure of the card has to be given a name here."""
    told = metrics(night(POLARITY))
    counts = {"name", "support", "predicted", "hits"}
    figures = {
        name
        for name, field in ClassScore.model_fields.items()
        if float in get_args(field.annotation)
    }
    assert figures == set(ClassScore.model_fields) - counts
    for name in figures:
        assert f"{name}_class_a_b" in told


def test_the_contenders_calibration_errors_stand_before_and_after():
    told = metrics(night(POLARITY))
    assert (told["oof_ece_before"], told["oof_ece_after"]) == (0.2, 0.05)
    told = metrics(night(POLARITY, MOOD))
    assert (told["mood_oof_ece_before"], told["mood_oof_ece_after"]) == (0.2, 0.05)
