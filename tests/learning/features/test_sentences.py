"""A frozen encoder's vectors are the mean of its tokens, and each text is read once."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from learning.features.matrix import layout, transformer
from learning.features.sentences import SentenceVectors, sentence_steps
from schemas.dataset import Column, EmbeddingColumn, NumberColumn, TextColumn
from schemas.faults import EncoderMissing
from schemas.features import Features

pytest.importorskip("torch", reason="the extra `transformer` is not installed")
pytest.importorskip("transformers", reason="the extra `transformer` is not installed")

WIDTH = 32
TEXTS = ["good table", "bad bad sad river stone", "good table", "plain", "", "fine window street"]
FRAME = pd.DataFrame({"said": [*TEXTS, None]})


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.learning.neural.tiny import make_bert

    return make_bert(tmp_path_factory.mktemp("encoder") / "bert")


def vectors(folder: Path, **told: Any) -> SentenceVectors:
    given = {"dimension": WIDTH, "max_tokens": 16, "batch_size": 2, "precision": "single"}
    return SentenceVectors(encoder=str(folder), revision=None, **(given | told))


def features(folder: Path, **told: Any) -> Features:
    embedding = {"encoder": {"model": str(folder)}, "dimension": WIDTH, "max_tokens": 16}
    vector = {"vector": told.pop("vector")} if "vector" in told else {}
    text = {"weighting": "tfidf", "ngram_max": 1, "min_df": 1, "embedding": embedding, **told}
    return Features.model_validate({"text": text, **vector})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that an encoder was asked for."""
    from learning.neural.sentences import SentenceEncoder

    asked: list[str] = []
    own = SentenceEncoder.vectors

    def told(self: SentenceEncoder, texts: list[str], *limits: int) -> Any:
        asked.extend(texts)
        return own(self, texts, *limits)

    monkeypatch.setattr(SentenceEncoder, "vectors", told)
    return asked


def test_a_vector_is_the_mean_of_the_tokens_of_one_text_brought_to_length_1(bert: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from learning.neural.surroundings import quiet

    with quiet():
        network = AutoModel.from_pretrained(bert).eval()
        tokenizer = AutoTokenizer.from_pretrained(bert)
    made = vectors(bert).fit_transform(FRAME)
    assert made.dtype == np.float32
    for text, found in zip([*TEXTS, ""], made, strict=True):
        with torch.inference_mode():
            mean = network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(found, (mean / mean.norm()).numpy(), atol=1e-6)


def test_no_text_is_read_twice_by_whoever_shares_the_cache(
    bert: Path, reads: list[str], tmp_path: Path
) -> None:
    first = vectors(bert, cache=str(tmp_path)).fit_transform(FRAME)
    assert sorted(reads) == sorted(set(TEXTS))
    again = vectors(bert, cache=str(tmp_path), precision="double").fit_transform(FRAME)
    assert len(reads) == len(set(TEXTS))
    assert again.dtype == np.float64
    np.testing.assert_array_equal(first, again)
    assert not any(b"table" in path.read_bytes() for path in tmp_path.rglob("*.npy"))


def test_another_encoder_or_length_has_a_cache_of_its_own(
    bert: Path, reads: list[str], tmp_path: Path
) -> None:
    from tests.learning.neural.tiny import make_bert

    other = make_bert(tmp_path / "other", seed=1)
    cache = str(tmp_path / "cache")
    made = [
        vectors(folder, cache=cache, max_tokens=most).fit_transform(FRAME)
        for folder, most in ((bert, 16), (other, 16), (bert, 4))
    ]
    assert len(reads) == 3 * len(set(TEXTS))
    assert abs(made[0] - made[1]).max() > 0.01
    assert abs(made[0] - made[2]).max() > 0.01


def test_an_encoder_that_was_replaced_after_the_fit_is_refused(bert: Path, tmp_path: Path) -> None:
    own = tmp_path / "bert"
    shutil.copytree(bert, own)
    fitted = vectors(own).fit(FRAME)
    settings = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps(settings | {"layer_norm_eps": 0.1}))
    with pytest.raises(ValueError, match="its files are not those of the fit"):
        fitted.transform(FRAME)
    with pytest.raises(ValueError, match="its files are not those of the fit"):
        fitted.own_files()
    shutil.rmtree(own)
    with pytest.raises(EncoderMissing, match="got nothing at"):
        fitted.transform(FRAME)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dimension": 33}, r"embedding\.dimension: expected 32, .* got 33"),
        ({"max_tokens": 33}, "expected max_tokens of at most 32, got 33"),
    ],
)
def test_what_the_encoder_is_not_made_for_is_told(
    bert: Path, changed: dict[str, int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        vectors(bert, **changed).fit_transform(FRAME)


def test_each_text_column_has_a_dense_block_beside_the_others(bert: Path) -> None:
    columns: dict[str, Column] = {"said": TextColumn(), "heard": TextColumn(), "n": NumberColumn()}
    frame = FRAME.assign(heard=FRAME["said"][::-1].to_list(), n=1.0)
    fitted = transformer(features(bert, words=False), columns).fit(frame)
    made = fitted.transform(frame)
    assert not issparse(made)
    assert made.shape == (len(frame), 2 * WIDTH + 1)
    assert layout(fitted).columns == 2 * WIDTH + 1
    np.testing.assert_array_equal(made[::-1, 1 : 1 + WIDTH], made[:, 1 + WIDTH :])
    assert len(list(sentence_steps(fitted))) == 2
    names = fitted.get_feature_names_out()
    assert names[-1] == f"senses1__heard, sense {WIDTH - 1}"


def test_words_and_senses_are_sparse_where_words_are_more(bert: Path) -> None:
    columns: dict[str, Column] = {"said": TextColumn()}
    many = transformer(features(bert, max_features=WIDTH + 1), columns).fit_transform(FRAME)
    few = transformer(features(bert, max_features=WIDTH), columns).fit_transform(FRAME)
    assert issparse(many)
    assert many.dtype == np.float32
    assert not issparse(few)
    np.testing.assert_allclose(many.toarray(), few, atol=1e-6)


def test_vector_counts_the_columns_that_are_made_of_text(bert: Path) -> None:
    columns: dict[str, Column] = {"said": TextColumn(), "sense": EmbeddingColumn(dimension=2)}
    frame = FRAME.assign(sense=[[0.0, 1.0]] * len(FRAME))
    wide = features(bert, max_features=20, vector=2 + WIDTH + 20)
    assert transformer(wide, columns).fit_transform(frame).shape[1] == 2 + WIDTH + 20
    with pytest.raises(ValueError, match=r"expected 54 \(34 of embeddings and 1 x 20 words\)"):
        transformer(features(bert, max_features=20, vector=22), columns)
