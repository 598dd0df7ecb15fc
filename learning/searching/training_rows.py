"""The training side in a worker's memory: read once for all fits on it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from learning.arrays import Folds, Keys, LabelTable, Weights
from learning.rows.sides import read_side, side_weights
from schemas.manifest import FOLD, KEY, label_columns


@dataclass(frozen=True)
class TrainRows:
    """The training side in memory, rows in the order of its index."""

    frame: pd.DataFrame
    labels: LabelTable
    folds: Folds
    keys: Keys
    weights: Weights | None


@lru_cache(maxsize=1)
def train_rows(path: str, columns: tuple[str, ...], targets: int) -> TrainRows:
    """The feature columns and what the split knows of each row."""
    labels = label_columns(targets)
    table = read_side(path, [*columns, *labels, FOLD, KEY])
    return TrainRows(
        frame=table.select(list(columns)).to_pandas(),
        labels=np.column_stack([table[name].to_numpy() for name in labels]),
        folds=table[FOLD].to_numpy(),
        keys=table[KEY].to_numpy(),
        weights=side_weights(path),
    )
