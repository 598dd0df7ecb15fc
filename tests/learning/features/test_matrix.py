import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.typing import NDArray
from scipy.sparse import issparse, vstack
from sklearn.compose import ColumnTransformer

from learning.features.layout import Layout
from learning.features.matrix import layout, transformer
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.features import (
    CategoryFeatures,
    EmbeddingFeatures,
    Features,
    NumberFeatures,
    TextFeatures,
)

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


def test_an_open_knob_is_a_fault_of_the_caller() -> None:
    with pytest.raises(TypeError, match="settle"):
        transformer(Features(), _columns("said"))


EVERY: dict[str, Column] = {
    "said": TextColumn(),
    "size": NumberColumn(),
    "kind": CategoryColumn(),
    "shop": CategoryColumn(),
    "paid": BooleanColumn(),
    "at": TimeColumn(),
    "sense": EmbeddingColumn(dimension=3),
}
ALL_TEXT = TextFeatures(
    weighting="tfidf", ngram_max=1, min_df=1, characters=True, statistics=True, max_features=3
)


def _every(rows: int = 40) -> pd.DataFrame:
    """Rows of every role, with missing cells in every column that may miss some."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "said": random.choice(["so good", "so bad", "so far away", ""], rows),
            "size": random.normal(size=rows),
            "kind": random.choice(["a", "b", "c"], rows),
            "shop": random.choice(["x", "y"], rows),
            "paid": random.choice([0.0, 1.0], rows),
            "at": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "sense": list(random.normal(size=(rows, 3)).astype(np.float32)),
        }
    )
    frame.loc[0, ["said", "kind", "at"]] = None
    frame.loc[0, ["size", "paid"]] = np.nan
    frame.loc[1, "kind"] = "seldom"
    frame.loc[2, "kind"] = "once"
    return frame


def _fitted(features: Features, *names: str) -> ColumnTransformer:
    return transformer(features, {name: EVERY[name] for name in names}).fit(_every())


def _block(fitted: ColumnTransformer, name: str) -> NDArray[np.float64]:
    made = fitted.transform(_every())
    dense = made.toarray() if issparse(made) else made
    block: NDArray[np.float64] = dense[:, fitted.output_indices_[name]]
    return block


def test_every_role_has_its_block_and_every_column_its_name() -> None:
    fitted = _fitted(Features(text=ALL_TEXT), *EVERY)
    widths = {name: block.stop - block.start for name, block in fitted.output_indices_.items()}
    assert widths.pop("characters0") > 10
    assert widths == {
        "words0": 3,
        "statistics": 6,
        "numbers": 2,
        "categories": 6,
        "booleans": 2,
        "times": 7,
        "embedding0": 3,
        "remainder": 0,
    }
    made = fitted.transform(_every())
    assert made.dtype == np.float32
    assert issparse(made)
    assert np.isfinite(made.data).all()
    names = fitted.get_feature_names_out()
    assert len(set(names)) == made.shape[1]


def test_a_table_of_every_role_but_text_is_dense_double_precision() -> None:
    made = _fitted(SETTLED, *set(EVERY) - {"said"}).transform(_every())
    assert isinstance(made, np.ndarray)
    assert made.dtype == np.float64
    assert np.isfinite(made).all()


def test_text_of_which_only_statistics_are_taken_is_dense() -> None:
    features = Features(text=TextFeatures(words=False, statistics=True))
    made = transformer(features, _columns("said")).fit_transform(TABLE)
    assert isinstance(made, np.ndarray)
    assert made.shape == (4, 6)
    assert made.mean(axis=0) == pytest.approx(0)


def test_fewer_words_than_embeddings_are_a_dense_matrix() -> None:
    few, many = (SETTLED.text.model_copy(update={"max_features": n}) for n in (3, 4))
    assert not issparse(_fitted(Features(text=few), "said", "sense").transform(_every()))
    assert issparse(_fitted(Features(text=many), "said", "sense").transform(_every()))


def test_text_and_numbers_side_by_side_have_the_cells_that_each_has_alone() -> None:
    spec = Features(text=ALL_TEXT)
    together = _fitted(spec, *EVERY)
    for block, column in (("numbers", "size"), ("times", "at"), ("embedding0", "sense")):
        alone = _fitted(spec, column)
        assert _block(together, block) == pytest.approx(_block(alone, block), abs=1e-6)


def test_a_missing_boolean_is_false_and_says_so() -> None:
    frame = pd.DataFrame({"paid": [1.0, 0.0, np.nan]})
    fitted = transformer(SETTLED, {"paid": BooleanColumn()}).fit(frame)
    assert fitted.transform(frame).tolist() == [[1, 0], [0, 0], [0, 1]]


def test_a_boolean_missing_only_when_predicting_is_false() -> None:
    fitted = transformer(SETTLED, {"paid": BooleanColumn()}).fit(pd.DataFrame({"paid": [1.0, 0]}))
    assert fitted.transform(pd.DataFrame({"paid": [np.nan]})).tolist() == [[0.0]]


@pytest.mark.parametrize("scale", ["none", "standard"])
def test_embeddings_are_as_given_or_each_dimension_is_scaled(scale: str) -> None:
    spec = EmbeddingFeatures.model_validate({"scale": scale})
    made = _block(_fitted(Features(embedding=spec), "sense"), "embedding0")
    given = np.stack(_every()["sense"].to_list())
    if scale == "standard":
        given = (given - given.mean(axis=0)) / given.std(axis=0)
    assert made == pytest.approx(given, abs=1e-5)


def test_two_embeddings_may_have_two_dimensions() -> None:
    columns: dict[str, Column] = {
        "a": EmbeddingColumn(dimension=1),
        "b": EmbeddingColumn(dimension=2),
    }
    frame = pd.DataFrame({"a": [[1.0]], "b": [[2.0, 3.0]]})
    assert transformer(SETTLED, columns).fit_transform(frame).tolist() == [[1, 2, 3]]


def test_no_block_at_all_is_told() -> None:
    features = Features(text=TextFeatures(words=False))
    with pytest.raises(ValueError, match=r"features\.text: expected words, characters, stat"):
        transformer(features, _columns("said"))
    assert transformer(features, _columns("said", "size")).fit_transform(TABLE).shape == (4, 2)


@pytest.mark.parametrize("said", ["so good and so on", None], ids=["few words", "no words"])
def test_words_and_embeddings_make_just_the_width_that_is_stated(said: str | None) -> None:
    features = Features(text=SETTLED.text.model_copy(update={"max_features": 200}), vector=203)
    columns = {name: EVERY[name] for name in ("said", "sense", "size")}
    fitted = transformer(features, columns).fit(_every().assign(said=said))
    widths = {name: block.stop - block.start for name, block in fitted.output_indices_.items()}
    assert widths["words0"] + widths["embedding0"] == 203
    assert fitted.transform(_every()).shape[1] == 205
    assert len(fitted.get_feature_names_out()) == 205


def test_another_width_than_stated_is_refused() -> None:
    features = Features(text=SETTLED.text.model_copy(update={"max_features": 200}), vector=584)
    told = r"expected 203 \(3 of embeddings and 1 x 200 words\), got 584"
    with pytest.raises(ValueError, match=told):
        transformer(features, {name: EVERY[name] for name in ("said", "sense")})


@pytest.mark.parametrize("names", [["kind"], ["said", "size", "kind", "at", "shop"]])
def test_the_layout_marks_the_one_hot_columns_of_each_category(names: list[str]) -> None:
    fitted = _fitted(Features(text=ALL_TEXT), *names)
    made = fitted.transform(_every())
    dense = made.toarray() if issparse(made) else made
    found = layout(fitted)
    assert found.columns == dense.shape[1]
    assert len(found.levels) == len([name for name in names if name in ("kind", "shop")])
    # "a", "b", "c", and one column for "seldom", "once" and missing together; "x", "y".
    assert [end - start for start, end in found.levels] == [4, 2][: len(found.levels)]
    for start, end in found.levels:
        assert np.unique(dense[:, start:end]).tolist() == [0, 1]
        assert dense[:, start:end].sum(axis=1).tolist() == [1] * len(dense)


def test_a_matrix_without_categories_has_no_levels() -> None:
    assert layout(_fitted(SETTLED, "size")).levels == ()


@pytest.mark.parametrize("scale", ["standard", "none"])
@pytest.mark.parametrize("with_text", [False, True], ids=["dense", "sparse"])
def test_the_layout_marks_booleans_and_marks_of_missing_cells(scale: str, with_text: bool) -> None:
    columns: dict[str, Column] = {
        "size": NumberColumn(),
        "kind": CategoryColumn(),
        "weight": NumberColumn(),
        "sold": BooleanColumn(),
        "at": TimeColumn(),
        "new": BooleanColumn(),
        "seen": TimeColumn(),
    }
    frame = pd.DataFrame(
        {
            "said": ["so good", "so bad", "so so", "so far"],
            "size": [1.0, 2.0, 3.5, 5.0],
            "weight": [1.0, np.nan, 3.5, 5.0],
            "kind": ["a", "a", "b", "b"],
            "sold": [1.0, 0.0, np.nan, 1.0],
            "new": [1.0, 0.0, 0.0, 1.0],
            "at": pd.to_datetime(["2024-01-01T05:00Z"] * 3 + [None]),
            "seen": pd.to_datetime(["2024-01-01T05:00Z", None, "2024-06-07T09:00Z", None]),
        }
    )
    features = SETTLED.model_copy(update={"number": NumberFeatures(scale=scale)})
    fitted = transformer(features, columns | ({"said": TextColumn()} if with_text else {}))
    made = fitted.fit_transform(frame)
    assert issparse(made) == with_text
    flags = list(layout(fitted).flags)
    names = [str(name).partition("__")[2] for name in fitted.get_feature_names_out()]
    assert [names[flag] for flag in flags] == [
        "missingindicator_weight",
        "sold",
        "new",
        "missingindicator_sold",
        "at: missing",
        "seen: missing",
    ]
    dense = made.toarray() if issparse(made) else made
    assert [len(np.unique(dense[:, flag])) for flag in flags] == [2] * 6


def test_layout_of_levels_that_are_all_frequent() -> None:
    fitted = _fitted(Features(category=CategoryFeatures(min_frequency=1)), "kind", "shop")
    assert layout(fitted) == Layout(columns=8, levels=((0, 6), (6, 8)))


def test_labels_are_never_looked_at() -> None:
    made = transformer(Features(text=ALL_TEXT), EVERY)
    first = made.fit(_every(), np.zeros(40)).transform(_every())
    second = made.fit(_every(), np.arange(40)).transform(_every())
    assert (first != second).nnz == 0


def test_rows_that_are_transformed_together_do_not_touch_each_other() -> None:
    fitted = _fitted(Features(text=ALL_TEXT), *EVERY)
    whole = fitted.transform(_every())
    single = vstack([fitted.transform(_every().iloc[[row]]) for row in range(40)])
    assert abs(whole - single).max() == pytest.approx(0, abs=1e-6)


OWN_TYPES = {
    "learning.features.encoders.Clock",
    "learning.features.encoders.Sparse",
    "learning.features.encoders.Vectors",
    "learning.features.words.CharacterCounts",
    "learning.features.words.TextStatistics",
    "learning.features.words.WordCounts",
    "numpy.dtype",
}


def test_what_is_saved_needs_our_own_types_only_and_comes_back_the_same() -> None:
    fitted = _fitted(Features(text=ALL_TEXT), *EVERY)
    body = skops.io.dumps(fitted)
    assert set(skops.io.get_untrusted_types(data=body)) == OWN_TYPES
    restored = skops.io.loads(body, trusted=sorted(OWN_TYPES))
    assert (restored.transform(_every()) != fitted.transform(_every())).nnz == 0
    assert layout(restored) == layout(fitted)
    assert list(restored.get_feature_names_out()) == list(fitted.get_feature_names_out())
