from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE

from learning.pipelines import pipeline, predict_probabilities, serving
from schemas.classifiers import LogisticRegression
from schemas.dataset import NumberColumn
from schemas.features import Features
from schemas.samplers import NoResampling, Smote
from schemas.trials import Candidate

COLUMNS = {"size": NumberColumn()}
CANDIDATE = Candidate(features=Features(), imbalance=Smote(), classifier=LogisticRegression(C=1.0))


def _rows(labels: Any) -> pd.DataFrame:
    return pd.DataFrame({"size": np.asarray(labels) + np.linspace(0, 0.5, len(labels))})


def test_the_sampler_stands_between_features_and_classifier() -> None:
    made = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1)
    assert [name for name, _ in made.steps] == ["features", "sampler", "classifier"]


def test_a_sampler_without_work_is_left_out() -> None:
    plain = CANDIDATE.model_copy(update={"imbalance": NoResampling()})
    for candidate, counts in ((plain, (9, 3)), (CANDIDATE, (6, 6))):
        made = pipeline(candidate, COLUMNS, counts, seed=0, threads=1)
        assert [name for name, _ in made.steps] == ["features", "classifier"]


def test_predicting_never_meets_the_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.repeat([0, 1], [9, 3])
    fitted = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1).fit(_rows(labels), labels)
    monkeypatch.delattr(SMOTE, "_fit_resample")
    monkeypatch.delattr("imblearn.base.SamplerMixin.fit_resample")
    assert predict_probabilities(fitted, _rows(labels), 2).shape == (12, 2)


def test_the_sampler_meets_the_training_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[int] = []
    resample = SMOTE._fit_resample

    def noted(self: SMOTE, X: Any, y: Any, **params: Any) -> Any:
        met.append(X.shape[0])
        return resample(self, X, y, **params)

    monkeypatch.setattr(SMOTE, "_fit_resample", noted)
    labels = np.repeat([0, 1], [9, 3])
    fitted = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1).fit(_rows(labels), labels)
    predict_probabilities(fitted, _rows(np.zeros(50)), 2)
    assert met == [12]


def test_serving_answers_the_same_without_the_sampler() -> None:
    labels = np.repeat([0, 1], [9, 3])
    fitted = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1).fit(_rows(labels), labels)
    served = serving(fitted)
    assert [name for name, _ in served.steps] == ["features", "classifier"]
    for each in (fitted, served):
        assert np.array_equal(
            predict_probabilities(each, _rows(labels), 2), served.predict_proba(_rows(labels))
        )


def test_a_class_that_the_fit_never_saw_has_no_probability() -> None:
    labels = np.repeat([1, 3], [9, 3])
    fitted = pipeline(CANDIDATE, COLUMNS, (0, 9, 0, 3), 0, 1).fit(_rows(labels), labels)
    probabilities = predict_probabilities(fitted, _rows(labels), 5)
    assert probabilities.shape == (12, 5)
    assert not probabilities[:, [0, 2, 4]].any()
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_a_fold_of_one_class_is_sure_of_it() -> None:
    labels = np.full(6, 2)
    fitted = pipeline(CANDIDATE, COLUMNS, (0, 0, 6), 0, 1).fit(_rows(labels), labels)
    assert predict_probabilities(fitted, _rows(labels), 3).tolist() == [[0, 0, 1]] * 6


def test_no_rows_give_no_probabilities() -> None:
    labels = np.repeat([0, 1], [9, 3])
    fitted = pipeline(CANDIDATE, COLUMNS, (9, 3), 0, 1).fit(_rows(labels), labels)
    assert predict_probabilities(fitted, _rows(labels)[:0], 2).shape == (0, 2)


def test_a_matrix_that_is_already_made_takes_the_steps_after_the_features() -> None:
    labels = np.repeat([0, 1], [9, 3])
    made = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1)
    matrix = made.named_steps["features"].fit_transform(_rows(labels))
    rest = made[1:].fit(matrix, labels)
    whole = pipeline(CANDIDATE, COLUMNS, (9, 3), seed=0, threads=1).fit(_rows(labels), labels)
    assert np.array_equal(
        predict_probabilities(rest, matrix, 2), predict_probabilities(whole, _rows(labels), 2)
    )
