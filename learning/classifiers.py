"""Builds the classifier that a settled spec describes."""

import warnings
from collections.abc import Mapping
from typing import Any, Self, assert_never

from lightgbm import LGBMClassifier
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as _LogisticRegression

from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.knobs import value


class PatientLogisticRegression(_LogisticRegression):  # type: ignore[misc]  # sklearn is untyped
    """Logistic regression that takes the end of its iterations as the answer.

    Out-of-fold scores judge whether that answer is good; a warning a trial would tell nobody.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """As the parent's, without `ConvergenceWarning`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(X, y, sample_weight)
        return self


def classifier(
    spec: Classifier,  # settled
    weights: Mapping[int, float] | None,  # a class: weight of its rows
    seed: int,
    threads: int,
) -> ClassifierMixin:
    """Unfitted; `threads` binds LightGBM, the environment of the process binds the linear one."""
    class_weight = dict(weights) if weights else None
    match spec:
        case LogisticRegression():
            return PatientLogisticRegression(
                C=value(spec.C),
                max_iter=spec.max_iter,
                tol=1e-3,
                class_weight=class_weight,
                random_state=seed,
            )
        case LightGBM():
            return LGBMClassifier(
                n_estimators=value(spec.rounds),
                learning_rate=value(spec.learning_rate),
                num_leaves=value(spec.num_leaves),
                min_child_samples=value(spec.min_child_samples),
                colsample_bytree=value(spec.colsample_bytree),
                reg_lambda=value(spec.reg_lambda),
                max_bin=value(spec.max_bin),
                class_weight=class_weight,
                random_state=seed,
                n_jobs=threads,
                deterministic=True,
                force_row_wise=True,  # 0.91 s against 1.16 s on sparse text, two threads
                feature_pre_filter=False,
                verbose=-1,
            )
        case _:
            assert_never(spec)
