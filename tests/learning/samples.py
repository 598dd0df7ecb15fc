"""Small prepared rows for tests of the search: three classes, one rare, learnable but not clean."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.dataset import Column, NumberColumn, TextColumn
from schemas.manifest import Rows

COLUMNS: dict[str, Column] = {"said": TextColumn(), "amount": NumberColumn()}
NUMBERS: dict[str, Column] = {"amount": NumberColumn()}
CLASSES = 3
FOLDS = 3

_WORDS = (("bad", "awful", "poor"), ("plain", "usual", "same"), ("good", "great", "fine"))


def prepared_rows(folder: Path, rows: int = 240, seed: int = 0) -> Rows:
    """Training rows as a night prepares them; the holdout file is not needed by the search."""
    random = np.random.default_rng(seed)
    labels = random.choice(CLASSES, rows, p=[0.1, 0.6, 0.3]).astype(np.int16)
    labels[: 2 * FOLDS * CLASSES] = np.repeat(np.arange(CLASSES), 2 * FOLDS)
    heard = np.where(random.random(rows) < 0.75, labels, random.choice(CLASSES, rows))
    table = pa.table(
        {
            "said": [" ".join(random.choice(_WORDS[c], 3)) for c in heard],
            "amount": labels + random.normal(scale=1.5, size=rows),
            "__label": labels,
            "__key": random.integers(0, 2**63, rows).astype(np.uint64),
            "__row": [f"sample.csv#{row}" for row in range(rows)],
            "__fold": (np.arange(rows) % FOLDS).astype(np.int8),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.parquet"
    pq.write_table(table, path)
    counts = tuple(int(n) for n in np.bincount(labels, minlength=CLASSES))
    return Rows(
        digest=f"sample{rows}{seed}",
        train=str(path),
        holdout="",
        train_counts=counts,
        holdout_counts=(0,) * CLASSES,
    )
