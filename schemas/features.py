"""How columns become features: knobs of the transformer of `learning/features/matrix.py`."""

from typing import Literal

from pydantic import PositiveInt

from schemas.knobs import Knob
from schemas.strict import Strict
from schemas.transformers import Count, Encoder, Tokens


class TextEmbedding(Strict):
    """A pretrained encoder that stays as it is: the mean of a text's tokens, of length 1.

    `dimension` is how wide the encoder is (its `hidden_size`), `max_tokens` what it reads of a
    text. Each text is read once for all folds, trials and nights.
    """

    encoder: Encoder
    dimension: PositiveInt = 384
    max_tokens: Tokens = 128
    batch_size: Count = 32


class TextFeatures(Strict):
    """Of every text column: word n-grams, character n-grams (of 2 to 5, within words),
    statistics (characters, words, mean word length, share of capitals, digits and punctuation),
    and its embedding by a frozen encoder, where one is named.

    `min_df` rows must have an n-gram, of words or of characters; `max_features` are the most word
    n-grams of one column, `max_characters` the most character n-grams.
    """

    words: Knob[bool] = True
    weighting: Knob[Literal["tfidf", "binary"]] = ("tfidf", "binary")
    ngram_max: Knob[PositiveInt] = (1, 2)
    min_df: Knob[PositiveInt] = (2, 3, 5)
    max_features: Knob[PositiveInt] = 100_000
    characters: Knob[bool] = False
    max_characters: Knob[PositiveInt] = 100_000
    statistics: Knob[bool] = False
    embedding: TextEmbedding | None = None


class NumberFeatures(Strict):
    """Numbers: missing ones imputed by the median with an indicator, then scaled."""

    scale: Knob[Literal["standard", "none"]] = "standard"


class CategoryFeatures(Strict):
    """Categories one-hot; levels rarer than `min_frequency` rows share one column, unseen too."""

    min_frequency: Knob[PositiveInt] = 2


class EmbeddingFeatures(Strict):
    """Given embeddings, as they are or each dimension scaled."""

    scale: Knob[Literal["standard", "none"]] = "none"


class Features(Strict):
    """Knobs of roles that the data set lacks are never searched.

    `vector` states how many columns the word n-grams and the embeddings, given or made of text,
    together have to make, no more and no fewer (a vocabulary that is too small is filled with
    zeros); another width is a fault of the plan.
    """

    text: TextFeatures = TextFeatures()
    number: NumberFeatures = NumberFeatures()
    category: CategoryFeatures = CategoryFeatures()
    embedding: EmbeddingFeatures = EmbeddingFeatures()
    vector: PositiveInt | None = None
