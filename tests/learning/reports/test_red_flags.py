"""What the report warns of, each with its figure, and what it lets pass."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from learning.reports.files import judgement_files
from learning.reports.page import page
from learning.reports.red_flags import THRESHOLD, red_flags
from schemas.knobs import Setting
from schemas.night import BASELINE, Night
from schemas.results import RedFlag
from schemas.trials import FitEpoch
from tests.learning.records import LABELS, MOOD, POLARITY, night, scorecard, target_score

GOOD = [[20, 1, 1], [1, 20, 1], [1, 1, 20]]


def _night(
    confusion: Sequence[Sequence[int]] = GOOD,
    train_score: float = 0.9,
    areas: tuple[float | None, ...] = (0.9, 0.9, 0.9),
    losses: Sequence[float] = (),
    held: Sequence[float] = (),
    **settings: Setting,
) -> Night:
    told = night(MOOD)
    score = target_score(MOOD, confusion)
    card = scorecard(MOOD).model_copy(
        update={"score": score.score, "macro_f1": score.score, "targets": (score,)}
    )
    fit = told.fits[BASELINE]
    history = tuple(
        FitEpoch(
            epoch=n,
            train_loss=loss,
            learning_rate=1e-5,
            seconds=1.0,
            held_loss=held[n - 1] if held else None,
        )
        for n, loss in enumerate(losses, start=1)
    )
    choice = fit.calibrations[0].model_copy(update={"average_precision": areas})
    known = {f"classifier.loss.{name}": setting for name, setting in settings.items()}
    update = {
        "train_score": train_score,
        "calibrations": (choice,),
        "history": history,
        "settings": fit.settings | known,
    }
    judgement = told.judgement.model_copy(update={"cards": {"challenger": card}})
    fits = {BASELINE: fit.model_copy(update=update)}
    return told.model_copy(update={"judgement": judgement, "fits": fits})


def _only(told: Night) -> RedFlag:
    (flag,) = red_flags(told)
    return flag


def test_a_good_night_has_no_flag_and_no_heading_for_them() -> None:
    assert red_flags(_night()) == ()
    assert "Red flags" not in page(_night())
    assert json.loads(judgement_files(_night())["red_flags.json"]) == []


def test_a_training_score_far_above_the_holdout_is_overfitting() -> None:
    poor = [[12, 5, 5], [5, 12, 5], [5, 5, 12]]
    flag = _only(_night(poor, train_score=0.99))
    assert flag.kind == "overfitting"
    assert "macro-F1 is 0.9900 on the training rows and 0.5455" in flag.told
    assert "Regularise more" in flag.told
    # The interval reaches to 0.6455, and 0.2 is allowed above it.
    assert red_flags(_night(poor, train_score=0.84)) == ()


def test_costs_have_no_scale_to_call_them_overfitted() -> None:
    told = _night(train_score=-0.1)
    card = told.judgement.cards["challenger"]
    cost = card.score.model_copy(update={"value": -9.0, "low": -10.0, "high": -8.0})
    cards = {"challenger": card.model_copy(update={"score": cost})}
    judgement = told.judgement.model_copy(update={"cards": cards})
    assert red_flags(told.model_copy(update={"judgement": judgement})) == ()


def test_a_loss_that_falls_rises_and_falls_again_oscillates() -> None:
    flag = _only(_night(losses=(1.0, 0.5, 0.9, 0.4)))
    assert flag.kind == "oscillating loss"
    assert "the training loss turned 2 times (1.0000, 0.5000, 0.9000, 0.4000)" in flag.told
    assert "Lower training.learning_rate" in flag.told


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"losses": (1.0, 0.5, 0.51, 0.4, 0.41, 0.3)}, id="ripples"),
        pytest.param({"losses": (1.0, 0.6, 0.4), "held": (0.9, 0.7, 1.2)}, id="turned once"),
        pytest.param({"losses": (1.0, 0.5, 0.9, 0.4), "deferred": 0.5}, id="another loss later"),
        pytest.param(
            {"losses": (1.0, 0.5, 0.9, 0.4), "r_drop": 1.0, "r_drop_warm_up": 2}, id="warm-up"
        ),
    ],
)
def test_a_loss_that_moves_for_another_reason_does_not_oscillate(told: dict[str, object]) -> None:
    assert red_flags(_night(**told)) == ()  # type: ignore[arg-type]


def test_the_rows_held_back_tell_of_swings_too() -> None:
    flag = _only(_night(losses=(1.0, 0.9, 0.8, 0.7), held=(0.5, 1.0, 0.5, 1.0)))
    assert "the loss on rows held back turned 2 times" in flag.told


@pytest.mark.parametrize(
    ("area", "words"), [(0.8, "the threshold, as its rows are ranked well"), (0.1, "the data")]
)
def test_a_class_at_zero_is_diagnosed_by_how_well_it_is_ranked(area: float, words: str) -> None:
    never = [[0, 11, 11], [0, 22, 0], [0, 0, 22]]
    flag = _only(_night(never, train_score=0.5, areas=(area, 0.9, 0.9)))
    assert flag.kind == "class at zero"
    assert flag.told.startswith("F1 of 'sad' is 0 on 22 holdout rows: average precision out of ")
    assert words in flag.told


def test_precision_and_recall_far_apart_are_told_with_both_figures() -> None:
    apart = [[8, 14, 0], [0, 60, 0], [0, 0, 22]]
    flag = _only(_night(apart, areas=(0.9, 0.9, 0.9)))
    assert flag.kind == "precision and recall apart"
    assert "precision of 'sad' is 1.0000 and recall 0.3636" in flag.told
    assert "the threshold" in flag.told
    assert "the data" in _only(_night(apart, areas=(0.5, 0.9, 0.9))).told


def test_a_handful_of_rows_is_not_called_unbalanced() -> None:
    assert red_flags(_night([[2, 6, 0], [0, 60, 0], [0, 0, 22]])) == ()


def test_fits_of_before_are_told_without_a_diagnosis() -> None:
    never = [[0, 11, 11], [0, 22, 0], [0, 0, 22]]
    assert "20 rows to train on" in _only(_night(never, train_score=0.5, areas=())).told


def test_no_curve_has_a_best_f1_further_below_its_area_than_a_sound_threshold_may_be() -> None:
    """Where every cut has an F1 of at most f, precision at recall r is at most f r / (2 r - f)."""
    best = np.linspace(0.01, 0.99, 99)
    start = best / (2 - best)  # of less recall the precision may be 1
    rest = (1 - start) / 2 + best / 4 * np.log((2 - best) / (2 * start - best))
    gap = start + best * rest - best
    assert 0.15 < gap.max() < THRESHOLD


def test_flags_stand_on_the_page_and_in_a_file_and_are_no_markup() -> None:
    told = night(POLARITY, MOOD)
    fit = told.fits[BASELINE].model_copy(update={"train_score": 1.0})
    card = scorecard(POLARITY, MOOD)
    named = card.targets[0].classes[0].model_copy(update={"f1": 0.0})
    target = card.targets[0].model_copy(update={"classes": (named, card.targets[0].classes[1])})
    card = card.model_copy(update={"targets": (target, card.targets[1])})
    judgement = told.judgement.model_copy(update={"cards": {"challenger": card}})
    told = told.model_copy(update={"judgement": judgement, "fits": {BASELINE: fit}})
    assert "F1 of '&lt;img onerror=x&gt;' of polarity is 0 on 3 holdout rows" in page(told)
    assert page(told).index("## Red flags") < page(told).index("## What contends")
    kinds = [flag["kind"] for flag in json.loads(judgement_files(told)["red_flags.json"])]
    assert kinds == ["overfitting", "class at zero"]


def test_of_many_labels_only_their_presence_is_told() -> None:
    told = [flag.told for flag in red_flags(night(*LABELS))]
    assert any(line.startswith("F1 of 'threat' is 0 on 1 holdout row:") for line in told)
    assert not [line for line in told if "'0'" in line or "'1'" in line]
