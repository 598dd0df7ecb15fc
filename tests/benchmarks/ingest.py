"""What reading costs beside a bare read of the same file by pyarrow, all of both: no sample.

Made rows of 8 numbers, a category and a label of two classes. A whole stage is `ingest` and
`assemble`. Each figure is the best of three fresh processes. `ingest.py ROWS` (5 million by
default) prints ratios; the peak of memory is of twice as many rows.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from schemas.manifest import Manifest
from schemas.plan import Plan
from tasks.ingestion import assemble, ingest
from tasks.storage import open_store

NUMBERS = tuple(f"x{place}" for place in range(8))
PLAN = {
    "name": "bench",
    "dataset": {"source": "x", "columns": {**dict.fromkeys(NUMBERS, "number"), "kind": "category"}},
    "label": {"column": "label", "classes": ["no", "yes"]},
}
TYPES = {**dict.fromkeys(NUMBERS, pa.float64()), "kind": pa.string(), "label": pa.string()}
DROPS = 31


def main() -> None:
    if len(sys.argv) == 4:
        _measure(*sys.argv[1:])
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        place = Path(folder)
        table = _made(rows)
        _put(table, place / "csv" / "day.csv")
        _put(table, place / "parquet" / "day.parquet")
        for drop in range(DROPS):
            size = -(-rows // DROPS)
            _put(table.slice(drop * size, size), place / "drops" / f"day-{drop:02}.parquet")
        _put(pa.concat_tables([table, table]), place / "twice" / "day.parquet")
        del table
        _tell(place, rows)


def _tell(place: Path, rows: int) -> None:
    for kind, most in (("csv", 3), ("parquet", 10)):
        bare, ours = _best("bare", place / kind), _best("stage", place / kind)
        ratio = f"{ours['s'] / bare['s']:.2f} x (at most {most})"
        seconds = f"{ours['s']:.2f} s beside {bare['s']:.2f} s bare"
        print(f"{kind:8} {rows:,} rows: {ratio}, {seconds}, peak {ours['mib']:,.0f} MiB")
    whole, new = _best("stage", place / "drops"), _best("new", place / "drops")
    ratio = f"{new['s'] / whole['s']:.3f} x (at most 0.1)"
    print(f"one new of {DROPS} drops: {ratio}, {new['s']:.2f} s of {whole['s']:.2f} s for all")
    print(f"parquet  {2 * rows:,} rows: peak {_best('stage', place / 'twice', 1)['mib']:,.0f} MiB")


def _made(rows: int) -> pa.Table:
    random = np.random.default_rng(0)
    columns = {name: pa.array(np.round(random.normal(size=rows), 4)) for name in NUMBERS}
    kinds = pa.array(["red", "green", "blue", "white"])
    columns["kind"] = kinds.take(pa.array(random.integers(0, 4, rows)))
    columns["label"] = pa.array(["no", "yes"]).take(pa.array((random.random(rows) < 0.03) * 1))
    return pa.table(columns)


def _put(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    (pa_csv.write_csv if path.suffix == ".csv" else pq.write_table)(table, path)


def _best(what: str, folder: Path, times: int = 3) -> dict[str, float]:
    """Seconds and peak of memory of the quickest of several processes."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            run = subprocess.run(
                [sys.executable, __file__, what, str(folder), work],
                check=True,
                capture_output=True,
                text=True,
            )
        found.append(json.loads(run.stdout))
    return min(found, key=lambda each: float(each["s"]))


def _measure(what: str, source: str, work: str) -> None:
    files = sorted(Path(source).iterdir())
    measured: Callable[[], object]
    if what == "bare":
        measured = lambda: [_bare(path) for path in files]  # noqa: E731
    else:
        plan, store = Plan.model_validate(PLAN), open_store(source)
        objects = tuple(store.list())

        def stage(count: int) -> None:
            manifest = Manifest(source=source, objects=objects[:count])
            shards = ingest(store, manifest, plan, Path(work), None)
            assemble(shards, plan, Path(work) / "rows")

        if what == "new":
            stage(DROPS - 1)
        measured = lambda: stage(len(objects))  # noqa: E731
    started = time.perf_counter()
    measured()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"s": seconds, "mib": peak}))


def _bare(path: Path) -> pa.Table:
    if path.suffix == ".csv":
        return pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types=TYPES))
    return pq.read_table(path)


if __name__ == "__main__":
    main()
