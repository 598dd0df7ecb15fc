import warnings

import numpy as np
import pytest

from learning.classifiers import classifier
from schemas.classifiers import LightGBM, LogisticRegression
from tests.learning.kinds import CLASSIFIERS


def test_iterations_that_run_out_warn_nobody() -> None:
    rng = np.random.default_rng(0)
    matrix, labels = rng.normal(size=(60, 20)) * 100, rng.integers(0, 2, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec = LogisticRegression(C=1e6, max_iter=1)
        fitted = classifier(spec, None, 0, 1).fit(matrix, labels)
    assert fitted.n_iter_.max() == 1


@pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_weight_on_a_class_makes_it_more_likely(
    spec: LogisticRegression | LightGBM,
) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 20])
    matrix = rng.normal(size=(80, 3)) + labels[:, None] * 0.3
    unseen = rng.normal(size=(200, 3))
    plain, weighed = (
        classifier(spec, weights, 0, 1).fit(matrix, labels).predict_proba(unseen)[:, 1].mean()
        for weights in (None, {0: 0.5, 1: 4.0})
    )
    assert weighed > plain + 0.05


def test_lightgbm_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    # Three rows make it complain about everything: too few rows, no feature of use.
    classifier(LightGBM(rounds=2, learning_rate=0.1, num_leaves=4, min_child_samples=20,
                        colsample_bytree=1.0, reg_lambda=0.1), None, 0, 1).fit(
        np.ones((3, 1)), np.array([0, 1, 1])
    )  # fmt: skip
    assert capfd.readouterr() == ("", "")


def test_an_open_knob_is_a_fault_of_the_caller() -> None:
    with pytest.raises(TypeError, match="settle"):
        classifier(LogisticRegression(), None, 0, 1)
