"""Columns become one feature matrix: sparse where there is text, else dense float64.

Everything is fitted inside the fold; nothing here looks at labels.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from schemas.dataset import CategoryColumn, Column, NumberColumn, TextColumn
from schemas.features import CategoryFeatures, Features, NumberFeatures, TextFeatures
from schemas.knobs import value

Weighting: TypeAlias = Literal["tfidf", "binary"]

ROWS_A_MIN_DF = 10
"""`min_df` is lowered to one in this many rows, so that small folds keep a vocabulary."""


def transformer(
    features: Features,  # settled
    columns: Mapping[str, Column],
) -> ColumnTransformer:
    """Unfitted; takes a data frame with at least these columns, in any order."""
    texts = [name for name, column in columns.items() if isinstance(column, TextColumn)]
    numbers = [name for name, column in columns.items() if isinstance(column, NumberColumn)]
    categories = [name for name, column in columns.items() if isinstance(column, CategoryColumn)]
    steps: list[tuple[str, Any, list[str]]] = [
        # Numbered, not named: scikit-learn refuses "__", which a column's name may hold.
        (f"text{place}", _words(features.text), [name])
        for place, name in enumerate(texts)
    ]
    if numbers:
        steps.append(("numbers", _numbers(features.number), numbers))
    if categories:
        steps.append(("categories", _levels(features.category, sparse=bool(texts)), categories))
    return ColumnTransformer(steps, sparse_threshold=1.0 if texts else 0.0)


class WordCounts(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Word n-grams of one text column as a float32 CSR matrix; a missing text has no words.

    A column without any word (all blank, all one-letter) gives one column of zeros, so that a
    classifier on it alone learns the class shares instead of failing.
    """

    def __init__(
        self,
        weighting: Weighting = "tfidf",
        ngram_max: int = 1,
        min_df: int = 1,
        max_features: int | None = None,
    ) -> None:
        self.weighting = weighting
        self.ngram_max = ngram_max
        self.min_df = min_df
        self.max_features = max_features

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the vocabulary from a frame of one column."""
        texts = _texts(X)
        vectorizer = self._vectorizer(min(self.min_df, max(1, len(texts) // ROWS_A_MIN_DF)))
        try:
            self.vectorizer_ = _with_plain_places(vectorizer.fit(texts))
        except ValueError:
            # The texts are strings by now: an empty vocabulary is the one fault left.
            self.vectorizer_ = None
        self.n_features_in_ = 1
        return self

    def transform(self, X: pd.DataFrame) -> csr_matrix:
        """(rows, words)."""
        if self.vectorizer_ is None:
            return csr_matrix((len(X), 1), dtype=np.float32)
        return self.vectorizer_.transform(_texts(X))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The n-grams, in the order of the matrix."""
        if self.vectorizer_ is None:
            return np.array(["no words"], dtype=object)
        names: NDArray[np.object_] = self.vectorizer_.get_feature_names_out()
        return names

    def _vectorizer(self, min_df: int) -> CountVectorizer:
        shared: dict[str, Any] = {
            "strip_accents": "unicode",
            "ngram_range": (1, self.ngram_max),
            "min_df": min_df,
            "max_features": self.max_features,
            "dtype": np.float32,
        }
        if self.weighting == "binary":
            return CountVectorizer(binary=True, **shared)
        return TfidfVectorizer(sublinear_tf=True, **shared)


def _with_plain_places(fitted: CountVectorizer) -> CountVectorizer:
    # `max_features` leaves NumPy integers, each a file of its own in skops: 78 s to save 56,000
    # words, 2 s so.
    fitted.vocabulary_ = {word: int(place) for word, place in fitted.vocabulary_.items()}
    return fitted


def _texts(frame: pd.DataFrame) -> list[str]:
    column = frame.iloc[:, 0]
    texts: list[str] = column.astype(object).where(column.notna(), "").tolist()
    return texts


def _words(spec: TextFeatures) -> WordCounts:
    weighting: Weighting = value(spec.weighting)
    return WordCounts(
        weighting=weighting,
        ngram_max=value(spec.ngram_max),
        min_df=value(spec.min_df),
        max_features=value(spec.max_features),
    )


def _numbers(spec: NumberFeatures) -> Pipeline:
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scale: Literal["standard", "none"] = value(spec.scale)
    match scale:
        case "standard":
            return Pipeline([("impute", impute), ("scale", StandardScaler())])
        case "none":
            return Pipeline([("impute", impute)])
        case other:
            assert_never(other)


def _levels(spec: CategoryFeatures, *, sparse: bool) -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=value(spec.min_frequency),
        sparse_output=sparse,
    )
