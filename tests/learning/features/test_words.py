"""Texts as n-grams and as what they are like."""

import numpy as np
import pandas as pd
import pytest

from learning.features.words import STATISTICS, CharacterCounts, TextStatistics, WordCounts


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


@pytest.mark.parametrize("said", [["so good", "so bad"], ["", None]], ids=["few", "none"])
def test_exact_words_are_filled_with_zeros_up_to_the_width(said: list[str | None]) -> None:
    counts = WordCounts(max_features=5, exact=True).fit(pd.DataFrame({"said": said}))
    made = counts.transform(pd.DataFrame({"said": ["so so bad", "never heard"]}))
    assert made.shape == (2, 5)
    assert made[1].nnz == 0
    assert len(set(counts.get_feature_names_out())) == 5


def test_a_large_vocabulary_is_cut_to_the_exact_width() -> None:
    said = pd.DataFrame({"said": ["common one", "common two", "common three"]})
    counts = WordCounts(max_features=1, exact=True).fit(said)
    assert counts.transform(said).shape == (3, 1)
    assert list(counts.get_feature_names_out()) == ["common"]


def test_places_in_a_vocabulary_are_plain_integers() -> None:
    said = pd.DataFrame({"said": ["so good", "so bad"]})
    for counts in (WordCounts(max_features=2), CharacterCounts(max_features=2)):
        places = counts.fit(said).vectorizer_.vocabulary_.values()
        assert {type(place) for place in places} == {int}


def test_character_n_grams_have_two_to_five_characters_within_a_word() -> None:
    counts = CharacterCounts().fit(pd.DataFrame({"said": ["good dog"]}))
    names = list(counts.get_feature_names_out())
    assert {len(name) for name in names} == {2, 3, 4, 5}
    assert not any(" " in name.strip() for name in names)


def test_a_misspelt_word_shares_characters_with_the_word() -> None:
    counts = CharacterCounts().fit(pd.DataFrame({"said": ["excellent", "terrible"]}))
    known, misspelt = counts.transform(pd.DataFrame({"said": ["excellent", "exellent"]})).toarray()
    assert counts.transform(pd.DataFrame({"said": [None]})).nnz == 0
    assert misspelt @ known > 0.5
    assert known.dtype == np.float32


def _statistics(text: str | None) -> dict[str, float]:
    made = TextStatistics().fit_transform(pd.DataFrame({"said": [text]}))
    return dict(zip(STATISTICS, made[0], strict=True))


def test_statistics_of_a_text_are_those_that_one_counts_by_hand() -> None:
    made = _statistics("Oh NO, 42 times!")
    assert made == pytest.approx(
        {
            "characters": np.log(17),
            "words": np.log(5),
            "word length": 13 / 4,
            "capitals": 3 / 16,
            "digits": 2 / 16,
            "punctuation": 2 / 16,
        }
    )


@pytest.mark.parametrize("text", [None, "", "   "], ids=["missing", "empty", "blank"])
def test_a_text_without_anything_has_finite_statistics(text: str | None) -> None:
    made = _statistics(text)
    assert np.isfinite(list(made.values())).all()
    assert made["words"] == made["capitals"] == made["word length"] == 0


def test_other_alphabets_have_capitals_and_digits_too() -> None:
    assert _statistics("ÄÉ")["capitals"] == 1
    assert _statistics("Привет")["capitals"] == 1 / 6
    assert _statistics("٤٢")["digits"] == 1


def test_statistics_name_column_and_kind() -> None:
    frame = pd.DataFrame({"title": ["a"], "body": ["b"]})
    names = list(TextStatistics().fit(frame).get_feature_names_out())
    assert len(names) == 12
    assert names[0] == "title: characters"
    assert names[-1] == "body: punctuation"
