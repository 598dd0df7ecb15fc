"""A space has the knobs that matter, and every point of it is a settled candidate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.searching.space import (
    Space,
    candidate,
    combinations,
    completed,
    first_points,
    grid,
    middle,
    space,
)
from schemas.classifiers import LightGBM, LogisticRegression
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)
from schemas.faults import PlanError
from schemas.features import CategoryFeatures, EmbeddingFeatures, Features
from schemas.knobs import OpenKnob, Range, Setting, open_knobs
from schemas.plan import Family
from schemas.samplers import ClassWeights, NoResampling, RandomUndersampling, Smote

TEXT: dict[str, Column] = {"said": TextColumn()}
NUMBERS: dict[str, Column] = {"amount": NumberColumn()}
LINEAR = Family(classifier=LogisticRegression())
BOOSTED = Family(classifier=LightGBM())
EXPONENT = ClassWeights(exponent=Range(low=0.0, high=1.0))


def test_knobs_of_roles_that_no_column_has_are_left_out() -> None:
    assert set(space(LINEAR, NUMBERS, (NoResampling(),))) == {"classifier.C"}
    assert set(space(LINEAR, TEXT, (NoResampling(),))) == {
        "classifier.C",
        "features.text.weighting",
        "features.text.ngram_max",
        "features.text.min_df",
    }


def test_the_knobs_of_embeddings_count_where_there_is_one() -> None:
    family = Family(
        classifier=LogisticRegression(C=1.0),
        features=Features(embedding=EmbeddingFeatures(scale=("none", "standard"))),
    )
    columns: dict[str, Column] = {"sense": EmbeddingColumn(dimension=3), "at": TimeColumn()}
    assert set(space(family, columns, (Smote(),))) == {"features.embedding.scale"}
    assert space(family, NUMBERS | {"paid": BooleanColumn()}, (Smote(),)) == {}


def test_open_category_knobs_count_where_there_are_categories() -> None:
    family = Family(
        classifier=LogisticRegression(C=1.0),
        features=Features(category=CategoryFeatures(min_frequency=(2, 9))),
    )
    assert set(space(family, {"shop": CategoryColumn()}, (Smote(),))) == {
        "features.category.min_frequency"
    }


def test_several_kept_methods_are_a_choice_and_their_open_knobs_too() -> None:
    knobs = space(LINEAR, NUMBERS, (NoResampling(), EXPONENT))
    assert knobs["imbalance"] == ("none", "class-weights")
    assert knobs["imbalance.class-weights.exponent"] == Range(low=0.0, high=1.0)


def test_one_kept_method_is_no_choice() -> None:
    assert "imbalance" not in space(LINEAR, NUMBERS, (Smote(),))


def test_a_point_chooses_the_method_and_settles_it() -> None:
    kept = (NoResampling(), EXPONENT)
    point = {"imbalance": "class-weights", "imbalance.class-weights.exponent": 0.25}
    assert candidate(LINEAR, kept, point).imbalance == ClassWeights(exponent=0.25)
    assert candidate(LINEAR, kept, {**point, "imbalance": "none"}).imbalance == NoResampling()


@pytest.mark.parametrize("family", [LINEAR, BOOSTED], ids=["linear", "boosted"])
def test_what_a_point_leaves_open_settles(family: Family) -> None:
    settled = candidate(family, (EXPONENT,), {})
    parts = (settled.features, settled.imbalance, settled.classifier)
    knobs = {path for part in parts for path in open_knobs(part)}
    assert knobs == set()


@pytest.mark.parametrize("family", [LINEAR, BOOSTED], ids=["linear", "boosted"])
def test_first_points_are_complete_and_inside(family: Family) -> None:
    knobs = space(family, TEXT, (NoResampling(), EXPONENT))
    points = first_points(family, knobs)
    assert len(points) == 2
    for point in points:
        assert set(point) == set(knobs)
        candidate(family, (NoResampling(), EXPONENT), point)
    assert points[0]["imbalance.class-weights.exponent"] == 0.5


KNOBS: Space = {
    "whole": Range(low=2, high=8),
    "log": Range(low=0.1, high=10.0, log=True),
    "choice": ("a", 1, True, None),
}


def test_a_point_of_another_space_is_pulled_in() -> None:
    moved = completed({"whole": 100, "log": 1e-9, "choice": "gone", "unknown": 3}, KNOBS)
    assert moved == {"whole": 8, "log": 0.1, "choice": "a"}


def test_lacking_knobs_take_the_middle_and_the_first_choice() -> None:
    assert completed({}, KNOBS) == {"whole": 5, "log": pytest.approx(1.0), "choice": "a"}


def test_true_is_not_the_choice_one() -> None:
    assert completed({"choice": True}, KNOBS)["choice"] is True
    assert completed({"whole": True}, KNOBS)["whole"] == 5


@given(
    st.dictionaries(
        st.sampled_from(["whole", "log", "choice", "other"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3))
        | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_every_completed_point_is_inside(point: dict[str, bool | int | float | str | None]) -> None:
    inside = completed(point, KNOBS)
    whole, log = inside["whole"], inside["log"]
    assert isinstance(whole, int)
    assert 2 <= whole <= 8
    assert isinstance(log, float)
    assert 0.1 <= log <= 10.0
    assert inside["choice"] in ("a", 1, True, None)
    assert completed(inside, KNOBS) == inside


@pytest.mark.parametrize(
    ("knobs", "points"),
    [
        ({}, 1),
        ({"a": (1, 2), "b": Range(low=1, high=3)}, 6),
        ({"a": (1, 2), "b": Range(low=1, high=30)}, None),
        ({"a": Range(low=0.0, high=1.0)}, None),
    ],
    ids=["empty", "countable", "too many", "continuous"],
)
def test_a_countable_space_is_listed(knobs: Space, points: int | None) -> None:
    listed = grid(knobs, most=20)
    assert (len(listed) if listed is not None else None) == points


def test_combinations_come_in_order_and_the_last_knob_turns_first() -> None:
    points = list(combinations({"a": ("x", "y"), "b": Range(low=1, high=3)}))
    assert [tuple(point.values()) for point in points] == [
        ("x", 1), ("x", 2), ("x", 3), ("y", 1), ("y", 2), ("y", 3),
    ]  # fmt: skip


def test_a_space_without_open_knobs_has_one_combination() -> None:
    assert list(combinations({})) == [{}]


def test_combinations_are_made_one_by_one() -> None:
    vast: Space = {f"knob{n}": (1, 2, 3, 4) for n in range(40)}
    assert next(combinations(vast)) == dict.fromkeys(vast, 1)


def test_a_range_of_numbers_has_no_combinations_and_is_named() -> None:
    knobs: Space = {"classifier.C": Range(low=0.1, high=1.0), "classifier.depth": (1, 2)}
    with pytest.raises(PlanError, match=r"got a range of numbers at classifier\.C\. List"):
        combinations(knobs)


def test_undersampling_and_smote_ratios_do_not_share_a_knob() -> None:
    ratio = Range(low=0.2, high=1.0)
    kept = (RandomUndersampling(ratio=ratio), Smote(ratio=ratio))
    assert {"imbalance.random-undersampling.ratio", "imbalance.smote.ratio"} <= set(
        space(LINEAR, NUMBERS, kept)
    )


@pytest.mark.parametrize(
    ("knob", "between"),
    [
        (Range(low=0.0, high=1.0), 0.5),
        (Range(low=0.01, high=1.0, log=True), 0.1),
        (Range(low=2, high=50, log=True), 10),
        (("b", "a"), "b"),
    ],
    ids=["even", "by log", "whole by log", "choices"],
)
def test_the_middle_of_a_range_is_where_its_scale_has_it(knob: OpenKnob, between: Setting) -> None:
    assert middle(knob) == (pytest.approx(between) if isinstance(between, float) else between)
