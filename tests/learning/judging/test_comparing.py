"""Two models on the same rows: figures, their differences, and what chance does to them."""

from dataclasses import replace

import numpy as np
import pytest

from learning.answers import Answers
from learning.deciding import metrics
from learning.deciding.bootstrap import macro_f1_interval
from learning.judging.comparing import FEWEST, Rules, compared
from schemas.comparison import FigureChange
from schemas.objectives import AveragePrecision, MacroF1
from schemas.plan import Gate
from tests.learning.judging.verdicts import (
    BOTH,
    LABELS,
    TARGETS,
    TONES,
    answered,
    beside,
    toned,
    with_errors,
)

GATE = Gate(resamples=400)
RULES = Rules(TARGETS, MacroF1(), GATE, 0)


def _compared(before: Answers, after: Answers) -> tuple[FigureChange, ...]:
    return compared(LABELS[:, None], before, after, RULES)


def _named(found: tuple[FigureChange, ...], figure: str, **of: str) -> FigureChange:
    (one,) = (
        each
        for each in found
        if (each.figure, each.target, each.of_class)
        == (figure, of.get("target", ""), of.get("of_class", ""))
    )
    return one


def test_figures_are_those_of_the_scorecard() -> None:
    before, after = answered(with_errors(LABELS, 3)), answered(with_errors(LABELS, 5), 0.8)
    found = _compared(before, after)
    for answers, side in ((before, "first"), (after, "second")):
        counts = metrics.confusion(LABELS, answers.decisions[:, 0], 3)
        figures = metrics.class_figures(counts)
        for c, text in enumerate(TARGETS[0].class_texts):
            for name, of in (
                ("F1", figures.f1),
                ("precision", figures.precision),
                ("recall", figures.recall),
            ):
                assert getattr(_named(found, name, of_class=text), side) == pytest.approx(of[c])
        probabilities = answers.probabilities[0]
        for name, figure in (
            ("log loss", metrics.log_loss(probabilities, LABELS)),
            ("Brier score", metrics.brier(probabilities, LABELS)),
            ("accuracy", float((answers.decisions[:, 0] == LABELS).mean())),
            ("macro-F1", float(np.mean(np.array(figures.f1, dtype=float)))),
        ):
            assert getattr(_named(found, name), side) == pytest.approx(figure)


def test_noise_of_a_share_is_its_standard_error() -> None:
    found = _compared(answered(with_errors(LABELS, 3)), answered(with_errors(LABELS, 4)))
    share = 1 / 3
    expected = np.sqrt(share * (1 - share) / len(LABELS))
    assert _named(found, "accuracy").noise == pytest.approx(expected, rel=0.15)
    whole = macro_f1_interval(
        LABELS[:, None], with_errors(LABELS, 3)[:, None], TARGETS, 400, 0.6827, 0
    )
    noise = _named(found, "macro-F1").noise
    assert noise == pytest.approx((whole.high - whole.low) / 2, rel=0.25)


def test_a_model_beside_itself_differs_in_nothing() -> None:
    same = answered(with_errors(LABELS, 3))
    for each in _compared(same, same):
        assert each.difference is not None
        assert (each.difference.low, each.difference.high) == (0, 0)
        assert each.mark == "within noise"


def test_better_and_worse_change_places_with_the_models() -> None:
    few, many = answered(with_errors(LABELS, 12)), answered(with_errors(LABELS, 3))
    rose, fell = _compared(many, few), _compared(few, many)
    for name in ("macro-F1", "accuracy", "log loss", "Brier score"):
        assert _named(rose, name).mark == "better"
        assert _named(fell, name).mark == "worse"


def test_a_sure_difference_inside_the_noise_of_the_figure_is_not_called_better() -> None:
    before = with_errors(LABELS, 3)
    after = before.copy()
    mended = np.flatnonzero(before != LABELS)[:8]
    after[mended] = LABELS[mended]
    accuracy = _named(_compared(answered(before), answered(after)), "accuracy")
    assert accuracy.difference is not None
    assert accuracy.noise is not None
    assert accuracy.difference.low > 0
    assert accuracy.difference.value < accuracy.noise
    assert accuracy.mark == "within noise"


def test_a_figure_that_the_rows_cannot_give_is_not_measured() -> None:
    never = answered(np.zeros_like(LABELS))
    precision = _named(_compared(never, answered(LABELS)), "precision", of_class="1")
    assert (precision.first, precision.second) == (None, 1.0)
    assert (precision.difference, precision.mark) == (None, "not measured")


def test_each_of_several_labels_has_its_figures_and_the_whole_row_too() -> None:
    before = beside(answered(with_errors(LABELS, 6)), toned(3))
    after = beside(answered(with_errors(LABELS, 6)), toned(60))
    rules = replace(RULES, targets=BOTH)
    found = compared(np.stack([LABELS, TONES], axis=1), before, after, rules)
    assert _named(found, "macro-F1").mark == "better"
    assert _named(found, "macro-F1", target="tone").mark == "better"
    assert _named(found, "macro-F1", target="stance").mark == "within noise"
    right = _named(found, "every target right")
    assert right.first == pytest.approx(
        np.mean((before.decisions == np.stack([LABELS, TONES], axis=1)).all(axis=1))
    )


def test_another_objective_stands_first_and_macro_f1_beside_it() -> None:
    rules = replace(RULES, objective=AveragePrecision())
    found = compared(LABELS[:, None], answered(with_errors(LABELS, 3)), answered(LABELS), rules)
    assert (found[0].figure, found[0].mark) == ("PR-AUC", "better")
    assert _named(found, "macro-F1").mark == "better"


def test_of_very_many_rows_there_are_fewer_resamples_but_never_too_few() -> None:
    assert RULES.resamples(1000) == 400
    assert RULES.resamples(1_500_000) == 266
    assert RULES.resamples(10**9) == FEWEST
