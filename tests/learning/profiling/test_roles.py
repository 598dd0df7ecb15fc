import numpy as np
import pyarrow as pa
import pytest

from learning.profiling.facts import facts_of
from learning.profiling.roles import guessed
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)

N = range(200)
WORDS = np.array(["red", "green", "blue", "old", "new", "tree"])
SPOKEN = [" ".join(row) for row in np.random.default_rng(0).choice(WORDS, (200, 6))]


def role(*cells: object, name: str = "x", kind: pa.DataType | None = None) -> Column | None:
    return guessed(facts_of(name, pa.chunked_array([pa.array(cells, kind)]))).column


def why(*cells: object, name: str = "x", kind: pa.DataType | None = None) -> str:
    return guessed(facts_of(name, pa.chunked_array([pa.array(cells, kind)]))).why


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([f"{n / 7:.3f}" for n in N], NumberColumn()),
        ([f"{n % 5}" for n in N], NumberColumn()),
        (["", "NA", *(f"{n}" for n in N)], NumberColumn()),
        ([n % 5 for n in N], NumberColumn()),
        (["1", "0"] * 50, BooleanColumn()),
        (["Yes", "no", ""] * 50, BooleanColumn()),
        ([True, None] * 50, BooleanColumn()),
        ([1.0, 0.0] * 50, BooleanColumn()),
        (["Y", "N"] * 50, CategoryColumn()),
        (["new york city hall", "the old tree house"] * 50, CategoryColumn()),
        ([f"{n % 30:03}" for n in N] * 2, CategoryColumn()),
        (SPOKEN, TextColumn()),
        (["今天天氣很好我們去" + chr(0x4E00 + n) for n in N], TextColumn()),
        ([[1.0, 2.0]] * 50, EmbeddingColumn(dimension=2)),
        (["[1, 2.5, -3e-2]", "[0, 0, 1]"] * 50, EmbeddingColumn(dimension=3)),
        (["2026-01-31T09:30:00Z", "2026-02-01T09:30:00+01:00"], TimeColumn()),
        (["2026-01-31", "2026-02-01"], TimeColumn(zone="UTC")),
    ],
    ids=[
        "fractions", "few-whole-numbers", "missing-numbers", "stored-numbers", "ones", "yes",
        "stored-truths", "float-truths", "letters", "long-levels", "leading-zeros", "text",
        "unspaced-text", "lists", "json-lists", "offsets", "days",
    ],
)  # fmt: skip
def test_a_column_is_what_its_cells_say(cells: list[object], expected: Column) -> None:
    assert role(*cells) == expected


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["", " ", "NA"], "empty in all 3 rows"),
        (["a"] * 9, "the same in all 9 rows"),
        (["1,5", "2,25", "3"], "numbers with a decimal comma; write them as 1234.5"),
        (["1,500", "12,500,000.5"], "separators between thousands"),
        (["5 %", "7%"], "percent signs"),
        (["€ 5", "€ 7.50"], "a currency"),
        ([f"ab{n}" for n in N] + ["-"], "201 values in 201 cells: too many for levels"),
        (["?"] * 50 + [f"{n / 7:.3f}" for n in N], "numbers, but in 50 of 250 cells; empty them"),
        (["09:30", "17:45:10"], "a time of day without its day"),
        ([[1.0], [1.0, 2.0]] * 50, "none of 1 finite numbers|none of 2 finite numbers"),
        ([{"a": 1}, {"a": 2}], "write their parts as columns"),
        ([b"x", b"y"], "stored in a type that no role reads"),
    ],
    ids=[
        "empty", "constant", "decimal-comma", "thousands", "percent", "currency", "short-texts",
        "many-marks", "clock", "lists-of-lengths", "objects", "bytes",
    ],
)  # fmt: skip
def test_what_no_role_reads_is_left_out_with_what_to_do(cells: list[object], told: str) -> None:
    assert role(*cells) is None
    assert any(part in why(*cells) for part in told.split("|"))


def test_one_bad_cell_in_hundreds_leaves_a_number_a_number() -> None:
    cells = pa.chunked_array([pa.array(["?", *(f"{n / 7:.2f}" for n in N)])])
    found = guessed(facts_of("x", cells))
    assert found.column == NumberColumn()
    assert found.bad is not None
    assert np.flatnonzero(found.bad).tolist() == [0]
    assert role(*["?"] * 40, *(f"{n % 90}" for n in N)) != NumberColumn()


def test_whole_numbers_that_are_named_as_codes_are_levels() -> None:
    cells = [str(10115 + n % 9) for n in N]
    assert role(*cells, name="zip code") == role(*cells, name="shop_id") == CategoryColumn()
    assert role(*cells, name="size") == NumberColumn()


@pytest.mark.parametrize(
    ("cells", "form", "asks"),
    [
        (["31/01/2026", "01/02/2026"], "%d/%m/%Y", False),
        (["01/31/2026", "02/01/2026"], "%m/%d/%Y", False),
        (["01/02/2026", "03/02/2026"], "%d/%m/%Y", True),
        (["31.01.2026 09:30", "01.02.2026 10:00"], "%d.%m.%Y %H:%M", False),
        (["31 Jan 2026", "01 Feb 2026"], "%d %b %Y", False),
        (["20260131", "20260201"], "%Y%m%d", False),
        (["Tue Feb 24 11:35:52 +0000 2015"] * 2 + ["Wed Feb 25 11:35:52 +0000 2015"],
         "%a %b %d %H:%M:%S %z %Y", False),
    ],
    ids=["day-first", "month-first", "undecided", "dots", "named", "packed", "named-with-offset"],
)  # fmt: skip
def test_dates_tell_their_form_or_it_is_asked(cells: list[str], form: str, asks: bool) -> None:
    found = guessed(facts_of("x", pa.chunked_array([pa.array(cells)])))
    assert isinstance(found.column, TimeColumn)
    assert found.column.format == form
    assert any("day before month" in each for each in found.asks) == asks


def test_numbers_of_seconds_stay_numbers() -> None:
    assert role(*(str(1_700_000_000 + 60 * n) for n in N)) == NumberColumn()
