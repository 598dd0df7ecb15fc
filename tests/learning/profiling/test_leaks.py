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


def flagged(rows: int, share: float, up: int) -> tuple[np.ndarray, np.ndarray]:
    """A flag that is up for the first rows of a class of that share, and the labels."""
    order = np.random.default_rng(2).permutation(rows)
    return (np.arange(rows) < up).astype(int)[order], (np.arange(rows) < share * rows)[order] * 1


@pytest.mark.parametrize(
    ("rows", "share", "up"),
    [(5_000, 0.4, 800), (5_000, 0.25, 600), (3_000, 0.3, 60), (2_000, 0.03, 20)],
)
def test_a_flag_that_always_means_one_class_is_a_leak_beyond_chance(
    rows: int, share: float, up: int
) -> None:
    flag, labels = flagged(rows, share, up)
    expected = (
        f"one of its values stands in {up} rows, all of them of class 1, which is {share:.1%}"
    )
    amounts = flag * np.arange(1, rows + 1) / 8
    for cells in (flag, flag.astype(bool), np.where(flag, "refund", "-")):
        assert expected in told(cells, labels)
    assert f"other than its usual value in {up} rows, all of" in told(amounts, labels)


@pytest.mark.parametrize(
    ("rows", "share", "up"), [(2_000, 0.03, 14), (2_000, 0.2, 30), (2_000, 0.4, 75)]
)
def test_a_flag_that_an_honest_one_may_be_by_chance_is_no_leak(
    rows: int, share: float, up: int
) -> None:
    flag, labels = flagged(rows, share, up)
    assert told(flag, labels) == ""
    assert told(flag * np.arange(1, rows + 1) / 8, labels) == ""


def test_a_flag_that_rules_out_a_rare_class_is_no_leak() -> None:
    """Who has no account commits no fraud."""
    flag, labels = flagged(50_000, 0.98, 30_000)
    assert told(flag, labels) == ""
    assert told(flag * np.arange(1, 50_001) / 8, labels) == ""


def test_pure_levels_of_a_common_class_are_no_leak_among_others() -> None:
    """As odors of mushrooms are, all of them pure but the one that most have."""
    random = np.random.default_rng(3)
    poison, smell = random.random(ROWS) < 0.48, random.random(ROWS) < 0.6
    odor = np.where(poison, random.choice(3, ROWS), 3 + random.choice(2, ROWS))
    assert told(["cfpal"[o] if s else "n" for o, s in zip(odor, smell, strict=True)], poison) == ""


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
