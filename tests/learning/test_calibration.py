import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.calibration import Calibration, apply, fit_calibration, identity
from learning.metrics import expected_calibration_error, log_loss
from tests.learning.worlds import world


def _bent(truth: np.ndarray, power: float, prior: np.ndarray) -> np.ndarray:
    bent = truth**power * prior
    return bent / bent.sum(1, keepdims=True)


def test_a_bent_model_is_straightened() -> None:
    fitted, fresh = world(8000, 3, 0), world(8000, 3, 1)
    prior = np.array([0.2, 0.3, 0.5])
    calibration = fit_calibration(_bent(fitted.truth, 2.5, prior), fitted.labels)
    straight = apply(calibration, _bent(fresh.truth, 2.5, prior))
    assert calibration.temperature == pytest.approx(2.5, rel=0.1)
    assert np.abs(straight - fresh.truth).mean() < 0.01
    bent_error = expected_calibration_error(_bent(fresh.truth, 2.5, prior), fresh.labels)
    assert expected_calibration_error(straight, fresh.labels) < bent_error / 3


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 60), st.sampled_from((0.3, 1.0, 4.0))
)
def test_calibration_never_costs_log_loss_on_its_own_rows(
    seed: int, classes: int, rows: int, power: float
) -> None:
    case = world(rows, classes, seed)
    bent = _bent(case.truth, power, np.ones(classes))
    after = apply(fit_calibration(bent, case.labels), bent)
    assert log_loss(after, case.labels) <= log_loss(bent, case.labels) + 1e-12
    assert np.allclose(after.sum(1), 1)
    assert (after >= 0).all()


def test_honest_probabilities_stay_nearly_as_they_are() -> None:
    case = world(8000, 3, 2)
    after = apply(fit_calibration(case.truth, case.labels), case.truth)
    assert np.abs(after - case.truth).max() < 0.03


def test_a_class_without_rows_keeps_bias_zero() -> None:
    case = world(300, 4, 3)
    seen = case.labels != 2
    assert fit_calibration(case.truth[seen], case.labels[seen]).biases[2] == 0


def test_the_identity_changes_no_bit() -> None:
    case = world(50, 3, 4)
    assert np.array_equal(apply(identity(3), case.truth), case.truth)


def test_no_rows_give_the_identity() -> None:
    assert fit_calibration(np.empty((0, 3)), np.empty(0, dtype=np.int16)) == identity(3)


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_few_rows_all_right_do_not_make_it_certain(rows: int) -> None:
    labels = np.arange(rows) % 2
    sure = np.eye(2)[labels] * 0.8 + 0.1
    after = apply(fit_calibration(sure, labels), sure)
    assert after.max() < 0.999


def test_zeros_and_ones_stay_finite() -> None:
    labels = np.array([0, 1, 2, 0])
    after = apply(fit_calibration(np.eye(3)[[0, 1, 1, 0]], labels), np.eye(3))
    assert np.isfinite(after).all()


def test_renaming_classes_renames_the_biases() -> None:
    case = world(400, 3, 5)
    order = np.array([2, 0, 1])
    bent = _bent(case.truth, 2.0, np.array([0.2, 0.3, 0.5]))
    plain = fit_calibration(bent, case.labels)
    renamed = fit_calibration(bent[:, order], np.argsort(order)[case.labels])
    assert renamed.biases == pytest.approx([plain.biases[c] for c in order], abs=1e-3)


def test_it_travels_as_json() -> None:
    case = world(400, 3, 6)
    calibration = fit_calibration(case.truth, case.labels)
    assert Calibration.model_validate_json(calibration.model_dump_json()) == calibration
