"""A Parquet file may be written anew by its producer while it is read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PROGRAM = """
import sys
from pathlib import Path
from learning.reading.files import Reading, read_parts
from schemas.faults import DataRejected

path = Path(sys.argv[1])
parts = read_parts(path, "day.parquet", Reading(), path.parent)
print(next(parts).table.num_rows < 2_000_000)
path.write_bytes(b"the next upload begins")
try:
    list(parts)
except DataRejected as fault:
    print(fault)
"""


def test_a_file_that_is_cut_while_it_is_read_is_refused_and_ends_nobody(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random(2_000_000)
    path = tmp_path / "day.parquet"
    pq.write_table(pa.table({"a": rows, "b": rows}), path, row_group_size=200_000)
    # In a process of its own, since what is tested for ends the process.
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    parts_came, told = run.stdout.splitlines()
    assert parts_came == "True"
    assert "day.parquet: expected a Parquet file, got 22 bytes" in told
