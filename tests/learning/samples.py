"""Small prepared rows for tests of the search: three classes, one rare, learnable but not clean."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from learning.rows.sides import Origin, write_side
from schemas.dataset import Column, NumberColumn, TextColumn
from schemas.label import MultiLabel, MultiTaskLabel, SingleLabel, Target, targets
from schemas.manifest import Rows, label_columns

COLUMNS: dict[str, Column] = {"said": TextColumn(), "amount": NumberColumn()}
NUMBERS: dict[str, Column] = {"amount": NumberColumn()}
CLASSES = 3
FOLDS = 3

SINGLE = targets(SingleLabel(column="label", classes=(-1, 0, 1)))
TASKS = targets(MultiTaskLabel(columns={"mood": (-1, 0, 1), "loud": ("no", "yes")}))
FLAGS = targets(MultiLabel(columns=("sad", "calm", "glad")))
KINDS = {"single": SINGLE, "multi-task": TASKS, "multi-label": FLAGS}

_WORDS = (("bad", "awful", "poor"), ("plain", "usual", "same"), ("good", "great", "fine"))


def prepared_rows(
    folder: Path, rows: int = 240, seed: int = 0, asked: tuple[Target, ...] = SINGLE
) -> Rows:
    """Training rows as a night prepares them, with all columns in the index; no holdout."""
    random = np.random.default_rng(seed)
    moods = random.choice(CLASSES, rows, p=[0.1, 0.6, 0.3]).astype(np.int16)
    moods[: 2 * FOLDS * CLASSES] = np.repeat(np.arange(CLASSES), 2 * FOLDS)
    heard = np.where(random.random(rows) < 0.75, moods, random.choice(CLASSES, rows))
    amounts = moods + random.normal(scale=1.5, size=rows)
    labels = _labels(moods, amounts, asked)
    table = pa.table(
        {
            "said": [" ".join(random.choice(_WORDS[c], 3)) for c in heard],
            "amount": amounts,
            **dict(zip(label_columns(len(asked)), labels, strict=True)),
            "__key": random.integers(0, 2**63, rows).astype(np.uint64),
            "__row": np.arange(1, rows + 1),
            "__fold": (1 << (np.arange(rows) % FOLDS)).astype(np.int32),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.parquet"
    write_rows(table, path)
    return Rows(
        digest=f"sample{rows}{seed}{len(asked)}",
        train=str(path),
        holdout="",
        train_counts=tuple(
            tuple(np.bincount(own, minlength=target.classes).tolist())
            for own, target in zip(labels, asked, strict=True)
        ),
        holdout_counts=tuple((0,) * target.classes for target in asked),
    )


def write_rows(rows: pa.Table | pd.DataFrame, path: Path) -> None:
    """An index that has all columns itself, of one object."""
    whole = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    origin = Origin(object_name="sample.csv", path="", shard_rows=len(rows), rows=len(rows))
    write_side(whole, [origin], path)


def _labels(
    moods: NDArray[np.int16], amounts: NDArray[np.float64], asked: tuple[Target, ...]
) -> list[NDArray[np.int16]]:
    if asked == SINGLE:
        return [moods]
    if asked == TASKS:
        return [moods, (amounts > 1.5).astype(np.int16)]
    return [(moods == c).astype(np.int16) for c in range(len(asked))]
