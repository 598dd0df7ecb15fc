"""What resampling puts into the probabilities, and that it is all taken out again."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from imblearn.under_sampling import NearMiss, TomekLinks
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from learning.deciding.calibration import apply, fit_calibration
from learning.deciding.metrics import log_loss
from learning.deciding.priors import prior_shift, shifted
from learning.families.answering import predict_probabilities
from learning.features.layout import Layout
from learning.imbalance.samplers import class_weights, resample, resamplers
from learning.searching.fitting import fit_targets
from schemas.classifiers import BalancedRandomForest
from schemas.features import Features
from schemas.label import SingleLabel, targets
from schemas.samplers import Synthesising
from schemas.trials import Candidate
from tests.learning.kinds import SAMPLERS
from tests.learning.worlds import world

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

SHARES = {"two classes": (0.95, 0.05), "three classes": (0.82, 0.14, 0.04)}


@dataclass(frozen=True)
class Sample:
    """Rows about each class's centre; `truth` is how likely each class is, given the row."""

    X: Matrix
    labels: Labels
    truth: Matrix


def _sample(shares: tuple[float, ...], rows: int, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [1.5, 0.3], [-0.4, 1.8]])[: len(shares)]
    labels = rng.choice(len(shares), size=rows, p=shares)
    X = centres[labels] + rng.normal(size=(rows, 2))
    distance = ((X[:, None] - centres) ** 2).sum(2)
    return Sample(X, labels, softmax(np.log(shares) - distance / 2, axis=1))


METHODS = [name for name in SAMPLERS if name != "none"]
EXACT = [name for name in METHODS if not isinstance(SAMPLERS[name], Synthesising)]
"""Methods that change nothing but the shares of classes."""


@dataclass(frozen=True)
class Fitted:
    """Logistic regressions whose answers are averaged, and the rows a class that they have seen."""

    models: list[LogisticRegression]
    trained: NDArray[np.float64]

    def answers(self, X: Matrix) -> Matrix:
        return np.asarray(np.mean([model.predict_proba(X) for model in self.models], axis=0))


def _fitted(method: str, train: Sample) -> Fitted:
    spec, counts = SAMPLERS[method], np.bincount(train.labels).tolist()
    weights = class_weights(spec, counts)
    models, trained = [], np.zeros(len(counts))
    for chain in resamplers(spec, counts, 0, Layout(train.X.shape[1])):
        seen = resample(chain, train.X, train.labels, None)
        model = LogisticRegression(C=100.0, class_weight=weights)
        models.append(model.fit(seen.X, seen.labels))
        rows = np.bincount(seen.labels)
        trained += (
            rows if weights is None else rows * np.array([weights[c] for c in range(len(rows))])
        )
    return Fitted(models, trained)


@dataclass(frozen=True)
class Undone:
    """Fresh rows, and what the method made of them: as it said, without its prior, calibrated."""

    fresh: Sample
    shares: NDArray[np.float64]
    raw: Matrix
    shifted: Matrix
    calibrated: Matrix


@pytest.fixture(scope="module", params=SHARES)
def undone(request: pytest.FixtureRequest) -> Callable[[str], Undone]:
    shares = SHARES[request.param]
    train, unseen, fresh = (_sample(shares, 20_000, seed) for seed in range(3))

    @functools.cache
    def by(method: str) -> Undone:
        model = _fitted(method, train)
        shift = prior_shift(model.trained, np.bincount(train.labels))
        out_of_fold = shifted(model.answers(unseen.X), shift)
        parts = np.arange(len(unseen.labels)) % 3
        calibration = fit_calibration(out_of_fold, unseen.labels, parts, "auto")
        raw = model.answers(fresh.X)
        moved = shifted(raw, shift)
        return Undone(fresh, np.asarray(shares), raw, moved, apply(calibration, moved))

    return by


def _bias(said: Matrix, sample: Sample) -> NDArray[np.float64]:
    """Mean probability of each class against its share of the rows, in standard errors."""
    away = said - np.eye(said.shape[1])[sample.labels]
    return np.asarray(np.abs(away.mean(0)) / (away.std(0) / np.sqrt(len(away))))


def _gap_against_chance(said: Matrix, sample: Sample, bins: int = 15) -> float:
    """The worst class's mean gap between probability and share, times what chance alone gives.

    Of each class, not of the arg max: where the rare class's answers are too sure and the common
    one's too unsure, the two make up for each other in bins of the arg max.
    """
    found = []
    for c in range(said.shape[1]):
        order = np.argsort(said[:, c], kind="stable")
        p, own = said[order, c], sample.labels[order] == c
        starts = np.arange(bins) * len(p) // bins
        gaps, variances = (np.add.reduceat(each, starts) for each in (p - own, p * (1 - p)))
        found.append(np.abs(gaps).sum() / np.sqrt(2 / np.pi * variances).sum())
    return float(max(found))


@pytest.mark.parametrize("method", METHODS)
def test_left_alone_every_method_overstates_the_rare_class(
    undone: Callable[[str], Undone], method: str
) -> None:
    case = undone(method)
    assert case.raw.mean(0)[-1] > 2 * case.shares[-1]
    assert _bias(case.raw, case.fresh).max() > 20
    assert _gap_against_chance(case.raw, case.fresh) > 10


@pytest.mark.parametrize("method", METHODS)
def test_corrected_every_method_says_the_natural_shares(
    undone: Callable[[str], Undone], method: str
) -> None:
    case = undone(method)
    # Rows that calibrated and rows that are asked each add their chance: 3 of both is 4.2 of one.
    assert _bias(case.calibrated, case.fresh).max() < 4.2
    assert case.calibrated.mean(0) == pytest.approx(case.shares, abs=0.006)
    assert _gap_against_chance(case.calibrated, case.fresh) < 3


@pytest.mark.parametrize("method", METHODS)
def test_corrected_every_method_is_nearer_to_the_truth(
    undone: Callable[[str], Undone], method: str
) -> None:
    case = undone(method)
    before, after = (np.abs(p - case.fresh.truth).mean() for p in (case.raw, case.calibrated))
    assert after < before / 2
    assert log_loss(case.calibrated, case.fresh.labels) < log_loss(case.raw, case.fresh.labels)


@pytest.mark.parametrize("method", EXACT)
def test_where_only_shares_were_changed_the_formula_alone_suffices(
    undone: Callable[[str], Undone], method: str
) -> None:
    case = undone(method)
    assert case.shifted.mean(0) == pytest.approx(case.shares, abs=0.01)
    assert np.abs(case.shifted - case.fresh.truth).mean() < 0.01


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("method", ["none", "class-weights-half", "smote-half"])
def test_a_forest_that_balances_says_about_the_natural_shares(
    shares: tuple[float, ...], method: str
) -> None:
    train, fresh = (_sample(shares, 20_000, seed) for seed in (0, 2))
    forest = BalancedRandomForest(trees=30, min_samples_leaf=50, max_features="sqrt")
    candidate = Candidate(features=Features(), imbalance=SAMPLERS[method], classifier=forest)
    asked = targets(SingleLabel(column="label", classes=tuple(range(len(shares)))))
    (fitted,) = fit_targets(candidate, asked, train.X, Layout(2), train.labels[:, None], None, 0, 1)
    raw = predict_probabilities(fitted.classifiers, fresh.X, len(shares))
    moved = shifted(raw, prior_shift(fitted.trained, np.bincount(train.labels)))
    assert raw.mean(0)[-1] > 4 * shares[-1]
    assert moved.mean(0) == pytest.approx(shares, abs=0.03)
    assert np.abs(moved - fresh.truth).mean() < np.abs(raw - fresh.truth).mean() / 5


def test_rows_that_were_chosen_to_mislead_are_made_up_for_too() -> None:
    """NearMiss keeps the rows nearest to the rare class: not only shares are off then."""
    train, unseen, fresh = (_sample(SHARES["two classes"], 20_000, seed) for seed in range(3))
    X, labels = NearMiss(version=1).fit_resample(train.X, train.labels)
    model = LogisticRegression(C=100.0).fit(X, labels)
    shift = prior_shift(np.bincount(labels), np.bincount(train.labels))
    moved, said = (shifted(model.predict_proba(each.X), shift) for each in (unseen, fresh))
    parts = np.arange(len(moved)) % 3
    after = apply(fit_calibration(moved, unseen.labels, parts, "auto"), said)
    assert _gap_against_chance(said, fresh) > 6
    assert _gap_against_chance(after, fresh) < 3


def test_a_method_that_drops_few_rows_shifts_little() -> None:
    train = _sample(SHARES["two classes"], 4000, 0)
    _, labels = TomekLinks().fit_resample(train.X, train.labels)
    shift = prior_shift(np.bincount(labels), np.bincount(train.labels))
    assert np.abs(shift).max() < 0.05


def test_shifting_there_and_back_changes_nothing() -> None:
    case = world(500, 4, 0)
    there = prior_shift((1, 2, 3, 4), (40, 30, 20, 10))
    back = prior_shift((40, 30, 20, 10), (1, 2, 3, 4))
    assert shifted(shifted(case.truth, there), back) == pytest.approx(case.truth, abs=1e-12)


def test_it_is_bayes_rule() -> None:
    shares, other = np.array([0.9, 0.1]), np.array([0.5, 0.5])
    likelihoods = np.random.default_rng(0).uniform(0.1, 1, size=(50, 2))
    under = likelihoods * other / (likelihoods * other).sum(1, keepdims=True)
    expected = likelihoods * shares / (likelihoods * shares).sum(1, keepdims=True)
    assert shifted(under, prior_shift(other, shares)) == pytest.approx(expected, abs=1e-12)


def test_counts_and_shares_shift_alike() -> None:
    by_counts = prior_shift((50, 50), (990, 10))
    assert by_counts == pytest.approx(prior_shift((0.5, 0.5), (0.99, 0.01)))


def test_equal_shares_change_no_bit() -> None:
    case = world(50, 3, 0)
    shift = prior_shift((5, 3, 2), (50, 30, 20))
    assert shift == pytest.approx((0, 0, 0))
    assert shifted(case.truth, (0.0, 0.0, 0.0)) is case.truth


@pytest.mark.parametrize(
    ("trained", "natural"),
    [
        pytest.param((10, 0, 10), (90, 0, 10), id="in neither"),
        pytest.param((10, 0, 10), (90, 7, 10), id="not trained"),
        pytest.param((10, 5, 10), (90, 0, 10), id="not in nature"),
    ],
)
def test_a_class_that_is_absent_keeps_its_probability_against_nothing(
    trained: tuple[int, ...], natural: tuple[int, ...]
) -> None:
    shift = prior_shift(trained, natural)
    assert shift == pytest.approx((np.log(0.9 / 0.5), 0.0, np.log(0.1 / 0.5)))
    assert np.isfinite(shifted(np.array([[0.5, 0.0, 0.5]]), shift)).all()


def test_no_class_at_all_shifts_nothing() -> None:
    assert prior_shift((0, 0), (0, 0)) == (0.0, 0.0)
