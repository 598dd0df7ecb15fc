"""A small fitted model, as a night keeps one: the words and the amount tell three classes."""

import numpy as np
import pandas as pd

from learning.deciding.calibration import identity
from learning.features.matrix import layout, transformer
from learning.keeping.bodies import on_features
from learning.keeping.models import FittedModel, Head
from learning.searching.fitting import fit_targets
from schemas.classifiers import LogisticRegression
from schemas.dataset import Column, Dataset, NumberColumn, TextColumn
from schemas.features import Features, TextFeatures
from schemas.label import ClassValue, SingleLabel, Target, targets
from schemas.samplers import NoResampling
from schemas.trials import Candidate

COLUMNS: dict[str, Column] = {"said": TextColumn(), "amount": NumberColumn()}
SIGNS: tuple[ClassValue, ...] = (-1, 0, 1)


def dataset(key: str | None = None) -> Dataset:
    return Dataset(source="rows", columns=COLUMNS, key=key)


def fitted(classes: tuple[ClassValue, ...] = SIGNS, asked: tuple[Target, ...] = ()) -> FittedModel:
    """Of one label, or of each of the targets in `asked` (of at most three classes) alike."""
    asked = asked or targets(SingleLabel(column="label", classes=classes))
    labels = np.arange(30) % 3
    frame = pd.DataFrame(
        {"said": [("bad", "plain", "good")[i] for i in labels], "amount": labels.astype(float)}
    )
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=2)),
        imbalance=NoResampling(),
        classifier=LogisticRegression(C=100.0),
    )
    features = transformer(candidate.features, COLUMNS)
    matrix = features.fit_transform(frame)
    table = np.column_stack([np.minimum(labels, target.classes - 1) for target in asked])
    found = fit_targets(candidate, asked, matrix, layout(features), table, None, 1, 1)
    heads = tuple(
        Head(
            target=target,
            shift=(0.0,) * target.classes,
            calibration=identity(target.classes),
            offsets=np.zeros(target.classes),
        )
        for target in asked
    )
    return FittedModel(body=on_features(features, found, asked), heads=heads, columns=COLUMNS)
