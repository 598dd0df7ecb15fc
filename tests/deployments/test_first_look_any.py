"""Files of columns drawn at random: a plan that a check accepts, or a fault that is told."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.random import Generator

from deployments.first_look import drafted
from deployments.plans import load_plan
from deployments.samples import check_sample
from schemas.faults import DataRejected

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
HOURS = pd.date_range("2026-01-01", periods=400, freq="h")

COLUMNS: list[Callable[[Generator, int], object]] = [
    lambda random, n: random.normal(size=n),
    lambda random, n: random.integers(0, 5, n),
    lambda random, n: np.arange(n),
    lambda random, n: [f"{row:x}-{row}" for row in range(n)],
    lambda random, n: random.choice(WORDS, n),
    lambda random, n: [" ".join(random.choice(WORDS, 7)) for _ in range(n)],
    lambda random, n: [" ".join(random.choice(WORDS, random.integers(0, 4))) for _ in range(n)],
    lambda random, n: random.choice(["yes", "no", ""], n),
    lambda random, n: HOURS[:n].astype(str),
    lambda random, n: HOURS[:n].strftime("%d/%m/%Y"),
    lambda random, n: HOURS[:n].strftime("%m/%d/%y %H:%M"),
    lambda random, n: [None] * n,
    lambda random, n: random.choice([1.5, np.nan], n),
    lambda random, n: [f"{one},{other}" for one, other in random.integers(0, 99, (n, 2))],
    lambda random, n: [f"${each:,.2f}" for each in random.random(n) * 1e5],
    lambda random, n: [2**60 + row for row in range(n)],
    lambda random, n: [json.dumps(random.normal(size=4).tolist()) for _ in range(n)],
    lambda random, n: random.choice(["A", "b ", "C\n", "=1+1", 'q"uote', "é,ü", "💥"], n),
    lambda random, n: random.choice(["NA", "None", "null", "-", "nan"], n),
    lambda random, n: np.where(random.random(n) < 0.5, np.inf, 1.0),
    lambda random, n: [str(each) if each % 99 else "err" for each in random.integers(0, 10**5, n)],
]
LABELS: list[list[object]] = [
    ["a", "b", "c"], [0, 1], [0.0, 1.0], ["yes", "no"], [True, False], ["a", "b", ""],
    [1, 2, np.nan], ["No", "Yes", "NA"], [" x", "y "], ["on", "off", "~"],
]  # fmt: skip
NAMES = ["a", "B c", "ü", "x.y", "no", "1", "#c", "k: v", "[z]", "{q}", "'s'", 'd"q', "- l", "id",
         "user_id", "date", "zip", "__x", "row", "&a", "*b", "!t", "%", "a\nb"]  # fmt: skip

NOTHING_TO_LEARN_FROM = {2, 3, 17, 19}
"""Of these seeds the columns say too little to tell rows apart."""


def drawn(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = int(random.choice([5, 60, 400]))
    names = random.choice(NAMES, random.integers(1, 8), replace=False)
    makers = random.integers(0, len(COLUMNS), len(names))
    made = {name: COLUMNS[maker](random, rows) for name, maker in zip(names, makers, strict=True)}
    label = random.choice(np.array(LABELS[random.integers(0, len(LABELS))], dtype=object), rows)
    return pd.DataFrame({**made, "label": label})


@pytest.mark.parametrize("seed", range(24))
def test_any_table_makes_a_valid_plan_or_is_told_what_it_lacks(tmp_path: Path, seed: int) -> None:
    path = tmp_path / f"rows{('.csv', '.csv.gz', '.jsonl')[seed % 3]}"
    frame = drawn(seed)
    if seed % 3 < 2:
        frame.to_csv(path, index=seed % 2 == 0)
    else:
        frame.to_json(path, orient="records", lines=True)
    try:
        text = drafted(str(path), ["label"], tmp_path).text
    except DataRejected:  # any other fault is a defect
        assert len(frame) == 5 or seed in NOTHING_TO_LEARN_FROM
        return
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    assert check_sample(load_plan(str(tmp_path / "plan.yaml")), tmp_path / "scratch").rows
