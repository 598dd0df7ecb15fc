"""Rows by name: as a plain sort would have it, whatever the names look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.rows.grouping import grouped

CLOSE = st.integers(2**63, 2**63 + 40)  # the same upper bits: what hashes hardly ever have
NAMES = st.lists(st.one_of(st.integers(0, 2**64 - 1), CLOSE, st.just(7)), max_size=80)


@given(NAMES)
def test_names_are_ordered_as_by_a_stable_sort(names: list[int]) -> None:
    keys = np.array(names, dtype=np.uint64)
    groups = grouped(keys)
    assert groups.order.tolist() == np.argsort(keys, kind="stable").tolist()
    _, starts = np.unique(keys[groups.order], return_index=True)
    assert groups.starts.tolist() == starts.tolist()
    assert groups.alone == (len(set(names)) == len(names))


@given(NAMES)
def test_what_a_group_has_reaches_all_of_its_rows(names: list[int]) -> None:
    keys = np.array(names, dtype=np.uint64)
    groups = grouped(keys)
    assert groups.spread(keys[groups.order[groups.starts]]).tolist() == names


@pytest.mark.parametrize("rows", [0, 1, 2, 4096, 4097])
def test_any_number_of_rows_is_grouped(rows: int) -> None:
    names = np.random.default_rng(0).integers(0, 2**64, rows, dtype=np.uint64) | np.uint64(1 << 63)
    assert grouped(names).order.tolist() == np.argsort(names, kind="stable").tolist()
