"""The model families that a plan may tune: one model each, told apart by `kind`.

Defaults are search spaces measured to work on two cores, for text and, by `suited`, for tables; a
plan overrides single knobs. `first` lists points that the study tries before it samples: a cheap
one, then a strong one. `learning/families/classifiers.py` builds what is described here.
"""

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from schemas.knobs import Knob, Range
from schemas.learner import Learner, Points, UnitShare
from schemas.transformers import Transformer

Leaves = Annotated[int, Field(ge=2)]
Bins = Annotated[int, Field(ge=2, le=65_535)]
BoostedDepth = Annotated[int, Field(ge=1, le=32)]


class LogisticRegression(Learner):
    """Logistic regression: multinomial, or one class against the rest where liblinear solves it.

    `l1` needs the solver liblinear or saga: a plan that settles on `l1` with lbfgs is refused, a
    trial of the two fails.
    """

    title: ClassVar[str] = "LogisticRegression"
    kind: Literal["logistic-regression"] = "logistic-regression"
    C: Knob[PositiveFloat] = Range(low=0.1, high=100.0, log=True)
    penalty: Knob[Literal["l1", "l2"]] = "l2"
    solver: Knob[Literal["lbfgs", "liblinear", "saga"]] = "lbfgs"
    max_iter: PositiveInt = 300
    first: Points = ({"C": 1.0}, {"C": 10.0})


class NaiveBayesSVM(Learner):
    """Logistic regression over naive Bayes log-count ratios (Wang & Manning 2012); for text.

    `alpha` smooths the counts; `beta` is the share of the learned weights, the rest is their mean
    size: 0 is naive Bayes, 1 the linear model alone.
    """

    title: ClassVar[str] = "NBSVM"
    kind: Literal["nb-svm"] = "nb-svm"
    C: Knob[PositiveFloat] = Range(low=0.1, high=100.0, log=True)
    alpha: Knob[PositiveFloat] = (0.3, 1.0, 0.1)
    beta: Knob[Annotated[float, Field(ge=0, le=1)]] = Range(low=0.25, high=1.0)
    max_iter: PositiveInt = 300
    # On tf-idf of 14,640 tweets; the paper's (alpha 1, beta 0.25) lose 7 points of macro-F1 there.
    first: Points = ({"C": 1.0, "alpha": 0.3, "beta": 0.9}, {"C": 4.0, "alpha": 0.3, "beta": 0.9})


class LightGBM(Learner):
    """Gradient-boosted trees by histograms (Ke et al. 2017)."""

    title: ClassVar[str] = "LightGBM"
    kind: Literal["lightgbm"] = "lightgbm"
    rounds: Knob[PositiveInt] = Range(low=50, high=1500, log=True)
    learning_rate: Knob[PositiveFloat] = Range(low=0.03, high=0.3, log=True)
    num_leaves: Knob[Leaves] = Range(low=8, high=64, log=True)
    min_child_samples: Knob[PositiveInt] = Range(low=2, high=20, log=True)
    subsample: Knob[UnitShare] = 1.0
    colsample_bytree: Knob[UnitShare] = Range(low=0.1, high=0.8)
    reg_lambda: Knob[PositiveFloat] = Range(low=1e-3, high=10.0, log=True)
    max_bin: Knob[Bins] = 63
    first: Points = (
        {"rounds": 100, "learning_rate": 0.1, "num_leaves": 15, "min_child_samples": 5,
         "colsample_bytree": 0.2, "reg_lambda": 0.01},
        {"rounds": 600, "learning_rate": 0.15, "num_leaves": 31, "min_child_samples": 5,
         "colsample_bytree": 0.2, "reg_lambda": 0.01},
    )  # fmt: skip


class XGBoost(Learner):
    """Gradient-boosted trees, level by level, on histograms (Chen & Guestrin 2016).

    `rounds` is its n_estimators. Slow on wide text: lower `colsample_bytree` there.
    """

    title: ClassVar[str] = "XGBoost"
    kind: Literal["xgboost"] = "xgboost"
    rounds: Knob[PositiveInt] = Range(low=50, high=600, log=True)
    learning_rate: Knob[PositiveFloat] = Range(low=0.03, high=0.3, log=True)
    max_depth: Knob[BoostedDepth] = Range(low=3, high=10)
    min_child_weight: Knob[NonNegativeFloat] = Range(low=0.01, high=5.0, log=True)
    subsample: Knob[UnitShare] = Range(low=0.6, high=1.0)
    colsample_bytree: Knob[UnitShare] = Range(low=0.1, high=1.0)
    gamma: Knob[NonNegativeFloat] = 0.0
    reg_alpha: Knob[NonNegativeFloat] = Range(low=1e-4, high=5.0, log=True)
    reg_lambda: Knob[NonNegativeFloat] = Range(low=1e-3, high=10.0, log=True)
    max_bin: Knob[Bins] = 64
    first: Points = (
        {"rounds": 100, "learning_rate": 0.15, "max_depth": 5, "min_child_weight": 1.0,
         "subsample": 0.8, "colsample_bytree": 0.3, "reg_alpha": 0.001, "reg_lambda": 1.0},
        {"rounds": 400, "learning_rate": 0.1, "max_depth": 6, "min_child_weight": 0.5,
         "subsample": 0.8, "colsample_bytree": 0.3, "reg_alpha": 0.001, "reg_lambda": 1.0},
    )  # fmt: skip


class RandomForest(Learner):
    """Trees on bootstraps of the rows, averaged (Breiman 2001)."""

    title: ClassVar[str] = "RandomForest"
    kind: Literal["random-forest"] = "random-forest"
    trees: Knob[PositiveInt] = 200
    max_depth: Knob[PositiveInt | None] = None
    min_samples_leaf: Knob[PositiveInt] = (1, 2, 5, 10)
    max_features: Knob[Literal["sqrt", "log2"] | UnitShare] = ("sqrt", 0.1)
    first: Points = (
        {"min_samples_leaf": 5, "max_features": "sqrt"},
        {"min_samples_leaf": 1, "max_features": "sqrt"},
    )


class BalancedRandomForest(Learner):
    """A random forest whose trees each see as many rows of every class (Chen et al. 2004).

    As many as the rarest class has: for tables, blunt on words or a handful. Weights count within
    a tree, not in what it draws: with one row a leaf they hardly count.
    """

    title: ClassVar[str] = "BalancedRandomForest"
    balances: ClassVar[bool] = True
    kind: Literal["balanced-random-forest"] = "balanced-random-forest"
    trees: Knob[PositiveInt] = 200
    max_depth: Knob[PositiveInt | None] = None
    min_samples_leaf: Knob[PositiveInt] = (2, 5, 1)
    max_features: Knob[Literal["sqrt", "log2"] | UnitShare] = ("sqrt", 0.1)
    first: Points = (
        {"min_samples_leaf": 5, "max_features": "sqrt"},
        {"min_samples_leaf": 2, "max_features": "sqrt"},
    )


Classifier = Annotated[
    LogisticRegression
    | NaiveBayesSVM
    | LightGBM
    | XGBoost
    | RandomForest
    | BalancedRandomForest
    | Transformer,
    Field(discriminator="kind"),
]

TITLES: dict[str, str] = {
    member.model_fields["kind"].default: member.title
    for member in get_args(get_args(Classifier)[0])
}
"""Of each kind, how MLflow calls it."""

_TABLES: dict[str, dict[str, Any]] = {
    "lightgbm": {
        "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
        "num_leaves": {"low": 4, "high": 128, "log": True},
        "min_child_samples": {"low": 1, "high": 64, "log": True},
        "colsample_bytree": {"low": 0.4, "high": 1.0},
        "max_bin": 255,
        "first": (
            {"rounds": 100, "learning_rate": 0.1, "num_leaves": 31, "min_child_samples": 20,
             "colsample_bytree": 1.0, "reg_lambda": 0.01},
            {"rounds": 300, "learning_rate": 0.05, "num_leaves": 31, "min_child_samples": 20,
             "colsample_bytree": 1.0, "reg_lambda": 0.01},
            {"rounds": 400, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 5,
             "colsample_bytree": 0.7, "reg_lambda": 1.0},
        ),
    },
    "xgboost": {
        "colsample_bytree": {"low": 0.4, "high": 1.0},
        "max_bin": 256,
        "first": (
            {"rounds": 100, "learning_rate": 0.15, "max_depth": 6, "min_child_weight": 1.0,
             "subsample": 1.0, "colsample_bytree": 1.0, "reg_alpha": 0.001, "reg_lambda": 1.0},
            {"rounds": 400, "learning_rate": 0.05, "max_depth": 6, "min_child_weight": 1.0,
             "subsample": 0.8, "colsample_bytree": 0.8, "reg_alpha": 0.001, "reg_lambda": 1.0},
        ),
    },
}  # fmt: skip
"""Few columns that each say much: fine bins, and most of them to each tree. Five sensors, machine
failures of 3.4 %: LightGBM's F1 is 0.77 so, 0.62 with the space for words (LOG.md).
"""


def suited(classifier: Classifier, *, text: bool) -> Classifier:
    """The classifier with the space for its kind of data in each knob that the plan left alone."""
    others = {} if text else _TABLES.get(classifier.kind, {})
    if not others:
        return classifier
    told = classifier.model_dump(include=classifier.model_fields_set)
    found: Classifier = type(classifier).model_validate(others | told)
    return found
