"""Objects that are small until they are read: refused within seconds, by a cap."""

import time
from collections.abc import Callable

import pytest

from tests.faults.bad_files import gzip_bomb, huge_cell, parquet_bomb
from tests.faults.standing import Standing, fine_without, refused

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(
    ("name", "content", "cap"),
    [
        ("bomb.csv.gz", gzip_bomb, "dataset.caps.ratio"),
        ("bomb.parquet", parquet_bomb, "dataset.caps"),
        ("cell.csv", huge_cell, "dataset.caps.cell_chars"),
    ],
    ids=["gzip", "Parquet", "a cell of 50 MB"],
)
def test_what_swells_beyond_its_caps_is_refused_soon(
    world: Standing, name: str, content: Callable[[], bytes], cap: str
) -> None:
    world.put(content(), name)
    started = time.monotonic()
    finding = refused(world).of(name)
    assert time.monotonic() - started < 60
    assert cap in finding["expected"] + finding["what_to_do"]
    fine_without(world, name)
