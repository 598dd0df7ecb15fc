"""A real small encoder tells what sentences say, without being trained."""

import numpy as np
import pandas as pd
import pytest

from learning.features.matrix import transformer
from schemas.dataset import TextColumn
from schemas.features import Features

pytest.importorskip("torch", reason="the extra `transformer` is not installed")
pytest.importorskip("transformers", reason="the extra `transformer` is not installed")

TEXTS = [
    "Please erase everything that you know about me.",
    "Remove my personal records from your system.",
    "The server was attacked last night.",
    "Hackers broke into our computers.",
]


def test_sentences_that_mean_the_same_are_near_whatever_their_words() -> None:
    from tests.learning.neural.test_pretrained import minilm

    embedding = {"encoder": {"model": str(minilm())}}
    text = {"weighting": "tfidf", "ngram_max": 1, "min_df": 1, "max_features": 200}
    features = Features.model_validate({"text": text | {"embedding": embedding}, "vector": 584})
    made = transformer(features, {"text": TextColumn()}).fit_transform(
        pd.DataFrame({"text": TEXTS})
    )
    assert made.shape == (4, 584)
    senses = made[:, 200:]
    np.testing.assert_allclose(np.linalg.norm(senses, axis=1), 1, atol=1e-6)
    near = senses @ senses.T
    assert min(near[0, 1], near[2, 3]) > near[:2, 2:].max() + 0.05
