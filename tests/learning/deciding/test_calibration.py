from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from learning.deciding.calibration import (
    Calibration,
    Isotonic,
    Sigmoid,
    Temperature,
    apply,
    fit_calibration,
    identity,
)
from learning.deciding.metrics import chance_calibration_error, expected_calibration_error, log_loss
from schemas.plan import CalibrationMethod
from tests.learning.worlds import World, world

METHODS: tuple[CalibrationMethod, ...] = get_args(CalibrationMethod)
FITTED: tuple[CalibrationMethod, ...] = ("temperature", "sigmoid", "isotonic")
READER: TypeAdapter[Calibration] = TypeAdapter(Calibration)


def _fit(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    method: CalibrationMethod = "temperature",
) -> Calibration:
    return fit_calibration(probabilities, labels, np.arange(len(labels)) % 5, method)


def _whole(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _sharpened(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return _whole(truth**2.5)


def _other_prior(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return _whole(truth * np.linspace(0.05, 1, truth.shape[1]))


def _own_sigmoid(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each class's odds to a power of its own; of more than two no temperature undoes it."""
    slopes = np.linspace(0.8, 3, truth.shape[1])
    odds = (truth / (1 - truth)) ** slopes
    return _whole(odds / (1 + odds))


def _stairs(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rising, but flat where it matters: neither a temperature nor a sigmoid undoes it."""
    second = 0.5 + 0.5 * np.clip(2 * truth[:, 1] - 1, -1, 1) ** 7
    return np.stack([1 - second, second], axis=1)


DISTORTIONS = {"sharpened": _sharpened, "other prior": _other_prior, "own sigmoid": _own_sigmoid}


def _mended(
    distort: str, method: CalibrationMethod, classes: int, rows: int = 8000
) -> tuple[NDArray[np.float64], NDArray[np.float64], World]:
    """Fresh rows before and after, calibrated by what other rows taught."""
    fitted, fresh = world(rows, classes, 0, spread=1.5), world(8000, classes, 1, spread=1.5)
    bent = DISTORTIONS[distort](fresh.truth)
    after = apply(_fit(DISTORTIONS[distort](fitted.truth), fitted.labels, method), bent)
    return bent, after, fresh


@pytest.mark.parametrize("method", ["auto", *FITTED])
@pytest.mark.parametrize("distort", ["sharpened", "other prior"])
def test_two_distorted_classes_are_honest_again(distort: str, method: CalibrationMethod) -> None:
    bent, after, fresh = _mended(distort, method, classes=2)
    chance = chance_calibration_error(after)
    assert expected_calibration_error(bent, fresh.labels) > 4 * chance
    assert expected_calibration_error(after, fresh.labels) < 1.8 * chance


@pytest.mark.parametrize(
    ("distort", "method", "classes"),
    [
        ("sharpened", "temperature", 3),
        ("sharpened", "sigmoid", 3),
        ("sharpened", "isotonic", 3),
        ("sharpened", "auto", 3),
        ("other prior", "temperature", 3),
        ("other prior", "auto", 3),
        ("own sigmoid", "sigmoid", 6),
        ("own sigmoid", "isotonic", 6),
        ("own sigmoid", "auto", 6),
    ],
)
def test_many_distorted_classes_are_honest_again(
    distort: str, method: CalibrationMethod, classes: int
) -> None:
    bent, after, fresh = _mended(distort, method, classes)
    chance = chance_calibration_error(after)
    assert expected_calibration_error(bent, fresh.labels) > 4 * chance
    assert expected_calibration_error(after, fresh.labels) < 1.8 * chance
    assert np.abs(after - fresh.truth).mean() < np.abs(bent - fresh.truth).mean() / 3


def test_a_temperature_is_found() -> None:
    case = world(8000, 3, 0)
    prior = np.array([0.2, 0.3, 0.5])
    found = _fit(_whole(case.truth**2.5 * prior), case.labels)
    assert isinstance(found, Temperature)
    assert found.temperature == pytest.approx(2.5, rel=0.1)


def test_a_sigmoid_is_found() -> None:
    case = world(8000, 2, 0)
    odds = (case.truth[:, 1] / case.truth[:, 0]) ** 2 * np.e
    found = _fit(np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1), case.labels, "sigmoid")
    assert isinstance(found, Sigmoid)
    assert found.slopes == pytest.approx([0.5], rel=0.1)
    assert found.intercepts == pytest.approx([-0.5], abs=0.1)


@pytest.mark.parametrize("classes", [2, 3])
def test_auto_leaves_honest_probabilities_alone(classes: int) -> None:
    kinds = [
        _fit(case.truth, case.labels, "auto").kind
        for case in (world(1200, classes, seed) for seed in range(10))
    ]
    assert kinds.count("none") >= 8


def test_auto_takes_a_temperature_for_what_a_temperature_can_do() -> None:
    case = world(4000, 3, 0)
    assert _fit(_sharpened(case.truth), case.labels, "auto").kind == "temperature"


def test_auto_takes_a_sigmoid_where_each_class_has_its_own() -> None:
    case = world(8000, 6, 0, spread=1.5)
    assert _fit(_own_sigmoid(case.truth), case.labels, "auto").kind == "sigmoid"


def test_auto_takes_steps_only_where_they_pay() -> None:
    case = world(8000, 2, 0, skew=0.0)
    assert _fit(_stairs(case.truth), case.labels, "auto").kind == "isotonic"
    assert _fit(_sharpened(case.truth), case.labels, "auto").kind != "isotonic"


def test_auto_takes_no_steps_on_few_rows() -> None:
    case = world(8000, 2, 0, skew=0.0)
    assert _fit(_stairs(case.truth)[:999], case.labels[:999], "auto").kind != "isotonic"
    rare = np.concatenate([np.flatnonzero(case.labels == 0), np.flatnonzero(case.labels == 1)[:49]])
    assert _fit(_stairs(case.truth)[rare], case.labels[rare], "auto").kind != "isotonic"


def test_auto_judges_on_rows_of_other_parts() -> None:
    """Each part is off in its own way: what one part teaches is false of the other."""
    case = world(4000, 2, 0)
    parts = np.arange(4000) % 2
    factor = np.where(parts, 6.0, 1 / 6)[:, None] * np.array([0.0, 1.0]) + np.array([1.0, 0.0])
    bent = _whole(case.truth * factor)
    one_sided = parts == 0
    assert fit_calibration(bent, case.labels, parts, "auto").kind == "none"
    alone = fit_calibration(bent[one_sided], case.labels[one_sided], parts[one_sided], "auto")
    assert alone.kind != "none"


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(2, 5),
    st.integers(1, 60),
    st.sampled_from((0.3, 1.0, 4.0)),
    st.sampled_from(METHODS),
)
def test_calibration_never_costs_log_loss_on_its_own_rows(
    seed: int, classes: int, rows: int, power: float, method: CalibrationMethod
) -> None:
    case = world(rows, classes, seed)
    bent = _whole(case.truth**power)
    after = apply(_fit(bent, case.labels, method), bent)
    assert log_loss(after, case.labels) <= log_loss(bent, case.labels) + 1e-12
    assert np.allclose(after.sum(1), 1)
    assert (after > 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 2000), st.sampled_from(METHODS))
def test_of_two_classes_the_order_of_rows_stays(
    seed: int, rows: int, method: CalibrationMethod
) -> None:
    case = world(rows, 2, seed)
    bent = _sharpened(case.truth)
    order = np.argsort(bent[:, 1])
    rise = np.diff(apply(_fit(bent, case.labels, method), bent)[order, 1])
    apart = np.diff(bent[order, 1]) > 1e-9
    assert (rise[apart] > 0).all()
    assert (rise >= -1e-15).all()


def test_rows_of_equal_probability_stay_equal() -> None:
    case = world(2000, 2, 0)
    coarse = np.round(case.truth, 1)
    for method in FITTED:
        after = apply(_fit(coarse, case.labels, method), coarse)
        assert len(np.unique(after[:, 1])) == len(np.unique(coarse[:, 1]))


@pytest.mark.parametrize("method", METHODS)
def test_honest_probabilities_stay_nearly_as_they_are(method: CalibrationMethod) -> None:
    case = world(8000, 3, 2)
    after = apply(_fit(case.truth, case.labels, method), case.truth)
    assert np.abs(after - case.truth).mean() < 0.02


@pytest.mark.parametrize("method", ["auto", "temperature", "sigmoid"])
@pytest.mark.parametrize("rows", [1, 3, 10])
def test_few_rows_move_little(method: CalibrationMethod, rows: int) -> None:
    moved = []
    for seed in range(20):
        case = world(rows, 3, seed)
        after = apply(_fit(case.truth, case.labels, method), case.truth)
        moved.append(np.abs(after - case.truth).mean())
    assert np.mean(moved) < 0.12


@pytest.mark.parametrize("method", ["auto", "temperature", "sigmoid"])
@pytest.mark.parametrize("rows", [1, 3, 20])
def test_few_rows_all_right_do_not_make_it_certain(method: CalibrationMethod, rows: int) -> None:
    labels = np.arange(rows) % 2
    sure = np.eye(2)[labels] * 0.8 + 0.1
    assert apply(_fit(sure, labels, method), sure).max() < 0.999


@pytest.mark.parametrize("method", METHODS)
def test_a_class_without_rows_is_neither_made_nor_lost(method: CalibrationMethod) -> None:
    case = world(3000, 4, 3)
    seen = case.labels != 2
    found = _fit(case.truth[seen], case.labels[seen], method)
    after = apply(found, case.truth)
    assert 0 < after[:, 2].mean() < 2 * case.truth[:, 2].mean()
    if isinstance(found, Temperature):
        assert found.biases[2] == 0
    if isinstance(found, Isotonic):
        assert found.curves[2].meant == (0.0, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_one_class_only_are_safe(method: CalibrationMethod) -> None:
    case = world(200, 3, 3)
    after = apply(_fit(case.truth, np.zeros(200, dtype=np.int64), method), case.truth)
    assert np.isfinite(after).all()
    assert np.allclose(after.sum(1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_zeros_and_ones_stay_finite_and_no_class_gets_zero(method: CalibrationMethod) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    said = np.eye(3)[np.where(rng.random(600) < 0.8, labels, rng.integers(0, 3, 600))]
    after = apply(_fit(said, labels, method), said)
    assert np.isfinite(after).all()
    if method != "none":
        assert after.min() > 1e-4


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "isotonic"])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_mean_of_each_class_is_its_share(method: CalibrationMethod, classes: int) -> None:
    case = world(6000, classes, 0)
    bent = _own_sigmoid(case.truth)
    after = apply(_fit(bent, case.labels, method), bent)
    shares = np.bincount(case.labels) / len(case.labels)
    assert np.abs(bent.mean(0) - shares).max() > 0.02
    assert after.mean(0) == pytest.approx(shares, abs=2e-3)


def test_steps_never_say_never() -> None:
    case = world(3000, 2, 0, spread=6.0)
    found = _fit(case.truth, case.labels, "isotonic")
    assert isinstance(found, Isotonic)
    positives, rows = case.labels.sum(), len(case.labels)
    assert found.curves[0].meant[0] == pytest.approx(1 / (rows - positives + 2))
    assert found.curves[0].meant[-1] == pytest.approx((positives + 1) / (positives + 2))


@pytest.mark.parametrize("method", METHODS)
def test_renaming_classes_renames_the_answers(method: CalibrationMethod) -> None:
    case = world(1500, 3, 5)
    order = np.array([2, 0, 1])
    bent = _whole(case.truth**2 * np.array([0.2, 0.3, 0.5]))
    plain = apply(_fit(bent, case.labels, method), bent)
    renamed = apply(_fit(bent[:, order], np.argsort(order)[case.labels], method), bent[:, order])
    assert renamed == pytest.approx(plain[:, order], abs=1e-3)


def test_swapping_two_classes_swaps_the_answers() -> None:
    case = world(1500, 2, 5)
    bent = _sharpened(case.truth)
    for method in METHODS:
        plain = apply(_fit(bent, case.labels, method), bent)
        swapped = apply(_fit(bent[:, ::-1], 1 - case.labels, method), bent[:, ::-1])
        assert swapped == pytest.approx(plain[:, ::-1], abs=1e-3)


def test_the_identity_changes_no_bit() -> None:
    case = world(50, 3, 4)
    assert np.array_equal(apply(identity(3), case.truth), case.truth)


@pytest.mark.parametrize("method", METHODS)
def test_no_rows_give_the_identity(method: CalibrationMethod) -> None:
    none = np.empty(0, dtype=np.int64)
    assert _fit(np.empty((0, 3)), none, method) == identity(3)


@pytest.mark.parametrize("method", ["none", *FITTED])
@pytest.mark.parametrize("classes", [2, 3])
def test_it_travels_as_json(method: CalibrationMethod, classes: int) -> None:
    case = world(1000, classes, 6)
    found = _fit(_sharpened(case.truth), case.labels, method)
    read = READER.validate_json(READER.dump_json(found))
    assert found.kind == method
    assert read == found
    assert np.array_equal(apply(read, case.truth), apply(found, case.truth))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="'none', 'temperature', 'sigmoid', 'isotonic'"):
        READER.validate_python({"kind": "beta"})
