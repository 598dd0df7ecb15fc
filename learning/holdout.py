"""The rows that judge: read once, and only those that no judged model was trained on."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from learning.arrays import SMALLEST_PROBABILITY, Keys, Labels
from learning.gate import Answers
from learning.marks import row_marks
from learning.models import FittedModel
from learning.offsets import decide
from schemas.dataset import Column
from schemas.faults import NightFailed
from schemas.manifest import KEY, LABEL, ROW, Rows

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
        frame=frame.drop(columns=[LABEL, KEY]),
        labels=frame[LABEL].to_numpy(np.int64),
        keys=frame[KEY].to_numpy(np.uint64),
    )


def untouched(holdout: Holdout, trained: Iterable[Keys]) -> Holdout:
    """Without the rows that any of these models' training keys name, by group or by place.

    A stable split makes these none. A plan whose split, key or columns changed, or a group that
    came back on another date, would let the champion answer rows that it has seen.

    Raises
    ------
    NightFailed
        No row is left to judge on.
    """
    marks = row_marks(holdout.frame[ROW])
    fresh = np.ones(len(holdout.keys), dtype=bool)
    for seen in trained:
        fresh &= ~(np.isin(holdout.keys, seen) | np.isin(marks, seen))
    if fresh.all():
        return holdout
    if not fresh.any():
        raise NightFailed(
            f"Expected holdout rows that the champion was not trained on, got none of {len(fresh)}:"
            " the split changed since it was trained. Put the plan's split back, or wait for new "
            "rows."
        )
    return Holdout(holdout.frame[fresh], holdout.labels[fresh], holdout.keys[fresh])


def answer(model: FittedModel, holdout: Holdout, class_texts: Sequence[str]) -> Answers:
    """Calibrated probabilities and decisions over these classes, and milliseconds a row in batch.

    A model of other classes is heard on those it shares: it gives a class that it never knew no
    probability, and is not asked for one that is gone.

    Raises
    ------
    NightFailed
        It shares none of them.
    """
    own = model.probabilities(holdout.frame)
    batch = holdout.frame.head(_LATENCY_BATCH)
    started = time.perf_counter()
    model.probabilities(batch)
    latency_ms = 1000 * (time.perf_counter() - started) / max(1, len(batch))
    if tuple(model.class_texts) == tuple(class_texts):
        return Answers(own, model.decide(own), latency_ms)
    shared = [text for text in model.class_texts if text in class_texts]
    if not shared:
        raise NightFailed(
            f"Expected a champion of some of the classes {', '.join(class_texts)}, got one of "
            f"{', '.join(model.class_texts)}. Give a plan with other classes another name."
        )
    of_model = [model.class_texts.index(text) for text in shared]
    of_plan = np.array([list(class_texts).index(text) for text in shared])
    heard = np.maximum(own[:, of_model], SMALLEST_PROBABILITY)
    probabilities = np.zeros((len(own), len(class_texts)))
    probabilities[:, of_plan] = heard / heard.sum(axis=1, keepdims=True)
    return Answers(probabilities, of_plan[decide(heard, model.offsets[of_model])], latency_ms)


def differences(
    model: FittedModel, columns: Mapping[str, Column], texts: Sequence[str]
) -> list[str]:
    """What the model needs or knows otherwise than the plan of tonight, in plain words."""
    gone = [n for n, c in model.columns.items() if n not in columns or columns[n].role != c.role]
    told = []
    if gone:
        told.append(f"answers without {', '.join(gone)}, which the plan no longer has as such")
    if set(model.class_texts) != set(texts):
        told.append(f"knows the classes {', '.join(model.class_texts)}")
    return told


def most_common_class(holdout: Holdout, classes: int) -> Answers:
    """The answers that need no model: the holdout's own shares, and always its largest class."""
    counts = np.bincount(holdout.labels, minlength=classes).astype(np.float64)
    shares = counts / max(1.0, counts.sum())
    return Answers(
        np.tile(shares, (len(holdout.labels), 1)),
        np.full(len(holdout.labels), int(shares.argmax()), dtype=np.int64),
        0.0,
    )
