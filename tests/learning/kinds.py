"""Every kind of sampler and classifier, settled and quick: the one list that suites run over."""

from typing import Any, get_args

from schemas.classifiers import (
    BalancedRandomForest,
    Classifier,
    LightGBM,
    LogisticRegression,
    NaiveBayesSVM,
    RandomForest,
    XGBoost,
)
from schemas.samplers import (
    Adasyn,
    BalancedEnsemble,
    BorderlineSmote,
    ClassWeights,
    Imbalance,
    NoResampling,
    RandomOversampling,
    RandomUndersampling,
    Smote,
    SmoteEnn,
    SmoteNC,
    SmoteTomek,
)


def members(union: Any) -> dict[str, Any]:
    """The models of a union of schemas by their kind."""
    return {member.model_fields["kind"].default: member for member in get_args(get_args(union)[0])}


FEATURE_CLASSIFIERS: dict[str, Any] = {
    kind: member for kind, member in members(Classifier).items() if not member.reads_text
}
"""The others have suites of their own."""

SAMPLERS: dict[str, Imbalance] = {
    "none": NoResampling(),
    "class-weights": ClassWeights(exponent=1.0),
    "class-weights-half": ClassWeights(exponent=0.5),
    "random-undersampling": RandomUndersampling(ratio=1.0),
    "random-undersampling-half": RandomUndersampling(ratio=0.5),
    "smote": Smote(k_neighbors=5, ratio=1.0),
    "smote-half": Smote(k_neighbors=5, ratio=0.5),
    "random-oversampling": RandomOversampling(ratio=1.0),
    "smote-nc": SmoteNC(k_neighbors=5, ratio=1.0),
    "borderline-smote": BorderlineSmote(k_neighbors=5, m_neighbors=10, variant=1, ratio=1.0),
    "borderline-smote-2": BorderlineSmote(k_neighbors=5, m_neighbors=10, variant=2, ratio=0.5),
    "adasyn": Adasyn(k_neighbors=5, ratio=1.0),
    "smote-enn": SmoteEnn(k_neighbors=5, enn_neighbors=3, ratio=1.0),
    "smote-tomek": SmoteTomek(k_neighbors=5, ratio=1.0),
    "balanced-ensemble": BalancedEnsemble(members=3, ratio=1.0),
}

CLASSIFIERS: dict[str, Classifier] = {
    "logistic-regression": LogisticRegression(C=100.0),
    "logistic-regression-liblinear": LogisticRegression(C=100.0, penalty="l1", solver="liblinear"),
    "logistic-regression-saga": LogisticRegression(C=100.0, penalty="l1", solver="saga"),
    "nb-svm": NaiveBayesSVM(C=10.0, alpha=1.0, beta=0.5),
    "lightgbm": LightGBM(
        rounds=40,
        learning_rate=0.3,
        num_leaves=8,
        min_child_samples=1,
        colsample_bytree=1.0,
        reg_lambda=0.001,
    ),
    "xgboost": XGBoost(
        rounds=40,
        learning_rate=0.3,
        max_depth=4,
        min_child_weight=0.01,
        subsample=1.0,
        colsample_bytree=1.0,
        reg_alpha=0.0001,
        reg_lambda=0.01,
    ),
    "random-forest": RandomForest(trees=60, min_samples_leaf=1, max_features="sqrt"),
    "balanced-random-forest": BalancedRandomForest(
        trees=60, min_samples_leaf=3, max_features="sqrt"
    ),
}
