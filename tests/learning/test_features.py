import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse

from learning.features import WordCounts, transformer
from schemas.dataset import CategoryColumn, Column, NumberColumn, TextColumn
from schemas.features import CategoryFeatures, Features, NumberFeatures, TextFeatures

SETTLED = Features(text=TextFeatures(weighting="tfidf", ngram_max=1, min_df=2))
TABLE = pd.DataFrame(
    {
        "said": ["so good", "so bad", None, "so far"],
        "size": [1.0, np.nan, 3.0, 5.0],
        "kind": ["a", "a", None, "rare"],
    }
)


def _columns(*names: str) -> dict[str, Column]:
    every: dict[str, Column] = {
        "said": TextColumn(),
        "size": NumberColumn(),
        "kind": CategoryColumn(),
    }
    return {name: every[name] for name in names}


def test_text_makes_the_matrix_sparse_and_keeps_single_precision() -> None:
    made = transformer(SETTLED, _columns("said")).fit_transform(TABLE)
    assert issparse(made)
    assert made.dtype == np.float32


def test_a_table_without_text_is_dense_double_precision() -> None:
    made = transformer(SETTLED, _columns("size", "kind")).fit_transform(TABLE)
    assert isinstance(made, np.ndarray)
    assert made.dtype == np.float64


def test_other_columns_and_their_order_change_nothing() -> None:
    columns = _columns("said", "size", "kind")
    fitted = transformer(SETTLED, columns).fit(TABLE)
    other = TABLE[["kind", "size", "said"]].assign(__key=1)
    assert (fitted.transform(TABLE) != fitted.transform(other)).nnz == 0


def test_a_column_may_have_any_name() -> None:
    frame = TABLE.rename(columns={"said": "a__b [x]"})
    made = transformer(SETTLED, {"a__b [x]": TextColumn()}).fit_transform(frame)
    assert made.shape[0] == 4


def test_a_missing_number_is_the_median_and_says_so() -> None:
    spec = Features(number=NumberFeatures(scale="none"))
    made = transformer(spec, _columns("size")).fit_transform(TABLE)
    assert made.tolist() == [[1, 0], [3, 1], [3, 0], [5, 0]]


def test_a_number_missing_only_when_predicting_is_the_median() -> None:
    spec = Features(number=NumberFeatures(scale="none"))
    fitted = transformer(spec, _columns("size")).fit(TABLE.dropna(subset="size"))
    assert fitted.transform(pd.DataFrame({"size": [np.nan]})).tolist() == [[3.0]]


def test_a_column_without_any_number_is_kept() -> None:
    frame = pd.DataFrame({"size": [np.nan, np.nan]})
    assert transformer(SETTLED, _columns("size")).fit_transform(frame).shape[0] == 2


def test_an_unseen_level_joins_the_rare_ones() -> None:
    spec = Features(category=CategoryFeatures(min_frequency=2))
    fitted = transformer(spec, _columns("kind")).fit(TABLE)
    rare, unseen = fitted.transform(pd.DataFrame({"kind": ["rare", "never"]}))
    assert rare.tolist() == unseen.tolist()
    assert rare.sum() == 1


@pytest.mark.parametrize("weighting", ["tfidf", "binary"])
def test_words_are_counted_or_only_noted(weighting: str) -> None:
    counts = WordCounts(weighting=weighting, ngram_max=2)  # type: ignore[arg-type]
    made = counts.fit_transform(pd.DataFrame({"said": ["no no no way", "way"]}))
    assert list(counts.get_feature_names_out()) == ["no", "no no", "no way", "way"]
    assert set(np.unique(made.toarray())) == {0.0, 1.0} or weighting == "tfidf"


def test_accents_and_capitals_are_no_difference() -> None:
    counts = WordCounts(weighting="binary").fit(pd.DataFrame({"said": ["Café"]}))
    assert counts.transform(pd.DataFrame({"said": ["CAFE"]})).sum() == 1


def test_few_rows_lower_the_floor_of_word_frequency() -> None:
    said = pd.DataFrame({"said": [f"word{row}" for row in range(10)]})
    assert WordCounts(min_df=5).fit_transform(said).shape == (10, 10)


@pytest.mark.parametrize(
    "said", [["", ""], [None, None], ["a", "b"], ["?!", "..."]], ids=["empty", "none", "one", "no"]
)
def test_a_column_without_words_gives_zeros_instead_of_failing(said: list[str | None]) -> None:
    counts = WordCounts().fit(pd.DataFrame({"said": said}))
    made = counts.transform(pd.DataFrame({"said": ["some words", "here", "now"]}))
    assert made.shape == (3, 1)
    assert made.nnz == 0
    assert list(counts.get_feature_names_out()) == ["no words"]


def test_an_open_knob_is_a_fault_of_the_caller() -> None:
    with pytest.raises(TypeError, match="settle"):
        transformer(Features(), _columns("said"))
