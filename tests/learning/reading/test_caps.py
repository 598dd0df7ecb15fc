"""What is larger than the plan allows is refused before it does harm, with the setting to raise."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.reading import files
from learning.reading.caps import refuse_size
from learning.reading.cells import levels
from learning.reading.json_lines import AT_ONCE, MOST_COLUMNS
from learning.reading.quick_csv import Declined
from learning.reading.texts import CHUNK
from schemas.dataset import Caps, Dataset
from schemas.faults import DataRejected
from schemas.label import targets
from tests.learning.reading.tables import LABEL, features, read, read_all, whole


def capped(**caps: object) -> Dataset:
    return features(said="text").model_copy(update={"caps": Caps.model_validate(caps)})


def test_an_object_is_refused_by_its_size_alone() -> None:
    with pytest.raises(DataRejected, match=r"at most 10 bytes, got 11\. .*caps\.object_bytes"):
        refuse_size("day.csv", 11, capped(object_bytes=10).caps)


@pytest.mark.parametrize("name", ["day.csv", "day.jsonl", "day.parquet"])
def test_rows_are_counted_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    content: bytes = b"said,label\n" + b"x,1\n" * 11
    if name == "day.jsonl":
        content = b'{"said": "x", "label": 1}\n' * 11
    if name == "day.parquet":
        pd.DataFrame({"said": ["x"] * 11, "label": [1] * 11}).to_parquet(tmp_path / "made")
        content = (tmp_path / "made").read_bytes()
    assert len(read(tmp_path, content, capped(rows=11), name=name)) == 11
    if name == "day.csv":
        asked = targets(LABEL)
        assert len(whole(tmp_path / name, name, capped(rows=11), asked, quick=True).frame) == 11
        with pytest.raises(Declined, match=r"^$"):
            whole(tmp_path / name, name, capped(rows=10), asked, quick=True)
    with pytest.raises(DataRejected, match=r"at most 10 rows, got 11 or more.*dataset\.caps\.rows"):
        read(tmp_path, content, capped(rows=10), name=name)


@pytest.mark.parametrize("name", ["day.csv", "day.jsonl", "day.parquet"])
def test_a_huge_cell_is_refused_with_its_row(tmp_path: Path, name: str) -> None:
    long = "x" * 50_000_000
    content = f"said,label\nfine,1\n{long},1\n".encode()
    if name == "day.jsonl":
        content = f'{{"said": "fine", "label": 1}}\n{{"said": "{long}", "label": 1}}\n'.encode()
    if name == "day.parquet":
        pd.DataFrame({"said": ["fine", long], "label": [1, 1]}).to_parquet(tmp_path / "made")
        content = (tmp_path / "made").read_bytes()
        long_ratio = capped(ratio=1e9)
        with pytest.raises(DataRejected, match=r"more in row 2.*dataset\.caps\.cell_chars"):
            read(tmp_path, content, long_ratio, name=name)
        return
    with pytest.raises(DataRejected, match=r"more in row 2.*dataset\.caps\.cell_chars"):
        read(tmp_path, content, capped(), name=name)


def test_characters_are_counted_not_bytes(tmp_path: Path) -> None:
    found = read_all(tmp_path, "said,label\néééé,1\n", capped(cell_chars=4))
    assert len(found.frame) == 1


def test_a_parquet_bomb_is_refused_without_its_memory(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path;"
        "from schemas.faults import DataRejected;"
        "from tests.learning.reading.tables import features, read;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), features(said='text'),"
        " name='day.parquet')\n"
        "except DataRejected as fault: print(fault)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    rows = 2_000_000
    table = pa.table(
        {"said": pa.array(["equal " * 20]).take(pa.array([0] * rows)), "label": [1] * rows}
    )
    pq.write_table(table, tmp_path / "bomb")
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(tmp_path / "bomb")],
        capture_output=True,
        text=True,
        check=True,
    )
    told, grown = run.stdout.splitlines()
    assert "dataset.caps.ratio" in told
    assert int(grown) < 300_000  # kB; the rows as text take 240 MB, twice with their lengths


def test_many_rows_pass_in_little_memory(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path;"
        "from learning.reading.tables import read_table;"
        "from learning.rows.shards import write_shard;"
        "from schemas.label import targets;"
        "from tests.learning.reading.tables import LABEL, features;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before, folder = peak(), Path(sys.argv[1])\n"
        "plan = features(**{f'x{place}': 'number' for place in range(8)})\n"
        "reads = read_table(folder / 'many', 'day.parquet', plan, targets(LABEL), folder)\n"
        "print(write_shard(reads, folder / 'shard', 'day.parquet', targets(LABEL)).rows)\n"
        "print(peak() - before)"
    )
    rows = 3_000_000
    columns = {f"x{place}": pa.array(np.arange(rows) + place / 8) for place in range(8)}
    columns["label"] = pa.array(np.arange(rows) % 3 - 1)
    pq.write_table(pa.table(columns), tmp_path / "many")
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kept, grown = map(int, run.stdout.split())
    assert kept == rows
    assert grown < 450_000  # kB, of any number of rows; as numbers alone these take 216 MB


def test_lines_are_counted_as_they_are_read(tmp_path: Path) -> None:
    later = json.dumps({str(name): 1 for name in range(MOST_COLUMNS + 1)})
    content = '{"said": "x", "label": 1}\n' * 2 * AT_ONCE + later
    with pytest.raises(DataRejected, match="at most 10 rows, got 11 or more"):
        read(tmp_path, content, capped(rows=10), name="day.jsonl")


def test_a_line_beyond_any_cell_is_refused_without_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 1_000)
    told, wide = '{"said": "x", "label": 1}', '{"said": "' + "x" * 2_000_000
    (tmp_path / "day.jsonl").write_text(f"{told}\n\n{wide}")
    tracemalloc.start()
    with pytest.raises(DataRejected, match=r"more in row 2\..*dataset\.caps\.cell_chars"):
        whole(tmp_path / "day.jsonl", "day.jsonl", capped(cell_chars=100), targets(LABEL))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * CHUNK


@pytest.mark.parametrize(
    ("largest", "kind", "coded"),
    [
        (2.0**53, pa.float64(), False),
        (2.0**53, pa.float64(), True),
        (2.0**24, pa.float32(), False),
        (2.0**24, pa.float32(), True),
        (2.0**11, pa.float16(), False),
    ],
    ids=["double", "codes-of-double", "float", "codes-of-float", "half"],
)
def test_ids_are_refused_from_where_their_kind_of_float_rounds_them(
    largest: float, kind: pa.DataType, coded: bool
) -> None:
    def told(top: float) -> str:
        cells = pa.array([1.0, None, float("nan"), -top]).cast(kind)
        return levels(pa.chunked_array([cells.dictionary_encode() if coded else cells])).got

    assert told(largest - 1) == ""
    assert "where ids are rounded" in told(largest)


@pytest.mark.parametrize("column", ["id", "kind"])
def test_ids_that_a_float_rounds_are_refused_by_name(tmp_path: Path, column: str) -> None:
    dataset = Dataset.model_validate({"source": "x", "columns": {"kind": "category"}, "key": "id"})
    cells = {"id": ["1"], "kind": ["a"], "label": [1]} | {column: [2.0**60]}
    pq.write_table(pa.table(cells), tmp_path / "made")
    with pytest.raises(DataRejected, match=f"'{column}': expected text or integers, got double"):
        read(tmp_path, (tmp_path / "made").read_bytes(), dataset, name="day.parquet")
    whole = pa.table(cells | {column: [2**60 + 1]})
    pq.write_table(whole, tmp_path / "made")
    assert len(read(tmp_path, (tmp_path / "made").read_bytes(), dataset, name="day.parquet")) == 1
