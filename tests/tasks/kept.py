"""A small fitted model, as a night keeps one: the words and the amount tell three classes."""

import numpy as np
import pandas as pd

from learning.calibration import identity
from learning.models import FittedModel
from learning.pipelines import pipeline, serving
from schemas.classifiers import LogisticRegression
from schemas.dataset import Column, Dataset, NumberColumn, TextColumn
from schemas.features import Features, TextFeatures
from schemas.label import ClassValue, class_text
from schemas.samplers import NoResampling
from schemas.trials import Candidate

COLUMNS: dict[str, Column] = {"said": TextColumn(), "amount": NumberColumn()}
SIGNS: tuple[ClassValue, ...] = (-1, 0, 1)


def dataset(key: str | None = None) -> Dataset:
    return Dataset(source="rows", columns=COLUMNS, key=key)


def fitted(classes: tuple[ClassValue, ...] = SIGNS) -> FittedModel:
    labels = np.arange(30) % 3
    frame = pd.DataFrame(
        {"said": [("bad", "plain", "good")[i] for i in labels], "amount": labels.astype(float)}
    )
    candidate = Candidate(
        features=Features(text=TextFeatures(weighting="binary", ngram_max=1, min_df=2)),
        imbalance=NoResampling(),
        classifier=LogisticRegression(C=100.0),
    )
    steps = pipeline(candidate, COLUMNS, [10, 10, 10], seed=1, threads=1)
    return FittedModel(
        pipeline=serving(steps.fit(frame, labels)),
        columns=COLUMNS,
        class_texts=tuple(map(class_text, classes)),
        class_values=classes,
        calibration=identity(3),
        offsets=np.zeros(3),
    )
