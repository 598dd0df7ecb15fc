"""A side gives the rows that it was made of, from index and shards, or says what is gone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from learning.rows.batches import BATCH
from learning.rows.sides import Origin, read_side, row_references, side_weights, write_side
from schemas.faults import NightFailed

COLUMNS = ["said", "amount", "__row", "__label0", "__fold"]


def shard(folder: Path, name: str, rows: int) -> Path:
    """Rows of every storage: texts with holes, numbers, instants, vectors."""
    path = folder / f"{name}.parquet"
    table = pa.table(
        {
            "said": [None if row % 7 == 0 else f"{name} {row}" for row in range(rows)],
            "amount": np.arange(rows, dtype=np.float64),
            "at": pa.array(range(rows), pa.timestamp("us", "UTC")),
            "face": pa.array([[row, 0.5] for row in range(rows)], pa.list_(pa.float32())),
            "__row": np.arange(1, rows + 1),
        }
    )
    plain = {"compression": "none", "use_dictionary": False}
    pq.write_table(table, path, write_page_checksum=True, **plain)
    return path


def side(folder: Path, *chosen: tuple[int, list[int]]) -> str:
    """Of each shard, how many rows it has and which of them are on this side."""
    origins, places = [], []
    for number, (rows, wanted) in enumerate(chosen):
        name = f"day-{number}.csv"
        path = shard(folder, name, rows)
        origins.append(Origin(object_name=name, path=str(path), shard_rows=rows, rows=len(wanted)))
        places += wanted
    index = {
        "__place": np.array(places, dtype=np.int32),
        "__label0": (np.arange(len(places)) % 2).astype(np.int16),
        "__fold": np.full(len(places), 4, dtype=np.int32),
    }
    write_side(pa.table(index), origins, folder / "train.parquet")
    return str(folder / "train.parquet")


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 2**30)), min_size=1, max_size=5))
def test_a_side_is_its_rows_of_each_shard_in_order(
    tmp_path_factory: pytest.TempPathFactory, shards: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("side")
    chosen = [(rows, [row for row in range(rows) if bits >> row & 1]) for rows, bits in shards]
    assume(any(wanted for _, wanted in chosen))  # the floors see to it
    path = side(folder, *chosen)
    places = [row for _, wanted in chosen for row in wanted]
    names = [f"day-{at}.csv" for at, (_, wanted) in enumerate(chosen) for _ in wanted]
    found = read_side(path, COLUMNS)
    assert found.column_names == COLUMNS
    assert found["amount"].to_pylist() == places
    pairs = zip(names, places, strict=True)
    texts = [None if row % 7 == 0 else f"{name} {row}" for name, row in pairs]
    assert found["said"].to_pylist() == texts
    references = zip(names, places, strict=True)
    assert list(row_references(path)) == [f"{name}#{row + 1}" for name, row in references]


def test_cells_of_every_kind_come_as_they_are_stored(tmp_path: Path) -> None:
    path = side(tmp_path, (5, [1, 4]))
    frame = read_side(path, ["at", "face", "__label0", "__fold"]).to_pandas()
    assert frame.dtypes.astype(str).to_dict() == {
        "at": "datetime64[us, UTC]",
        "face": "object",
        "__label0": "int16",
        "__fold": "int32",
    }
    assert np.stack(frame["face"]).tolist() == [[1.0, 0.5], [4.0, 0.5]]


def test_a_shard_of_several_batches_gives_the_rows_of_all_of_them(tmp_path: Path) -> None:
    rows = 2 * BATCH + 5
    wanted = [0, BATCH - 1, BATCH, rows - 1]
    assert read_side(side(tmp_path, (rows, wanted)), ["amount"])["amount"].to_pylist() == wanted


def test_what_the_index_has_is_read_without_a_shard(tmp_path: Path) -> None:
    path = side(tmp_path, (5, [0, 2]))
    (tmp_path / "day-0.csv.parquet").unlink()
    assert read_side(path, ["__fold"])["__fold"].to_pylist() == [4, 4]
    assert side_weights(path) is None


def test_weights_are_those_that_assembly_gave(tmp_path: Path) -> None:
    path = side(tmp_path, (5, [0, 2]))
    weighed = pq.read_table(path).append_column("__weight", pa.array([0.5, 2.0]))
    pq.write_table(weighed, path)
    weights = side_weights(path)
    assert weights is not None
    assert weights.tolist() == [0.5, 2.0]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def with_a_flipped_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(np.float64(3).tobytes()) + 6] ^= 1
    path.write_bytes(bytes(content))


def of_other_rows(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(1), path)


def without_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["amount"]), path)


@pytest.mark.parametrize(
    "damage", [truncated, with_a_flipped_bit, of_other_rows, without_a_column, Path.unlink]
)
def test_a_damaged_shard_is_told_and_goes_so_that_its_object_is_read_again(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path, damaged = side(tmp_path, (5, [0, 3])), tmp_path / "day-0.csv.parquet"
    damage(damaged)
    with pytest.raises(NightFailed, match=r"the shard of day-0.csv in .* Start the night again"):
        read_side(path, ["amount"])
    assert not damaged.exists()


def test_a_shard_that_can_not_be_reached_this_time_stays(tmp_path: Path) -> None:
    path, shard_file = side(tmp_path, (5, [0, 3])), tmp_path / "day-0.csv.parquet"
    shard_file.rename(tmp_path / "away")
    shard_file.mkdir()  # cannot be opened as a file, and is not ours to remove
    with pytest.raises(NightFailed, match=r"the shard of day-0\.csv"):
        read_side(path, ["amount"])
    assert shard_file.is_dir()


@pytest.mark.parametrize("damage", [truncated, Path.unlink])
def test_a_damaged_index_is_told_and_goes_so_that_it_is_made_again(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = side(tmp_path, (5, [0, 3]))
    damage(Path(path))
    with pytest.raises(NightFailed, match=r"the index of a night's rows in .* Start the night"):
        read_side(path, ["amount"])
    assert not Path(path).exists()


def test_an_index_of_another_kind_is_told(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    pd.DataFrame({"said": ["x"]}).to_parquet(path)
    with pytest.raises(NightFailed, match="the index of a night's rows"):
        read_side(str(path), ["said"])
