"""How columns become features: knobs of the transformer of `learning/features.py`."""

from typing import Literal

from pydantic import PositiveInt

from schemas.knobs import Knob
from schemas.strict import Strict


class TextFeatures(Strict):
    """Word n-grams of every text column."""

    weighting: Knob[Literal["tfidf", "binary"]] = ("tfidf", "binary")
    ngram_max: Knob[PositiveInt] = (1, 2)
    min_df: Knob[PositiveInt] = (2, 3, 5)
    max_features: Knob[PositiveInt] = 100_000


class NumberFeatures(Strict):
    """Numbers: missing ones imputed by the median with an indicator, then scaled."""

    scale: Knob[Literal["standard", "none"]] = "standard"


class CategoryFeatures(Strict):
    """Categories one-hot; levels rarer than `min_frequency` rows share one column, unseen too."""

    min_frequency: Knob[PositiveInt] = 2


class Features(Strict):
    """Knobs of roles that the data set lacks are never searched."""

    text: TextFeatures = TextFeatures()
    number: NumberFeatures = NumberFeatures()
    category: CategoryFeatures = CategoryFeatures()
