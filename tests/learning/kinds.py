"""Every kind of sampler and classifier, settled and quick: the one list that suites run over."""

from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote

SAMPLERS: dict[str, Imbalance] = {
    "none": NoResampling(),
    "class-weights": ClassWeights(exponent=1.0),
    "class-weights-half": ClassWeights(exponent=0.5),
    "random-undersampling": RandomUndersampling(ratio=1.0),
    "random-undersampling-half": RandomUndersampling(ratio=0.5),
    "smote": Smote(k_neighbors=5, ratio=1.0),
    "smote-half": Smote(k_neighbors=5, ratio=0.5),
}

CLASSIFIERS: dict[str, Classifier] = {
    "logistic-regression": LogisticRegression(C=100.0),
    "lightgbm": LightGBM(
        rounds=40,
        learning_rate=0.3,
        num_leaves=8,
        min_child_samples=1,
        colsample_bytree=1.0,
        reg_lambda=0.001,
    ),
}
