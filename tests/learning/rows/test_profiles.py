"""A night's profile adds up over its objects; only what is far, and far beyond chance, moved."""

import numpy as np
import pytest

from learning.rows.profiles import drift_findings, empty_columns, moves, profile_of, refuse_moves
from schemas.dataset import Drift
from schemas.faults import DataRejected
from schemas.label import Target
from schemas.manifest import Shard
from schemas.profile import Profile

Y = Target(name="y", class_values=("no", "yes"), counted=(0, 1))
NAMES = ["b.csv"]
MOOD = Target(name="mood", class_values=("sad", "calm", "glad"), counted=(0, 1, 2))


def shard(name: str = "a.parquet", counts: tuple[int, ...] = (80, 20), **facts: object) -> Shard:
    told = {"missing": {"x": 0}, "stored": {"x": "double"}} | facts
    return Shard.model_validate(
        {"object_name": name, "path": "p", "rows": sum(counts), "class_counts": (counts,), **told}
    )


def profile(*counts: int, target: Target = Y, **facts: object) -> Profile:
    (of,) = (profile_of([shard(counts=counts, **facts)], [target]),)
    return of


def test_a_profile_adds_up_over_objects() -> None:
    found = profile_of(
        [shard(missing={"x": 3}), shard("b.jsonl", (10, 0), stored={"x": "int64", "t": "string"})],
        [Y],
    )
    assert found.rows == 110
    assert found.class_counts == {"y": {"no": 90, "yes": 20}}
    assert found.missing == {"x": 3}
    assert found.kinds == {"x": ("number",), "t": ("text",)}


def test_rows_like_the_accepted_ones_did_not_move() -> None:
    assert moves(profile(80, 20), profile(810, 190), Drift(), NAMES) == ()


def test_a_class_share_beyond_the_limit_moved_and_of_two_classes_one_is_told() -> None:
    (move,) = moves(profile(50, 50), profile(800, 200), Drift(), NAMES)
    assert move.figure == "the share of class 'yes' of 'y'"
    assert (move.accepted, move.arrived) == ("20.0% of 1,000 rows", "50.0% of 100 rows")
    assert move.limit == "dataset.drift.class_share (0.2)"
    assert move.note == (
        "drift in b.csv: the share of class 'yes' of 'y' is 50.0% of 100 rows, was 20.0% of 1,000 "
        "rows in the last accepted night"
    )


def test_of_more_classes_each_that_moved_is_told() -> None:
    found = moves(
        profile(70, 0, 30, target=MOOD), profile(300, 400, 300, target=MOOD), Drift(), NAMES
    )
    assert [move.figure.split("'")[1] for move in found] == ["sad", "calm"]


def test_missing_cells_move_too() -> None:
    (move,) = moves(
        profile(80, 20, missing={"x": 40}), profile(800, 200, missing={"x": 10}), Drift(), NAMES
    )
    assert (move.column, move.figure) == ("x", "the share of missing cells of 'x'")


def test_a_column_stored_as_another_kind_moved_but_not_a_wider_number_or_an_empty_one() -> None:
    before = profile(80, 20, stored={"x": "int32", "t": "string", "z": "double"})
    now = profile(80, 20, stored={"x": "double", "t": "dictionary<values=string>", "z": "null"})
    assert moves(now, before, Drift(), NAMES) == ()
    (move,) = moves(profile(80, 20, stored={"x": "string"}), before, Drift(), NAMES)
    assert (move.column, move.accepted, move.arrived) == ("x", "number", "text")


def test_a_csv_file_stores_no_types() -> None:
    found = profile_of([shard("a.csv.gz", stored={"x": "string"})], [Y])
    assert found.kinds == {}


@pytest.mark.parametrize(("now", "before"), [((9, 90), (800, 200)), ((90, 100), (9, 0))])
def test_few_rows_prove_nothing(now: tuple[int, int], before: tuple[int, int]) -> None:
    assert moves(profile(*now), profile(*before), Drift(min_rows=100), NAMES) == ()


def test_a_move_within_the_noise_of_its_rows_is_none() -> None:
    """100 rows of a share of 1/2 lie within 4 standard errors, 0.2 of it, whatever the limit."""
    drift = Drift(class_share=0.01)
    assert moves(profile(35, 65), profile(5000, 5000), drift, NAMES) == ()
    assert moves(profile(3500, 6500), profile(5000, 5000), drift, NAMES) != ()


def test_rows_of_one_source_hardly_ever_seem_to_move() -> None:
    draw = np.random.default_rng(0)
    drift = Drift(class_share=0.001)
    counted = draw.binomial(200, 0.1, size=2000).tolist()
    alarms = sum(
        bool(moves(profile(200 - yes, yes), profile(1800, 200), drift, NAMES)) for yes in counted
    )
    assert alarms <= 2


def test_other_classes_or_columns_than_before_are_not_compared() -> None:
    before = profile(800, 200)
    assert moves(profile(10, 10, 80, target=MOOD), before, Drift(), NAMES) == ()
    assert moves(profile(80, 20, missing={"new": 90}), before, Drift(), NAMES) == ()


def test_a_refusal_tells_figures_objects_and_what_to_do() -> None:
    found = moves(profile(50, 50), profile(800, 200), Drift(), NAMES)
    with pytest.raises(
        DataRejected, match=r"Drift in b\.csv against .*: expected the share of class 'yes'"
    ) as told:
        refuse_moves(found)
    assert "near 20.0% of 1,000 rows, got 50.0% of 100 rows" in str(told.value)
    assert "raise dataset.drift.class_share (0.2)" in str(told.value)
    (finding,) = told.value.findings
    assert (finding.object_name, finding.column) == ("b.csv", "y")
    assert "Correct the export" in finding.todo
    refuse_moves(())


def test_several_objects_are_counted_and_a_kind_has_no_limit_to_raise() -> None:
    before = profile(80, 20, stored={"x": "double"})
    found = moves(profile(80, 20, stored={"x": "string"}), before, Drift(), ["b", "c"])
    (finding,) = drift_findings(found)
    assert finding.object_name == "2 new or changed objects"
    assert "raise" not in finding.todo


def test_a_column_without_any_value_is_named() -> None:
    assert empty_columns(profile(80, 20, missing={"x": 99, "z": 0})) == ()
    (note,) = empty_columns(profile(80, 20, missing={"x": 100, "z": 0}))
    assert "no value in any of 100 rows: 'x'" in note
