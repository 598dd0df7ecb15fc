"""Deals the quickstart plan's data: UCI digits as dated drops, one object a day.

`python -m deployments.quickstart first --folder DIR` deals the first drop where there is none,
`next` the next one. The order is fixed, so every machine gets the same rows on the same day.
"""

import argparse
import csv
import os
import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from sklearn.datasets import load_digits

FIRST_DAY = date(2026, 1, 1)
SIZES = (897, 180, 180, 180, 180, 180)  # rows a drop; 1,797 in all
RARE_DIGIT = 8


def drop_names() -> tuple[str, ...]:
    """The drops in the order in which they arrive."""
    days = (FIRST_DAY + timedelta(days=n) for n in range(len(SIZES)))
    return tuple(f"digits-{day.isoformat()}.csv" for day in days)


def deal(folder: Path, limit: int = len(SIZES)) -> Path | None:
    """Write the first drop that the folder lacks; None where its first `limit` are all there."""
    for number, name in enumerate(drop_names()[:limit]):
        if not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write(_rows(number), folder / name)
            return folder / name
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Deal a drop and say so in one line."""
    parser = argparse.ArgumentParser(prog="deployments.quickstart", description=__doc__)
    parser.add_argument("which", choices=("first", "next"))
    parser.add_argument("--folder", type=Path, default=Path("drops/quickstart"))
    given = parser.parse_args(arguments)
    dealt = deal(given.folder, limit=1 if given.which == "first" else len(SIZES))
    if dealt is not None:
        rows = SIZES[drop_names().index(dealt.name)]
        print(f"dealt {dealt}: {rows} digits, label 'is_eight'")
    elif given.which == "next":
        print(f"all {len(SIZES)} drops are in {given.folder}: no more digits to deal")
    return 0


def _rows(number: int) -> list[list[object]]:
    images, digits = load_digits(return_X_y=True)
    order = list(range(len(digits)))
    random.Random(0).shuffle(order)  # noqa: S311 - an order, not a secret
    start = sum(SIZES[:number])
    chosen = order[start : start + SIZES[number]]
    return [
        [f"digit-{i:04}", *images[i].astype(int), "yes" if digits[i] == RARE_DIGIT else "no"]
        for i in chosen
    ]


def _write(rows: list[list[object]], path: Path) -> None:
    """In place at once: a night that scans meanwhile never sees half a drop."""
    header = ["image_id", *(f"p{row}{column}" for row in range(8) for column in range(8))]
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([[*header, "is_eight"], *rows])
    partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
