"""Text columns as numbers: word n-grams, character n-grams, and what a text is like as a whole.

A missing text is an empty one.
"""

import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from functools import cache
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

Weighting: TypeAlias = Literal["tfidf", "binary"]

ROWS_A_MIN_DF = 10
"""`min_df` is lowered to one in this many rows, so that small folds keep a vocabulary."""

CHARACTERS_MIN, CHARACTERS_MAX = 2, 5
"""Lengths of the character n-grams."""

STATISTICS = ("characters", "words", "word length", "capitals", "digits", "punctuation")
"""Of each text: logarithms of the first two, a mean, and shares of all characters."""


class _Vocabulary(ABC, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """N-grams of one text column as a float32 CSR matrix.

    A column without any (all blank, all one-letter) gives one column of zeros, so that a
    classifier on it alone learns the class shares instead of failing.
    """

    min_df: int
    max_features: int | None

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the vocabulary from a frame of one column."""
        texts = as_texts(X.iloc[:, 0])
        vectorizer = self._vectorizer(min(self.min_df, max(1, len(texts) // ROWS_A_MIN_DF)))
        try:
            self.vectorizer_ = _with_plain_places(vectorizer.fit(texts))
        except ValueError:
            # The texts are strings by now: an empty vocabulary is the one fault left.
            self.vectorizer_ = None
        self.n_features_in_ = 1
        return self

    def transform(self, X: pd.DataFrame) -> csr_matrix:
        """(rows, n-grams)."""
        if self.vectorizer_ is None:
            return csr_matrix((len(X), 1), dtype=np.float32)
        return self.vectorizer_.transform(as_texts(X.iloc[:, 0]))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The n-grams, in the order of the matrix. They are of the texts, so private as these."""
        if self.vectorizer_ is None:
            return np.array(["no words"], dtype=object)
        names: NDArray[np.object_] = self.vectorizer_.get_feature_names_out()
        return names

    @abstractmethod
    def _vectorizer(self, min_df: int) -> CountVectorizer:
        """Unfitted."""


class WordCounts(_Vocabulary):
    """Word n-grams; with `exact` filled by columns of zeros to just `max_features`."""

    def __init__(
        self,
        weighting: Weighting = "tfidf",
        ngram_max: int = 1,
        min_df: int = 1,
        max_features: int | None = None,
        exact: bool = False,
    ) -> None:
        self.weighting = weighting
        self.ngram_max = ngram_max
        self.min_df = min_df
        self.max_features = max_features
        self.exact = exact

    def transform(self, X: pd.DataFrame) -> csr_matrix:
        """(rows, words)."""
        made = super().transform(X)
        if self.exact and self.max_features is not None:
            made.resize(made.shape[0], self.max_features)
        return made

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The n-grams, in the order of the matrix."""
        names = super().get_feature_names_out()
        if not self.exact or self.max_features is None:
            return names
        # No word holds a space before its first letter.
        filled = [f" unused {place}" for place in range(len(names), self.max_features)]
        return np.array([*names, *filled], dtype=object)

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


class CharacterCounts(_Vocabulary):
    """Character n-grams within words, with the space at their ends, as TF-IDF."""

    def __init__(self, min_df: int = 1, max_features: int | None = None) -> None:
        self.min_df = min_df
        self.max_features = max_features

    def _vectorizer(self, min_df: int) -> CountVectorizer:
        return TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(CHARACTERS_MIN, CHARACTERS_MAX),
            strip_accents="unicode",
            sublinear_tf=True,
            min_df=min_df,
            max_features=self.max_features,
            dtype=np.float32,
        )


class TextStatistics(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """`STATISTICS` of every column of a frame of texts, float64."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Nothing to learn but the columns' names."""
        self.columns_ = [str(name) for name in X.columns]
        self.n_features_in_ = len(self.columns_)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """(rows, columns x 6)."""
        blocks = [np.array([_statistics(text) for text in as_texts(X[name])]) for name in X.columns]
        return np.hstack([block.reshape(len(X), len(STATISTICS)) for block in blocks])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """`column: statistic`."""
        names = [f"{column}: {each}" for column in self.columns_ for each in STATISTICS]
        return np.array(names, dtype=object)


def _statistics(text: str) -> tuple[float, ...]:
    seen = Counter(text)  # each distinct character is looked up once
    of_kind: Counter[str] = Counter()
    for character, times in seen.items():
        of_kind[_kind(character)] += times
    words = len(text.split())
    length = max(len(text), 1)
    return (
        float(np.log1p(len(text))),
        float(np.log1p(words)),
        (len(text) - of_kind["space"]) / max(words, 1),
        of_kind["capital"] / length,
        of_kind["digit"] / length,
        of_kind["punctuation"] / length,
    )


@cache
def _kind(character: str) -> str:
    if character.isspace():
        return "space"
    match unicodedata.category(character):
        case "Lu" | "Lt":
            return "capital"
        case "Nd":
            return "digit"
        case category if category[0] in "PS":
            return "punctuation"
        case _:
            return "other"


def _with_plain_places(fitted: CountVectorizer) -> CountVectorizer:
    # `max_features` leaves NumPy integers, each a file of its own in skops: 78 s to save 56,000
    # words, 2 s so.
    fitted.vocabulary_ = {word: int(place) for word, place in fitted.vocabulary_.items()}
    return fitted


def as_texts(column: "pd.Series[Any]") -> list[str]:
    """The cells of a text column; a missing one is empty."""
    texts: list[str] = column.astype(object).where(column.notna(), "").tolist()
    return texts
