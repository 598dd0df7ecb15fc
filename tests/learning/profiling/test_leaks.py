from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from learning.profiling.classes import Answers, answers
from learning.profiling.facts import facts_of
from learning.profiling.leaks import leak
from learning.profiling.roles import guessed

ROWS = 4_000
RANDOM = np.random.default_rng(0)
RARE = RANDOM.random(ROWS) < 0.03
THREE = RANDOM.choice(3, ROWS, p=[0.6, 0.25, 0.15])


def label(cells: Sequence[object]) -> Answers:
    return answers(pa.table({"y": pa.array([str(cell) for cell in cells])}), "y")


def told(cells: Sequence[object], labels: Sequence[object], name: str = "x") -> str:
    texts = pa.array(["" if cell is None else str(cell) for cell in cells])
    found = guessed(facts_of(name, pa.chunked_array([texts])))
    assert found.facts is not None
    return leak(found.facts, found.column, [label(labels)])


def noisy(labels: np.ndarray, right: float, seed: int = 1) -> np.ndarray:
    """Each label as it is in that share of its rows, and another otherwise."""
    random = np.random.default_rng(seed)
    other = (labels + random.integers(1, labels.max() + 1, len(labels))) % (labels.max() + 1)
    return np.where(random.random(len(labels)) < right, labels, other)


@pytest.mark.parametrize(
    ("cells", "labels", "expected"),
    [
        (THREE, THREE, "says the same as 'y'"),
        (["abc"[c] for c in THREE], THREE, "the same as 'y' under other names, in all 4,000"),
        (["ab"[c] for c in THREE[:300] // 2], THREE[:300] // 2, "the same as 'y'"),
        ([f"{'abc'[c]}{n % 40}" for n, c in enumerate(THREE)], THREE, "tells 'y' by itself"),
        ([c * 10 + n % 7 / 7 for n, c in enumerate(THREE)], THREE, "by itself, 100.0% right"),
        (["late" if c == 1 else None for c in THREE], THREE, "all of them of class 1"),
        (["late" if c == 1 and n % 9 == 0 else None for n, c in enumerate(THREE)], THREE,
         "all of them of class 1"),
        ([None if c == 2 else n % 5 for n, c in enumerate(THREE)], THREE, "whether it is missing"),
        ([int(c and n % 3 == 0) for n, c in enumerate(RARE)], RARE.astype(int),
         "all of them of class 1, which is"),
    ],
    ids=[
        "copy", "other-names", "two-classes", "finer-levels", "ranges", "filled-afterwards",
        "filled-now-and-then", "missing", "one-sided",
    ],
)  # fmt: skip
def test_what_gives_the_label_away_is_told_with_figures(
    cells: Sequence[object], labels: Sequence[object], expected: str
) -> None:
    assert expected in told(cells, labels)


@pytest.mark.parametrize("right", [0.6, 0.9, 0.97, 0.985])
def test_a_strong_honest_level_is_no_leak(right: float) -> None:
    assert told(noisy(THREE, right), THREE) == ""


@pytest.mark.parametrize("right", [0.5, 0.8, 0.95])
def test_a_strong_honest_flag_of_a_rare_class_is_no_leak(right: float) -> None:
    flag = RARE & (RANDOM.random(ROWS) < 0.9)
    wrong = np.flatnonzero(~RARE)[: round(flag.sum() * (1 - right) / right)]
    flag[wrong] = True
    assert told(flag.astype(int), RARE.astype(int)) == ""


@pytest.mark.parametrize("distance", [1.0, 3.0, 4.5])
def test_a_strong_honest_measure_is_no_leak(distance: float) -> None:
    cells = RANDOM.normal(size=ROWS) + distance * RARE
    assert told(cells.round(3), RARE.astype(int)) == ""


def test_a_measure_that_tells_one_of_three_classes_is_no_leak() -> None:
    """As the petals of irises do."""
    cells = RANDOM.normal(size=ROWS) + np.array([0, 9, 11])[THREE]
    assert told(cells.round(1), THREE) == ""


def test_few_rows_prove_nothing() -> None:
    cells = np.where(THREE[:90] == 2, 1, 0)
    assert told(["abcd"[2 * c + n % 2] for n, c in enumerate(cells)], cells) == ""


def test_missing_cells_by_chance_are_no_leak() -> None:
    cells = [None if n % 10 == 0 else n % 13 for n in range(ROWS)]
    assert told(cells, RARE.astype(int)) == ""


def test_a_column_named_after_the_label_is_one() -> None:
    cells = RANDOM.random(ROWS).round(3)
    assert "named after 'y'" in told(cells, THREE, name="y_confidence")
    assert told(cells, THREE, name="yard_confidence") == ""
