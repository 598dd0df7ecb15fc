"""Instants stand on circles, embeddings are what they were given as."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from learning.features.encoders import Clock, Sparse, Vectors


def _times(*cells: str | None) -> pd.DataFrame:
    return pd.DataFrame({"at": pd.to_datetime(pd.Series(cells), utc=True)})


def _clock(*cells: str | None) -> NDArray[np.float64]:
    return Clock().fit_transform(_times(*cells))


def test_the_start_of_each_clock_is_at_sine_0_and_cosine_1() -> None:
    monday = _clock("2024-01-01T00:00:00Z")
    assert monday.tolist() == [[0, 1, 0, 1, 0, 1]]


def test_a_quarter_of_a_day_is_a_quarter_of_the_circle() -> None:
    assert _clock("2024-01-01T06:00:00Z")[0, :2] == pytest.approx([1, 0])
    assert _clock("2024-01-01T18:00:00Z")[0, :2] == pytest.approx([-1, 0])


def test_midnight_and_new_year_have_no_gap() -> None:
    before, after = _clock("2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z")
    assert before[:2] == pytest.approx(after[:2], abs=1e-3)
    assert before[4:] == pytest.approx(after[4:], abs=0.02)


def test_the_same_weekday_is_the_same_place() -> None:
    made = _clock("2026-03-02T09:00:00Z", "2026-03-09T17:00:00Z", "2026-03-10T17:00:00Z")
    assert made[0, 2:4].tolist() == made[1, 2:4].tolist()
    assert made[1, 2:4].tolist() != made[2, 2:4].tolist()


def test_every_instant_is_on_its_circles() -> None:
    hours = pd.date_range("2024-01-01", "2025-12-31", freq="7h", tz="UTC")
    made = Clock().fit_transform(pd.DataFrame({"at": hours}))
    assert made.reshape(-1, 3, 2).__pow__(2).sum(axis=2) == pytest.approx(1)


def test_other_zones_are_read_in_utc() -> None:
    east = pd.DataFrame({"at": pd.to_datetime(["2024-01-01T06:00:00+06:00"])})
    assert Clock().fit_transform(east).tolist() == _clock("2024-01-01T00:00:00Z").tolist()


def test_a_missing_instant_is_the_middle_and_says_so() -> None:
    made = _clock("2024-01-01T00:00:00Z", None)
    assert made.tolist() == [[0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1]]


def test_an_instant_missing_only_when_predicting_is_the_middle() -> None:
    fitted = Clock().fit(_times("2024-01-01T00:00:00Z"))
    for nothing in (_times(None), pd.DataFrame({"at": [None]}), pd.DataFrame({"at": [np.nan]})):
        assert fitted.transform(nothing).tolist() == [[0] * 6]


def test_a_clock_names_each_of_its_columns() -> None:
    fitted = Clock().fit(_times("2024-01-01T00:00:00Z", None))
    names = list(fitted.get_feature_names_out())
    assert names[0] == "at: hour, sin"
    assert names[-1] == "at: missing"
    assert len(names) == fitted.transform(_times(None)).shape[1]


def _vectors(cells: Sequence[Any], **settings: Any) -> NDArray[Any]:
    frame = pd.DataFrame({"sense": pd.Series(cells, dtype=object)})
    return Vectors(dimension=2, **settings).fit_transform(frame)


def test_embeddings_are_taken_as_arrays_and_as_lists() -> None:
    assert _vectors([np.array([0.5, 1], np.float32), [2, 3]]).tolist() == [[0.5, 1], [2, 3]]


@pytest.mark.parametrize("nothing", [None, np.nan], ids=["none", "nan"])
def test_a_missing_embedding_is_zeros(nothing: object) -> None:
    assert _vectors([[1, 1], nothing]).tolist() == [[1, 1], [0, 0]]


def test_single_precision_is_kept_where_it_is_asked_for() -> None:
    assert _vectors([[1, 1]], precision="single").dtype == np.float32
    assert _vectors([[1, 1]]).dtype == np.float64


def test_an_embedding_of_another_length_is_told_by_its_row() -> None:
    told = r"column 'sense': expected embeddings of 2 numbers, got 3 in row 2\."
    with pytest.raises(ValueError, match=told):
        _vectors([[1, 1], [1, 2, 3]])


def test_a_block_made_sparse_has_the_same_cells() -> None:
    block = np.array([[0.0, 1.5], [2.0, 0.0]])
    made = Sparse().fit_transform(block)
    assert made.dtype == np.float32
    assert made.nnz == 2
    assert made.toarray().tolist() == block.tolist()
