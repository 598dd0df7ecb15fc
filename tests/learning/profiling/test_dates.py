"""Times that are not all written alike: what is told of them, and what is asked."""

import pandas as pd
import pyarrow as pa
import pytest

from learning.profiling.dates import never_alike
from learning.profiling.facts import facts_of
from learning.profiling.roles import Guess, guessed
from schemas.dataset import TimeColumn

DAYS = pd.date_range("2026-01-01", periods=300, freq="7h")
ISO = "%Y-%m-%dT%H:%M:%S"


def column(cells: list[str]) -> Guess:
    return guessed(facts_of("at", pa.chunked_array([pa.array(cells)])))


@pytest.mark.parametrize("bare", [range(0, 300, 2), range(299, 300)], ids=["half", "the-last"])
def test_times_with_and_without_offsets_are_told_as_a_mixture(bare: range) -> None:
    cells = [f"{at:{ISO}}{'' if n in bare else '+01:00'}" for n, at in enumerate(DAYS)]
    found = column(cells)
    assert found.column == TimeColumn(zone="UTC")
    assert found.why == "ISO 8601, with and without offsets"
    [asked] = found.asks
    assert asked.startswith(f"{len(bare)} of 300 cells have no offset, the others have one")
    assert "write each with its offset" in asked


@pytest.mark.parametrize("offset", ["", "+01:00"], ids=["none", "all"])
def test_times_that_are_alike_are_no_mixture(offset: str) -> None:
    found = column([f"{at:{ISO}}{offset}" for at in DAYS])
    assert found.why == ("ISO 8601 with offsets" if offset else "ISO 8601")
    assert not any("the others have one" in asked for asked in found.asks)


def test_times_in_several_forms_are_left_out_with_the_forms() -> None:
    forms = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y")
    found = column([f"{at:{forms[n % 3]}}" for n, at in enumerate(DAYS)])
    assert found.column is None
    assert all(form in found.why for form in ("ISO 8601", "%d.%m.%Y", "%m/%d/%Y"))
    assert "write all of them alike" in found.why


def test_cells_that_are_no_times_among_times_are_counted() -> None:
    found = column([f"{at:%d.%m.%Y %H:%M}" for at in DAYS] + ["soon"] * 7)
    assert found.column is None
    assert "times written as %d.%m.%Y %H:%M; 7 of 307 cells are none of these" in found.why


@pytest.mark.parametrize(
    "cells",
    [["a red tree", "2026-01-31", "an old house"] * 30, [f"no {n}" for n in range(90)], [""] * 9],
    ids=["mostly-texts", "texts", "empty"],
)
def test_what_is_mostly_no_time_is_not_told_as_one(cells: list[str]) -> None:
    assert never_alike(facts_of("at", pa.chunked_array([pa.array(cells)]))) == ""
