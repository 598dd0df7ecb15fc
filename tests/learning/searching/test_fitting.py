"""Resampling happens where rows are fitted and nowhere else; each target has its classifiers."""

from typing import Any

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from learning.families.answering import predict_probabilities
from learning.features.layout import Layout
from learning.searching.fitting import FittedTarget, fit_targets
from schemas.classifiers import BalancedRandomForest, Classifier, LogisticRegression
from schemas.features import Features
from schemas.label import MultiTaskLabel, SingleLabel, targets
from schemas.samplers import (
    BalancedEnsemble,
    ClassWeights,
    Imbalance,
    NoResampling,
    RandomUndersampling,
    Smote,
)
from schemas.trials import Candidate
from tests.learning.kinds import CLASSIFIERS

PLAIN = LogisticRegression(C=1.0)


def _matrix(labels: Any) -> Any:
    return (np.asarray(labels) + np.linspace(0, 0.5, len(labels)))[:, None]


def _fitted(
    labels: Any,
    classes: int,
    imbalance: Imbalance,
    weights: Any = None,
    spec: Classifier = PLAIN,
) -> FittedTarget:
    candidate = Candidate(features=Features(), imbalance=imbalance, classifier=spec)
    asked = targets(SingleLabel(column="label", classes=tuple(range(classes))))
    table = np.asarray(labels)[:, None]
    (only,) = fit_targets(
        candidate, asked, _matrix(labels), Layout(1), table, weights, seed=0, threads=1
    )
    return only


NINE_THREE = np.repeat([0, 1], [9, 3])


def test_predicting_never_meets_the_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = _fitted(NINE_THREE, 2, Smote())
    monkeypatch.delattr(SMOTE, "_fit_resample")
    monkeypatch.delattr("imblearn.base.SamplerMixin.fit_resample")
    assert predict_probabilities(fitted.classifiers, _matrix(NINE_THREE), 2).shape == (12, 2)


def test_the_sampler_meets_the_training_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[int] = []
    resample = SMOTE._fit_resample

    def noted(self: SMOTE, X: Any, y: Any, **params: Any) -> Any:
        met.append(X.shape[0])
        return resample(self, X, y, **params)

    monkeypatch.setattr(SMOTE, "_fit_resample", noted)
    fitted = _fitted(NINE_THREE, 2, Smote())
    predict_probabilities(fitted.classifiers, _matrix(np.zeros(50)), 2)
    assert met == [12]


def test_a_class_that_the_fit_never_saw_has_no_probability() -> None:
    labels = np.repeat([1, 3], [9, 3])
    fitted = _fitted(labels, 5, Smote())
    probabilities = predict_probabilities(fitted.classifiers, _matrix(labels), 5)
    assert probabilities.shape == (12, 5)
    assert not probabilities[:, [0, 2, 4]].any()
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_a_fold_of_one_class_is_sure_of_it() -> None:
    labels = np.full(6, 2)
    fitted = _fitted(labels, 3, Smote())
    assert predict_probabilities(fitted.classifiers, _matrix(labels), 3).tolist() == [[0, 0, 1]] * 6


def test_no_rows_give_no_probabilities() -> None:
    fitted = _fitted(NINE_THREE, 2, NoResampling())
    assert predict_probabilities(fitted.classifiers, _matrix([]), 2).shape == (0, 2)


@pytest.mark.parametrize(
    ("imbalance", "trained"),
    [
        (NoResampling(), (9, 3)),
        (ClassWeights(exponent=1.0), (6, 6)),
        (RandomUndersampling(ratio=1.0), (3, 3)),
        (Smote(ratio=1.0), (9, 9)),
        (BalancedEnsemble(members=4), (12, 12)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_what_each_class_weighed_in_the_fit_is_told(
    imbalance: Imbalance, trained: tuple[float, ...]
) -> None:
    assert _fitted(NINE_THREE, 2, imbalance).trained == pytest.approx(trained)


@pytest.mark.parametrize(
    ("imbalance", "weights", "trained"),
    [
        (NoResampling(), None, (1, 0, 1)),
        (Smote(ratio=0.5), None, (1, 0, 1)),
        (ClassWeights(exponent=1.0), None, (2 / 3, 0, 2)),
        (NoResampling(), np.repeat([1.0, 3.0], [9, 3]), (2 / 3, 0, 2)),
    ],
    ids=["none", "smote", "class-weights", "row-weights"],
)
def test_a_classifier_that_balances_sees_as_many_rows_of_every_class(
    imbalance: Imbalance, weights: Any, trained: tuple[float, ...]
) -> None:
    forest = BalancedRandomForest(trees=3, min_samples_leaf=2, max_features="sqrt")
    fitted = _fitted(2 * NINE_THREE, 3, imbalance, weights, forest)
    assert fitted.trained == pytest.approx(trained)


def test_row_weights_count_in_the_fit_and_in_what_it_tells() -> None:
    weights = np.where(NINE_THREE == 1, 3.0, 1.0)
    plain, weighed = (_fitted(NINE_THREE, 2, NoResampling(), w) for w in (None, weights))
    assert weighed.trained == pytest.approx((6, 6))  # 9:9, in rows
    row = np.array([[0.7]])
    likely = [predict_probabilities(each.classifiers, row, 2)[0, 1] for each in (plain, weighed)]
    assert likely[1] > likely[0]


@pytest.mark.parametrize("weight", [0.001, 1.0, 1000.0])
@pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_a_constant_weight_changes_nothing(spec: Classifier, weight: float) -> None:
    labels = np.repeat([0, 1], [60, 12])
    plain, weighed = (
        _fitted(labels, 2, NoResampling(), weights, spec)
        for weights in (None, np.full(len(labels), weight))
    )
    assert weighed.trained == pytest.approx(plain.trained)
    near = np.linspace(-0.5, 2, 20)[:, None]
    first, second = (predict_probabilities(each.classifiers, near, 2) for each in (plain, weighed))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_an_ensemble_answers_with_the_mean_of_its_members() -> None:
    fitted = _fitted(NINE_THREE, 2, BalancedEnsemble(members=3))
    assert len(fitted.classifiers) == 3
    row = np.array([[0.7]])
    each = [predict_probabilities([member], row, 2) for member in fitted.classifiers]
    assert np.allclose(predict_probabilities(fitted.classifiers, row, 2), np.mean(each, axis=0))


def test_each_target_is_fitted_on_its_own_labels() -> None:
    candidate = Candidate(
        features=Features(), imbalance=NoResampling(), classifier=LogisticRegression(C=10.0)
    )
    asked = targets(MultiTaskLabel(columns={"size": (0, 1), "other": ("a", "b", "c")}))
    size = np.repeat([0, 1], [9, 3])
    other = np.tile([0, 1, 2], 4)
    matrix = np.column_stack([size, np.eye(3)[other]])
    first, second = fit_targets(
        candidate, asked, matrix, Layout(4), np.column_stack([size, other]), None, 0, 1
    )
    decided = predict_probabilities(first.classifiers, matrix, 2).argmax(axis=1)
    assert decided.tolist() == size.tolist()
    decided = predict_probabilities(second.classifiers, matrix, 3).argmax(axis=1)
    assert decided.tolist() == other.tolist()
