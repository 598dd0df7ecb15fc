"""What gives a model's bare probabilities: classifiers on features, or a network of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer

from learning.arrays import Probabilities
from learning.families.answering import predict_probabilities
from learning.features.sentences import sentence_steps
from schemas.label import Target

if TYPE_CHECKING:  # serving needs nothing that fits, and most models no torch
    from learning.neural.answering import NetworkAnswers
    from learning.searching.fitting import FittedTarget


@dataclass(frozen=True)
class OnFeatures:
    """One matrix of features, and on it the members of each target, whose answers are averaged."""

    features: ColumnTransformer
    members: tuple[tuple[ClassifierMixin, ...], ...]
    classes: tuple[int, ...]

    largest_difference: ClassVar[float] = 1e-12
    """Of a probability, when the body is read back: its arithmetic is the same, in float64."""

    def raw_probabilities(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Of each target (rows, classes); the frame has all columns that the features need."""
        # scikit-learn refuses an empty batch
        matrix = self.features.transform(frame) if len(frame) else np.zeros((0, 1))
        return tuple(
            predict_probabilities(members, matrix, classes)
            for members, classes in zip(self.members, self.classes, strict=True)
        )


def on_features(
    features: ColumnTransformer, fitted: Sequence["FittedTarget"], targets: Sequence[Target]
) -> OnFeatures:
    """The body of what was fitted on these features."""
    members = tuple(each.classifiers for each in fitted)
    return OnFeatures(features, members, tuple(target.classes for target in targets))


def forget_vectors(body: "Body") -> None:
    """From now on it makes the vectors of texts itself, as it will where it is served."""
    if isinstance(body, OnFeatures):
        for step in sentence_steps(body.features):
            step.cache = None


@dataclass(frozen=True)
class FromText:
    """A network that answers all targets at once."""

    network: "NetworkAnswers"

    largest_difference: ClassVar[float] = 1e-5
    """It computes in float32, where sums depend on how many threads share them."""

    def raw_probabilities(self, frame: pd.DataFrame) -> tuple[Probabilities, ...]:
        """Of each target (rows, classes)."""
        return self.network.predict_proba(frame)


Body = OnFeatures | FromText
