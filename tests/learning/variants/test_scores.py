"""What variants are worth, from answers whose truth is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.answers import side_by_side
from learning.deciding.objectives import aims
from learning.rows.splits import scored_in
from learning.searching.oof import Truth
from learning.searching.units import Fits
from learning.variants.listing import BASE
from learning.variants.scores import Answered, answered, repeat_errors, scored
from schemas.classifiers import LogisticRegression
from schemas.features import Features
from schemas.label import SingleLabel, Target, targets
from schemas.objectives import AveragePrecision, MacroF1, Objective
from schemas.samplers import NoResampling
from schemas.trials import Candidate
from schemas.variants import Variant, VariantScore
from tests.learning.samples import TASKS
from tests.learning.worlds import world

FOLDS = 3
ROWS = 900
TWO = targets(SingleLabel(column="label", classes=("no", "yes")))
RECIPE = Candidate(
    features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=1.0)
)
Answer = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


def _honest(truth: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.float64]:
    return truth


def _noisy(scale: float) -> Answer:
    def noisy(truth: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.float64]:
        bent = truth * np.exp(draw.normal(size=truth.shape) * scale)
        return np.asarray(bent / bent.sum(1, keepdims=True))

    return noisy


def _variant(name: str) -> Variant:
    return Variant(name=name, factor="" if name == BASE else name, candidate=RECIPE)


class _Comparison:
    """Rows of a known world, dealt to folds anew in each repeat, and made-up answers to them."""

    def __init__(
        self,
        folder: Path,
        asked: tuple[Target, ...] = TWO,
        objective: Objective | None = None,
        repeats: int = 3,
    ) -> None:
        self.folder, self.asked = folder, asked
        self.worlds = [world(ROWS, each.classes, t, skew=1.5) for t, each in enumerate(asked)]
        labels = np.column_stack([each.labels for each in self.worlds])
        self.truths = {
            repeat: Truth(
                labels=labels,
                folds=np.asarray(
                    1 << np.random.default_rng(repeat).integers(0, FOLDS, ROWS), dtype=np.int32
                ),
                targets=asked,
                aims=aims(objective or MacroF1(), asked),
            )
            for repeat in range(repeats)
        }
        self.found: dict[str, dict[int, Answered]] = {}

    def answer(self, name: str, how: Answer, repeats: tuple[int, ...] | None = None) -> None:
        draw = np.random.default_rng([99, len(self.found)])  # not the world's own
        for repeat in self.truths if repeats is None else repeats:
            whole = side_by_side([how(each.truth, draw) for each in self.worlds])
            files = {}
            for fold in range(FOLDS):
                files[fold] = str(self.folder / f"{name}-{repeat}-{fold}.npy")
                np.save(files[fold], whole[scored_in(self.truths[repeat].folds, fold)])
            told = answered(self.truths[repeat], Fits(files, seconds=1.0))
            self.found.setdefault(name, {})[repeat] = told

    def scores(self, *names: str, notes: dict[str, str] | None = None) -> list[VariantScore]:
        asked = [_variant(name) for name in names]
        return list(scored(asked, self.truths, self.found, notes or {}))


def test_equal_answers_differ_by_nothing_at_all(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    compared.answer(BASE, _honest)
    compared.answer("same", _honest)
    base, same = compared.scores(BASE, "same")
    assert (base.standing, base.difference) == ("base", None)
    assert same.standing == "within noise"
    assert same.difference is not None
    assert (same.difference.value, same.difference.low, same.difference.high) == (0, 0, 0)
    assert same.score == base.score


@pytest.mark.parametrize("objective", [MacroF1(), AveragePrecision(of="yes")])
def test_better_and_worse_answers_are_told_apart(tmp_path: Path, objective: Objective) -> None:
    compared = _Comparison(tmp_path, objective=objective)
    compared.answer(BASE, _noisy(2.0))
    compared.answer("better", _honest)
    compared.answer("worse", _noisy(6.0))
    base, better, worse = compared.scores(BASE, "better", "worse")
    assert (better.standing, worse.standing) == ("better", "worse")
    for each in (better, worse):
        assert each.score is not None
        assert base.score is not None
        assert each.difference is not None
        assert each.difference.value == pytest.approx(each.score.value - base.score.value)


def test_answers_that_differ_by_chance_alone_are_hardly_ever_told_apart(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    names = [BASE, *(f"again {n}" for n in range(24))]
    for name in names:
        compared.answer(name, _noisy(1.0))
    _, *others = compared.scores(*names)
    assert sum(each.standing != "within noise" for each in others) <= 3


def test_figures_are_means_over_the_repeats(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    compared.answer(BASE, _noisy(1.0))
    (base,) = compared.scores(BASE)
    own = compared.found[BASE]
    assert base.score is not None
    assert base.repeat_scores == tuple(own[repeat].score for repeat in range(3))
    assert base.score.value == pytest.approx(np.mean(base.repeat_scores))
    assert base.macro_f1 == pytest.approx(base.score.value)
    assert base.plain_score == pytest.approx(np.mean([each.plain for each in own.values()]))
    right = [(each.decisions[:, 0] == compared.worlds[0].labels).mean() for each in own.values()]
    assert base.accuracy == pytest.approx(np.mean(right))
    assert [each.support for each in base.classes] == np.bincount(
        compared.worlds[0].labels
    ).tolist()
    assert base.macro_f1 == pytest.approx(np.mean([each.f1 for each in base.classes]))
    assert (base.repeats, base.seconds) == (3, 3.0)


def test_several_targets_have_figures_for_each_class_of_each(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path, asked=TASKS)
    compared.answer(BASE, _noisy(1.0))
    compared.answer("better", _honest)
    base, better = compared.scores(BASE, "better")
    names = [(each.target, each.name) for each in base.classes]
    assert names == [(t.name, text) for t in TASKS for text in t.class_texts]
    assert better.standing == "better"
    assert base.score is not None
    assert base.score.value == pytest.approx(np.mean(base.repeat_scores))


def test_decisions_of_all_variants_take_no_more_room_than_labels(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path, repeats=1)
    compared.answer(BASE, _honest)
    assert compared.found[BASE][0].decisions.dtype == np.int16


def test_a_variant_without_answers_has_failed_and_says_why(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    compared.answer(BASE, _honest)
    _, failed = compared.scores(BASE, "broken", notes={"broken": "ValueError: no"})
    assert (failed.standing, failed.score, failed.note) == ("failed", None, "ValueError: no")


def test_repeats_that_only_one_of_two_has_are_left_out(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    compared.answer(BASE, _noisy(6.0))
    compared.answer("late", _honest, repeats=(0, 1))
    base, late = compared.scores(BASE, "late", notes={"late": "the time was up"})
    assert (base.repeats, late.repeats, late.standing) == (3, 2, "better")
    assert late.note == "the time was up"
    assert late.difference is not None
    own = np.mean(late.repeat_scores) - np.mean(base.repeat_scores[:2])
    assert late.difference.value == pytest.approx(own)


def test_one_repeat_decides_nothing(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path, repeats=1)
    compared.answer(BASE, _noisy(4.0))
    compared.answer("better", _honest)
    assert [each.standing for each in compared.scores(BASE, "better")] == ["base", "undecided"]


def test_what_repeats_add_widens_the_interval(tmp_path: Path) -> None:
    compared = _Comparison(tmp_path)
    for name in (BASE, "again"):
        compared.answer(name, _noisy(1.0))
    _, both = compared.scores(BASE, "again")
    one = _Comparison(tmp_path, repeats=1)
    one.answer(BASE, _noisy(1.0))
    one.answer("again", _noisy(1.0))
    assert both.difference is not None
    assert both.difference.low < both.difference.value < both.difference.high


def test_errors_of_repeats_are_drawn_to_those_of_all() -> None:
    calm, wild = [0.5, 0.5, 0.5], [0.1, 0.5, 0.9]
    errors = repeat_errors({"calm": calm, "wild": wild})
    alone = np.std(wild, ddof=1) / np.sqrt(3)
    assert 0 < errors["calm"] < errors["wild"] < alone
    assert repeat_errors({"wild": wild})["wild"] == pytest.approx(alone)


def test_a_wild_variant_does_not_widen_all_others() -> None:
    calm = {f"calm {n}": [0.5, 0.5 + 0.001 * n, 0.5] for n in range(9)}
    assert repeat_errors(calm | {"wild": [0.1, 0.9, 0.5]})["calm 5"] < 0.01


@pytest.mark.parametrize("repeated", [{}, {"a": [0.5]}, {"a": [], "b": [0.1]}])
def test_without_a_second_repeat_there_is_no_error(repeated: dict[str, list[float]]) -> None:
    assert repeat_errors(repeated) == {}
