"""Gradient-boosted trees behind the face of a scikit-learn classifier: to fit, and restored.

XGBoost is imported where it is used: not every night has it among its families.
"""

from typing import Any, ClassVar, Self

import numpy as np
from lightgbm import Booster, LGBMClassifier
from lightgbm.basic import LightGBMError
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from learning.arrays import Probabilities
from learning.families.booster_files import lightgbm_text, packed_xgboost, unpacked_xgboost
from learning.families.linear import row_weights
from learning.families.restored import OnlyAnswers


class LightGBMOfSeen(LGBMClassifier):
    """LightGBM that overlooks the weight of a class that the rows lack (its own: KeyError)."""

    def fit(  # type: ignore[override]  # early stopping is not ours
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> Self:
        """`sample_weight` multiplies the weight of the row's class."""
        if isinstance(self.class_weight, dict):
            seen = set(np.unique(y).tolist())
            kept = {c: weight for c, weight in self.class_weight.items() if c in seen}
            self.set_params(class_weight=kept)
        super().fit(X, y, sample_weight=sample_weight)
        return self


class XGBoostOfSeen(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """XGBoost over the classes that the rows have (its own wants 0, 1, ... without a gap).

    A sparse matrix's zeros are missing values to XGBoost, when it fits and when it answers.
    """

    def __init__(
        self,
        settings: dict[str, Any],  # of XGBClassifier
        class_weight: dict[int, float] | None = None,
    ) -> None:
        self.settings = settings
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """`sample_weight` multiplies the weight of the row's class."""
        from xgboost import XGBClassifier

        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("expected rows of at least two classes, got one class alone")
        weights = row_weights(self.class_weight, y, sample_weight)
        self.fitted_ = XGBClassifier(**self.settings).fit(X, codes, sample_weight=weights)
        return self

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        return _two_columns(self.fitted_.get_booster().inplace_predict(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """(rows,) the likeliest class."""
        likeliest: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return likeliest


class LightGBMAnswers(OnlyAnswers):
    """LightGBM's own model text."""

    format: ClassVar[str] = "lightgbm"
    suffix: ClassVar[str] = "lgb"

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        super().__init__(body, seen)
        text = lightgbm_text(body, len(seen))
        try:
            self.booster = Booster(model_str=text)
        except LightGBMError as fault:
            raise ValueError("expected a model text of LightGBM, got something else") from fault

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        return _two_columns(self.booster.predict(X))


class XGBoostAnswers(OnlyAnswers):
    """XGBoost's own model as JSON, packed.

    Not its UBJSON: bytes that are none end the whole process there, and nothing can look first.
    """

    format: ClassVar[str] = "xgboost"
    suffix: ClassVar[str] = "xgb"

    def __init__(self, body: bytes, seen: tuple[int, ...]) -> None:
        from xgboost import Booster as XGBooster

        super().__init__(body, seen)
        # What it refuses is a ValueError already.
        self.booster = XGBooster(model_file=bytearray(unpacked_xgboost(body, len(seen))))

    def predict_proba(self, X: Any) -> Probabilities:
        """(rows, classes seen)."""
        return _two_columns(self.booster.inplace_predict(X))


def xgboost_bytes(fitted: XGBoostOfSeen) -> bytes:
    """What `XGBoostAnswers` takes."""
    return packed_xgboost(bytes(fitted.fitted_.get_booster().save_raw("json")))


def _two_columns(answers: Any) -> Probabilities:
    """(rows, classes) of what may be the second class's probabilities alone; sums are 1."""
    likely: Probabilities = np.asarray(answers, dtype=np.float64)
    if likely.ndim == 1:
        return np.column_stack((1.0 - likely, likely))
    shares: Probabilities = likely / likely.sum(axis=1, keepdims=True)
    return shares
