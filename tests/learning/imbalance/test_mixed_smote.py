from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTENC
from scipy.sparse import csr_array, csr_matrix, issparse

from learning.features.layout import Layout
from learning.features.matrix import layout, transformer
from learning.imbalance.mixed_smote import mixed_rows
from learning.imbalance.samplers import resample, resamplers
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.features import CategoryFeatures, Features, TextFeatures
from schemas.samplers import Smote, SmoteNC


def _one_hot(codes: Any, levels: int) -> Any:
    """A code below zero has no level."""
    return np.where(codes[:, np.newaxis] == np.arange(levels), 1.0, 0.0)


def _mixed(rows: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """Two numbers and two categories of two levels, as codes and as columns."""
    rng = np.random.default_rng(seed)
    numbers, codes = rng.normal(size=(rows, 2)), rng.integers(0, 2, size=(rows, 2))
    one_hot = [_one_hot(codes[:, place], 2) for place in (0, 1)]
    return numbers, codes, np.hstack([one_hot[0], numbers, one_hot[1]])


def _dense(X: Any) -> Any:
    return X.toarray() if issparse(X) else X


TWO_AND_TWO = Layout(columns=6, levels=((0, 2), (4, 6)))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_smotenc_of_imbalanced_learn_where_no_vote_ties(seed: int) -> None:
    # Five neighbours and two levels can't tie.
    numbers, codes, X = _mixed(25, seed)
    labels = np.repeat([0, 1], [40, 25])
    theirs = SMOTENC([2, 3], random_state=seed, k_neighbors=5)
    padded = np.vstack([np.zeros((40, 4)), np.hstack([numbers, codes])])
    expected = theirs.fit_resample(padded, labels)[0][65:]
    new = mixed_rows(X, TWO_AND_TWO, 5, 15, seed)
    assert np.allclose(new[:, 2:4], expected[:, :2])
    assert np.array_equal(new[:, 0:2].argmax(axis=1), expected[:, 2])
    assert np.array_equal(new[:, 4:6].argmax(axis=1), expected[:, 3])


@pytest.mark.parametrize("kind", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("float_type", [np.float32, np.float64])
@pytest.mark.parametrize("neighbours", [1, 2, 5])
def test_a_synthetic_row_has_one_level_of_each_category(
    kind: Any, float_type: type, neighbours: int
) -> None:
    rng = np.random.default_rng(0)
    groups = [_one_hot(rng.integers(0, levels, 20), levels) for levels in (3, 1, 7)]
    X = kind(np.hstack([rng.normal(size=(20, 2)), *groups]).astype(float_type))
    levels = ((2, 5), (5, 6), (6, 13))
    new = mixed_rows(X, Layout(13, levels[::-1]), neighbours, 50, 0)  # in any order
    assert issparse(new) == issparse(X)
    assert new.dtype == float_type
    dense = _dense(new)
    for first, end in levels:
        group = dense[:, first:end]
        assert set(np.unique(group)) <= {0.0, 1.0}
        assert (group.sum(axis=1) == 1).all()


def test_sparse_and_dense_rows_give_the_same() -> None:
    _, _, X = _mixed(12)
    dense = mixed_rows(X, TWO_AND_TWO, 4, 30, 0)
    assert np.allclose(mixed_rows(csr_array(X), TWO_AND_TWO, 4, 30, 0).toarray(), dense)


def test_a_row_without_a_level_may_be_outvoted_or_win() -> None:
    codes = np.array([-1, -1, -1, -1, 0, 1])
    X = np.hstack([np.zeros((6, 1)), _one_hot(codes, 2)])
    X[:, 0] = [0.0, 0.1, 0.2, 0.3, 100.0, 200.0]
    new = mixed_rows(X, Layout(3, ((1, 3),)), 3, 40, 0)
    assert (new[new[:, 0] < 1, 1:] == 0).all()  # three neighbours without a level
    assert set(np.unique(new[:, 1:].sum(axis=1))) <= {0.0, 1.0}


def test_a_tie_is_drawn() -> None:
    X = np.hstack([np.zeros((3, 1)), np.eye(3)])
    new = mixed_rows(X, Layout(4, ((1, 4),)), 2, 200, 0)
    assert (new[:, 1:].sum(axis=0) > 40).all()


def test_a_level_that_no_neighbour_has_is_not_taken() -> None:
    X = np.hstack([np.arange(8.0)[:, np.newaxis], _one_hot(np.array([0, 0, 0, 0, 0, 0, 0, 2]), 3)])
    new = mixed_rows(X, Layout(4, ((1, 4),)), 5, 100, 0)
    assert (new[:, 1] == 1).all()


def test_categories_decide_who_is_near_also_beside_words() -> None:
    # Ninety words that this class never says leave the median deviation of numbers at nought.
    groups = np.repeat([0, 1], 6)
    said = np.random.default_rng(0).normal(0, 0.01, size=(12, 3))
    X = csr_array(np.hstack([said, np.zeros((12, 90)), _one_hot(groups, 2)]))
    X[:, [0]] = csr_array((groups * 0.02)[:, np.newaxis] + said[:, :1])
    new = mixed_rows(X, Layout(95, ((93, 95),)), 3, 100, 0).toarray()
    assert new[:, 93:].sum(axis=0).min() > 20


def test_categories_alone_are_blended() -> None:
    codes = np.array([0, 0, 0, 1, 1, 1])
    X = np.hstack([_one_hot(codes, 2), _one_hot(codes, 2)])
    new = mixed_rows(X, Layout(4, ((0, 2), (2, 4))), 2, 30, 0)
    assert np.array_equal(new[:, :2], new[:, 2:])
    assert set(new[:, 0]) == {0.0, 1.0}


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix], ids=["dense", "sparse"])
def test_smote_breaks_categories_and_smote_nc_does_not(kind: Any) -> None:
    _, _, X = _mixed(60)
    labels = np.repeat([0, 1], [50, 10])
    seen = []
    for spec in (SmoteNC(), Smote()):
        after = resample(resamplers(spec, (50, 10), 0, TWO_AND_TWO)[0], kind(X), labels, None).X
        seen.append(set(np.unique(_dense(after)[:, [0, 1, 4, 5]])))
    assert seen[0] == {0.0, 1.0}
    assert len(seen[1]) > 2


def test_the_layout_of_real_features_says_what_is_a_category() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "said": [
                " ".join(rng.choice(["aye", "nay", "perhaps", "never"], 3)) for _ in range(80)
            ],
            "size": rng.normal(size=80),
            "colour": rng.choice(["red", "green", "blue"], 80),
            "shape": ["round", "flat"] * 39 + ["bent", "torn"],  # rare ones share a column
        }
    )
    columns: dict[str, Column] = {
        "said": TextColumn(),
        "size": NumberColumn(),
        "colour": CategoryColumn(),
        "shape": CategoryColumn(),
    }
    category = CategoryFeatures(min_frequency=2)
    text = TextFeatures(weighting="tfidf", ngram_max=1, min_df=2)
    features = transformer(Features(text=text, category=category), columns)
    X, labels = features.fit_transform(frame), np.repeat([0, 1], [64, 16])
    chain = resamplers(SmoteNC(), (64, 16), 0, layout(features))[0]
    after = resample(chain, X, labels, None)
    found = layout(features).levels
    assert [end - first for first, end in found] == [3, 3]
    assert after.X.dtype == X.dtype
    for first, end in found:
        group = _dense(after.X)[:, first:end]
        assert set(np.unique(group)) == {0.0, 1.0}
        assert (group.sum(axis=1) == 1).all()


@pytest.mark.parametrize("kind", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("values", [(0.0, 1.0), (-0.2, 5.0)], ids=["plain", "scaled"])
def test_a_flag_is_a_category_of_two_levels(kind: Any, values: tuple[float, float]) -> None:
    numbers, codes, X = _mixed(25)
    told = np.array(values)[codes]
    flagged = kind(np.column_stack([told[:, 0], numbers, told[:, 1]]))
    new = _dense(mixed_rows(flagged, Layout(4, flags=(0, 3)), 5, 30, 0))
    same = mixed_rows(X, TWO_AND_TWO, 5, 30, 0)
    assert np.allclose(new[:, 1:3], same[:, 2:4])
    assert np.array_equal(new[:, 0], np.array(values)[same[:, 1].astype(int)])
    assert np.array_equal(new[:, 3], np.array(values)[same[:, 5].astype(int)])


@pytest.mark.parametrize("with_text", [False, True], ids=["dense", "sparse"])
def test_no_synthetic_row_is_half_true_or_half_missing(with_text: bool) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "said": [" ".join(rng.choice(["aye", "nay", "never"], 3)) for _ in range(80)],
            "size": np.where(rng.random(80) < 0.3, np.nan, rng.normal(size=80)),
            "sold": rng.choice([0.0, 1.0, np.nan], 80),
            "shop": rng.choice(["a", "b"], 80),
            "at": pd.date_range("2024-01-01", periods=80, freq="7h", tz="UTC").where(
                rng.random(80) < 0.7
            ),
        }
    )
    columns: dict[str, Column] = {
        "size": NumberColumn(),
        "sold": BooleanColumn(),
        "shop": CategoryColumn(),
        "at": TimeColumn(),
    }
    text = TextFeatures(weighting="tfidf", ngram_max=1, min_df=1)
    features = transformer(
        Features(text=text), columns | ({"said": TextColumn()} if with_text else {})
    )
    X, labels = features.fit_transform(frame), np.repeat([0, 1], [64, 16])
    found = layout(features)
    assert len(found.flags) == 4
    seen = []
    for spec in (SmoteNC(), Smote()):
        after = _dense(resample(resamplers(spec, (64, 16), 0, found)[0], X, labels, None).X)
        seen.append([set(after[:, flag]) - set(_dense(X)[:, flag]) for flag in found.flags])
    assert seen[0] == [set()] * 4
    assert all(seen[1])


def test_a_layout_of_other_features_is_refused() -> None:
    X, labels = np.zeros((12, 5)), np.repeat([0, 1], [8, 4])
    with pytest.raises(
        ValueError, match="expected a matrix of 6 columns, as its layout has, got 5"
    ):
        resample(resamplers(SmoteNC(), (8, 4), 0, TWO_AND_TWO)[0], X, labels, None)
