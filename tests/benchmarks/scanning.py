"""What scanning a bucket costs beside its bare listing, and what a year of records costs to read.

`scanning.py [OBJECTS] [ROUNDS]`: 100,000 objects and three rounds by default. The emulator runs in
a process of its own. The baseline is the same client's `list(bucket.list_blobs())`, page for page
in the same run, taken in turns with ours; the ratio is of the medians, `client` that of the
processor seconds of this process alone.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from schemas.dataset import Dataset, NumberColumn
from schemas.ledger import Record
from tasks.ledger.records import history, write_record
from tasks.scanning import scan
from tasks.storage import open_store
from tasks.storage.calls import bucket_named
from tests.cloud.emulator import BUCKET, emulated

RECORDS = 365


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    here, there = multiprocessing.Pipe()
    service = multiprocessing.get_context("spawn").Process(target=serve, args=(there, count))
    service.start()
    try:
        os.environ["STORAGE_EMULATOR_HOST"] = here.recv()
        compare(count, rounds)
        read_records()
    finally:
        here.send("done")
        service.join()


def serve(line: Connection, count: int) -> None:
    with emulated() as cloud:
        for number in range(count):
            cloud.put(f"drops/{number:07d}.csv", b"")
        line.send(cloud.url)
        line.recv()


def compare(count: int, rounds: int) -> None:
    bare: list[tuple[float, float]] = []
    ours: list[tuple[float, float]] = []
    for _ in range(rounds):
        bare.append(timed(lambda: bare_listing(count)))
        ours.append(timed(lambda: our_scan(count)))
    told = [statistics.median(each[place] for each in ours) for place in (0, 1)]
    base = [statistics.median(each[place] for each in bare) for place in (0, 1)]
    print(
        f"{count:,} objects: bare listing {base[0]:.2f} s, our scan {told[0]:.2f} s, "
        f"ratio {told[0] / base[0]:.2f} (client {told[1] / base[1]:.2f})"
    )


def bare_listing(count: int) -> None:
    assert len(list(bucket_named(BUCKET).list_blobs(prefix="drops/"))) == count


def our_scan(count: int) -> None:
    dataset = Dataset(source=f"gs://{BUCKET}/drops", columns={"x": NumberColumn()})
    assert len(scan(open_store(dataset.source), dataset).objects) == count


def read_records() -> None:
    """First on a new host, then as every later night does."""
    home = f"gs://{BUCKET}/home"
    start = datetime(2026, 1, 1, 2, tzinfo=UTC)
    for day in range(RECORDS):
        at = start + timedelta(days=day)
        write_record(
            open_store(home),
            Record(
                plan="comments", outcome="held", run_id=f"r{day}", started_at=at, ended_at=at,
                reasons=("a tie",), plan_digest="d", code_version="1",
            ),
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        for told in ("first", "later"):
            seconds, _ = timed(lambda: history(open_store(home, Path(folder)), "comments"))
            print(f"{RECORDS} records of a ledger, {told} time: {seconds:.2f} s")


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process."""
    clock, own = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - clock, time.process_time() - own


if __name__ == "__main__":
    main()
