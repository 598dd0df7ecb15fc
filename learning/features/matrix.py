"""Columns become one feature matrix: sparse float32 where it is mostly n-grams, else dense float64.

Everything is fitted inside the fold; nothing here looks at labels.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from typing import Any, Literal, assert_never

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from learning.features.encoders import Clock, Precision, Sparse, Vectors
from learning.features.layout import Layout
from learning.features.sentences import SentenceVectors
from learning.features.words import CharacterCounts, TextStatistics, Weighting, WordCounts
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.features import CategoryFeatures, Features, TextEmbedding, TextFeatures
from schemas.knobs import value

Scale = Literal["standard", "none"]
Step = tuple[str, Any, list[str]]

NUMBERS, CATEGORIES, BOOLEANS, TIMES = "numbers", "categories", "booleans", "times"
"""The steps of which a layout tells more than their width."""


def transformer(
    features: Features,  # settled
    columns: Mapping[str, Column],
    vectors: str | None = None,  # a folder that keeps what an encoder makes of texts
) -> ColumnTransformer:
    """Unfitted; takes a data frame with at least these columns, in any order.

    ValueError where the features leave no block at all, or where `features.vector` is another
    width than words and embeddings make. These two have their exact width whatever they are
    fitted on, so a fitted transformer needs no second look.
    """
    _check_vector(features, columns)
    sparse = _is_sparse(features, columns)
    steps = [
        *_grams(features, _of(columns, TextColumn)),
        *_others(features, columns, sparse=sparse),
        *_senses(features, columns, vectors, sparse=sparse),
    ]
    if not steps:
        raise ValueError(
            "features.text: expected words, characters, statistics or an embedding where there is "
            "no column beside text, got none of them; set one to true, or name an encoder"
        )
    # Numbered, not named: scikit-learn refuses "__", which a column's name may hold.
    return ColumnTransformer(steps, sparse_threshold=1.0 if sparse else 0.0)


def layout(fitted: ColumnTransformer) -> Layout:
    """Where categories, booleans and marks of missing cells stand in the matrix that it makes."""
    blocks: dict[str, slice] = fitted.output_indices_
    width = max(block.stop for block in blocks.values())
    return Layout(width, tuple(_level_ranges(fitted)), tuple(_flags(fitted)))


def _level_ranges(fitted: ColumnTransformer) -> Iterator[tuple[int, int]]:
    if CATEGORIES not in fitted.named_transformers_:
        return iter(())
    encoder = fitted.named_transformers_[CATEGORIES]
    widths = [
        # The rare levels share one column.
        len(levels) - (0 if rare is None else len(rare) - 1)
        for levels, rare in zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    ]
    return pairwise(accumulate(widths, initial=int(fitted.output_indices_[CATEGORIES].start)))


def _flags(fitted: ColumnTransformer) -> Iterator[int]:
    """A whole block of booleans; of numbers and times what tells that a cell was missing."""
    for name, block in fitted.output_indices_.items():
        columns = range(block.start, block.stop)
        if name == BOOLEANS:
            yield from columns
        elif name == NUMBERS:  # its marks come last
            marks = len(fitted.named_transformers_[name]["make"].indicator_.features_)
            yield from columns[len(columns) - marks :]
        elif name == TIMES:
            clock: Clock = fitted.named_transformers_[name]["make"]
            yield from (columns[place] for place in clock.marks())


def _is_sparse(features: Features, columns: Mapping[str, Column]) -> bool:
    """Whether n-grams may be more columns than embeddings, which have no zeros.

    10,000 rows of 200 words and 384 embeddings, dense against sparse: logistic regression 0.9 s
    against 1.7 s, SMOTE 0.9 s against 3.9 s, and half again the memory (46 MB against 30).
    """
    with_characters: bool = value(features.text.characters)
    texts = len(_of(columns, TextColumn))
    given = _given(features, columns)
    return bool(texts) and (with_characters or texts * _most_words(features) > given)


def _given(features: Features, columns: Mapping[str, Column]) -> int:
    """Columns of embeddings, given or made of text."""
    told = features.text.embedding
    made = len(_of(columns, TextColumn)) * told.dimension if told is not None else 0
    return made + sum(column.dimension for column in _embeddings(columns).values())


def _most_words(features: Features) -> int:
    """Columns of word n-grams that one text may make."""
    with_words: bool = value(features.text.words)
    most: int = value(features.text.max_features)
    return most if with_words else 0


def _grams(features: Features, texts: list[str]) -> list[Step]:
    text, steps = features.text, list[Step]()
    with_words: bool = value(text.words)
    with_characters: bool = value(text.characters)
    for place, name in enumerate(texts):
        if with_words:
            words = _words(text, exact=features.vector is not None)
            steps.append((f"words{place}", words, [name]))
        if with_characters:
            steps.append((f"characters{place}", _characters(text), [name]))
    return steps


def _others(features: Features, columns: Mapping[str, Column], *, sparse: bool) -> list[Step]:
    """The dense blocks, in a fixed order; `sparse` where many n-grams stand beside them."""
    precision: Precision = "single" if sparse else "double"
    texts, numbers = _of(columns, TextColumn), _of(columns, NumberColumn)
    categories, booleans = _of(columns, CategoryColumn), _of(columns, BooleanColumn)
    times = _of(columns, TimeColumn)
    steps = list[Step]()
    with_statistics: bool = value(features.text.statistics)
    if texts and with_statistics:
        steps.append(("statistics", _chain(TextStatistics(), "standard", sparse=sparse), texts))
    if numbers:
        scale: Scale = value(features.number.scale)
        steps.append((NUMBERS, _chain(_medians(), scale, sparse=sparse), numbers))
    if categories:
        steps.append((CATEGORIES, _levels(features.category, sparse=sparse), categories))
    if booleans:
        steps.append((BOOLEANS, _chain(_falses(), "none", sparse=sparse), booleans))
    if times:
        steps.append((TIMES, _chain(Clock(), "none", sparse=sparse), times))
    for i, (name, column) in enumerate(_embeddings(columns).items()):
        vectors = Vectors(column.dimension, precision)
        scale = value(features.embedding.scale)
        steps.append((f"embedding{i}", _chain(vectors, scale, sparse=sparse), [name]))
    return steps


def _senses(
    features: Features, columns: Mapping[str, Column], vectors: str | None, *, sparse: bool
) -> list[Step]:
    if (told := features.text.embedding) is None:
        return []
    precision: Precision = "single" if sparse else "double"
    return [
        (
            f"senses{place}",
            _chain(sentence_vectors(told, precision, vectors), "none", sparse=sparse),
            [name],
        )
        for place, name in enumerate(_of(columns, TextColumn))
    ]


def sentence_vectors(
    spec: TextEmbedding, precision: Precision, vectors: str | None
) -> SentenceVectors:
    """Unfitted; for one text column."""
    return SentenceVectors(
        encoder=spec.encoder.model,
        revision=spec.encoder.revision,
        dimension=spec.dimension,
        max_tokens=spec.max_tokens,
        batch_size=spec.batch_size,
        precision=precision,
        cache=vectors,
    )


def _chain(first: BaseEstimator, scale: Scale, *, sparse: bool) -> Pipeline:
    """Scaled in the precision it comes in, and only then made sparse."""
    steps: list[tuple[str, BaseEstimator]] = [("make", first)]
    match scale:
        case "standard":
            steps.append(("scale", StandardScaler()))
        case "none":
            pass
        case _:
            assert_never(scale)
    return Pipeline([*steps, ("sparse", Sparse())] if sparse else steps)


def _words(spec: TextFeatures, *, exact: bool) -> WordCounts:
    weighting: Weighting = value(spec.weighting)
    return WordCounts(
        weighting=weighting,
        ngram_max=value(spec.ngram_max),
        min_df=value(spec.min_df),
        max_features=value(spec.max_features),
        exact=exact,
    )


def _characters(spec: TextFeatures) -> CharacterCounts:
    return CharacterCounts(min_df=value(spec.min_df), max_features=value(spec.max_characters))


def _medians() -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _falses() -> SimpleImputer:
    return SimpleImputer(
        strategy="constant", fill_value=0.0, add_indicator=True, keep_empty_features=True
    )


def _levels(spec: CategoryFeatures, *, sparse: bool) -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=value(spec.min_frequency),
        sparse_output=sparse,
        dtype=np.float32 if sparse else np.float64,
    )


def _check_vector(features: Features, columns: Mapping[str, Column]) -> None:
    if features.vector is None:
        return
    words = _most_words(features)
    texts = len(_of(columns, TextColumn))
    given = _given(features, columns)
    if texts * words + given != features.vector:
        raise ValueError(
            f"features.vector: expected {texts * words + given} ({given} of embeddings and "
            f"{texts} x {words} words), got {features.vector}; correct it or text.max_features"
        )


def _of(columns: Mapping[str, Column], kind: type[Column]) -> list[str]:
    return [name for name, column in columns.items() if isinstance(column, kind)]


def _embeddings(columns: Mapping[str, Column]) -> dict[str, EmbeddingColumn]:
    return {name: each for name, each in columns.items() if isinstance(each, EmbeddingColumn)}
