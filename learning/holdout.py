"""The rows that judge: read once, and only those that no judged model was trained on."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from learning.arrays import Keys, Labels
from learning.gate import Answers
from learning.models import FittedModel
from schemas.manifest import Rows

_LATENCY_BATCH = 1000


@dataclass(frozen=True)
class Holdout:
    """Features with `__row`, encoded labels and group keys, row by row."""

    frame: pd.DataFrame
    labels: Labels
    keys: Keys


def read_holdout(rows: Rows) -> Holdout:
    """The holdout side of a night's rows."""
    frame = pq.read_table(rows.holdout).to_pandas()
    return Holdout(
        frame=frame.drop(columns=["__label", "__key"]),
        labels=frame["__label"].to_numpy(np.int64),
        keys=frame["__key"].to_numpy(np.uint64),
    )


def untouched(holdout: Holdout, trained: Iterable[Keys]) -> Holdout:
    """Without the rows whose group stands in any of these models' training keys.

    A stable split makes these none. A plan whose split changed, or a group that came back on
    another date, would let the champion answer rows that it has seen.
    """
    fresh = np.ones(len(holdout.keys), dtype=bool)
    for keys in trained:
        fresh &= ~np.isin(holdout.keys, keys)
    if fresh.all():
        return holdout
    return Holdout(holdout.frame[fresh], holdout.labels[fresh], holdout.keys[fresh])


def answer(model: FittedModel, holdout: Holdout) -> Answers:
    """The model's calibrated probabilities, its decisions, and milliseconds a row in batch."""
    probabilities = model.probabilities(holdout.frame)
    batch = holdout.frame.head(_LATENCY_BATCH)
    started = time.perf_counter()
    model.probabilities(batch)
    latency_ms = 1000 * (time.perf_counter() - started) / max(1, len(batch))
    return Answers(probabilities, model.decide(probabilities), latency_ms)


def most_common_class(holdout: Holdout, classes: int) -> Answers:
    """The answers that need no model: the holdout's own shares, and always its largest class."""
    counts = np.bincount(holdout.labels, minlength=classes).astype(np.float64)
    shares = counts / max(1.0, counts.sum())
    return Answers(
        np.tile(shares, (len(holdout.labels), 1)),
        np.full(len(holdout.labels), int(shares.argmax()), dtype=np.int64),
        0.0,
    )
