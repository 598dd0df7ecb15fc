import pyarrow as pa
import pytest

from learning.profiling.classes import answers, label_of
from schemas.faults import DataRejected
from schemas.label import ClassValue, MultiLabel, MultiTaskLabel


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["yes", "no"], ("no", "yes")),
        (["positive", "Negative", "neutral"], ("Negative", "neutral", "positive")),
        (["class 10", "class 2"], ("class 2", "class 10")),
        (["1.0", "0.0"], (0, 1)),
        (["1", "-1", "0"], (-1, 0, 1)),
        (["1.5", "2"], (1.5, 2.0)),
        (["01", "2"], ("01", "2")),
        (["TRUE", "False", "true"], (False, True)),
        ([True, False], (False, True)),
        ([3, 1], (1, 3)),
        (["NA", "x"], ("NA", "x")),
        (["1", "0", "NA"], (0, 1)),
        (["high", "low", "medium"], ("low", "medium", "high")),
        ([" yes ", " no "], (" no ", " yes ")),
    ],
)
def test_classes_stand_in_their_natural_order(
    cells: list[object], classes: tuple[ClassValue, ...]
) -> None:
    found = answers(pa.table({"y": cells * 10}), "y")
    assert found.classes == classes
    assert [type(each) for each in found.classes] == [type(each) for each in classes]
    assert sum(found.counts) == (found.codes >= 0).sum()


def test_rows_without_a_label_and_of_rare_classes_are_counted() -> None:
    cells = ["a"] * 40 + ["b"] * 30 + ["c"] * 2 + [""] * 5 + ["A"]
    found = answers(pa.table({"y": cells * 1 + ["a"] * 40}), "y")
    assert (found.classes, found.counts) == (("a", "b"), (80, 30))
    assert (found.missing, found.rare, found.misspelt) == (5, {"c": 2}, {"A": 1})
    assert (found.codes < 0).sum() == 8


def test_several_labels_are_many_of_yes_and_no_or_questions_of_their_own() -> None:
    table = pa.table({"x": ["0", "1"] * 9, "y": [1, 0] * 9, "z": ["a", "b"] * 9})
    flags = [answers(table, name) for name in "xy"]
    assert label_of(flags) == MultiLabel(columns=("x", "y"))
    tasks = [answers(table, name) for name in "xz"]
    assert label_of(tasks) == MultiTaskLabel(columns={"x": (0, 1), "z": ("a", "b")})


def test_labels_of_a_type_without_classes_are_refused() -> None:
    table = pa.table({"y": pa.array([1, 2], pa.timestamp("s"))})
    with pytest.raises(DataRejected, match="expected text, whole numbers or true and false"):
        answers(table, "y")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["yes", "yes ", "no"] * 20, r"got 'yes ' beside 'yes' in 20 rows, which differ in case"),
        ([f"{n}.5" for n in range(60)], r"expected classes, got 60 different numbers with fract"),
    ],
    ids=["trailing-blanks", "an-amount"],
)
def test_a_label_that_makes_no_classes_says_what_it_got(cells: list[str], told: str) -> None:
    with pytest.raises(DataRejected, match=told):
        answers(pa.table({"y": cells}), "y")


def test_many_whole_numbers_are_asked_whether_they_are_an_amount() -> None:
    [asked] = answers(pa.table({"y": list(range(40)) * 10}), "y").asks
    assert asked.startswith("is it an amount? Each of 40 whole numbers would be a class")
    assert answers(pa.table({"y": list(range(10)) * 40}), "y").asks == ()
    assert answers(pa.table({"y": [f"intent {n}" for n in range(40)] * 10}), "y").asks == ()
