"""The rows that judge: read once, and only those that no judged model was trained on."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.answers import Answers
from learning.arrays import SMALLEST_PROBABILITY, Decisions, Keys, LabelTable, Probabilities
from learning.deciding.objectives import Aim, decisive, of_constants
from learning.deciding.offsets import decide
from learning.keeping.models import FittedModel, Head
from learning.reading.marks import row_marks
from learning.rows.sides import read_side, row_references
from schemas.dataset import Column
from schemas.faults import NightFailed
from schemas.label import Target
from schemas.manifest import KEY, ROW, Rows, label_columns

_LATENCY_BATCH = 1000


@dataclass(frozen=True)
class Holdout:
    """Features with `__row` as `object#row`, encoded labels and group keys, row by row."""

    frame: pd.DataFrame
    labels: LabelTable
    keys: Keys


def read_holdout(rows: Rows, columns: Iterable[str]) -> Holdout:
    """The holdout side of a night's rows, with these features."""
    features, labels = list(columns), label_columns(len(rows.holdout_counts))
    table = read_side(rows.holdout, [*features, *labels, KEY])
    frame = table.select(features).to_pandas()
    frame[ROW] = pd.Series(list(row_references(rows.holdout)), dtype="str")
    return Holdout(
        frame=frame,
        labels=np.column_stack([table[name].to_numpy() for name in labels]).astype(np.int64),
        keys=table[KEY].to_numpy(),
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
            "Expected holdout rows that none of the models was trained on, got none of "
            f"{len(fresh)}: the split changed since one was trained. Put the plan's split back, or "
            "wait for new rows."
        )
    return Holdout(holdout.frame[fresh], holdout.labels[fresh], holdout.keys[fresh])


def answer(model: FittedModel, holdout: Holdout, targets: Sequence[Target]) -> Answers:
    """Calibrated probabilities and decisions on these targets, and milliseconds a row in batch.

    A model of other classes is heard on those it shares: it gives a class that it never knew no
    probability, and is not asked for one that is gone. Of a target that it does not know at all it
    says that all classes are as likely.

    Raises
    ------
    NightFailed
        It shares no class of any target.
    """
    own = model.probabilities(holdout.frame)
    batch = holdout.frame.head(_LATENCY_BATCH)
    started = time.perf_counter()
    model.probabilities(batch)
    latency_ms = 1000 * (time.perf_counter() - started) / max(1, len(batch))
    known = {head.target.name: place for place, head in enumerate(model.heads)}
    if len(known) == len(targets) == 1:  # one label is one label, whatever its column is called
        known = {targets[0].name: 0}
    heard = [
        _heard(model.heads[known[target.name]], own[known[target.name]], target)
        if target.name in known
        else None
        for target in targets
    ]
    if not any(heard):
        raise NightFailed(
            f"Expected a champion of some of the classes {_listed(targets)}, got one of "
            f"{_listed(model.targets)}. Give a plan with other classes another name."
        )
    rows = len(holdout.labels)
    both = [each or _ignorant(rows, target) for each, target in zip(heard, targets, strict=True)]
    return Answers(
        tuple(probabilities for probabilities, _ in both),
        np.column_stack([decisions for _, decisions in both]).astype(np.int64),
        latency_ms,
    )


def differences(
    model: FittedModel, columns: Mapping[str, Column], targets: Sequence[Target]
) -> list[str]:
    """What the model needs or knows otherwise than the plan of tonight, in plain words."""
    gone = [n for n, c in model.columns.items() if n not in columns or columns[n].role != c.role]
    told = []
    if gone:
        told.append(f"answers without {', '.join(gone)}, which the plan no longer has as such")
    if _classes(model.targets) != _classes(targets):
        told.append(f"knows the classes {_listed(model.targets)}")
    return told


def best_constant(labels: LabelTable, targets: Sequence[Target], aims: Sequence[Aim]) -> Answers:
    """The answers that need no model: the rows' own shares, and always the same class.

    Of each target the class that its aim rates highest where all rows are decided so, the most
    common one of equals: where a missed alarm is dear it is the alarm, and of many labels each is
    there. To a ranking, which looks at no decision, constant shares are worth the same whatever is
    decided.
    """
    rows = len(labels)
    supports = [
        np.bincount(own, minlength=target.classes)
        for own, target in zip(labels.T, targets, strict=True)
    ]
    always = [
        int(np.lexsort((support, of_constants(decisive(aim), support).round(9)))[-1])
        for support, aim in zip(supports, aims, strict=True)
    ]
    return Answers(
        tuple(np.tile(support / max(1, rows), (rows, 1)) for support in supports),
        np.tile(always, (rows, 1)).astype(np.int64),
        0.0,
    )


def constant_name(constant: Answers, targets: Sequence[Target]) -> str:
    """As reasons call the answers of `best_constant`."""
    if len(targets) > 1:
        given = {bool(decided) for decided in constant.decisions[0]}
        if len(given) == 1 and all(target.is_flag for target in targets):
            return "every label on every row" if given == {True} else "no label on any row"
        return "the best constant decisions"
    return f"always '{targets[0].class_texts[constant.decisions[0, 0]]}'"


def _heard(
    head: Head, own: Probabilities, target: Target
) -> tuple[Probabilities, Decisions] | None:
    if head.target.class_texts == target.class_texts:
        return own, head.decide(own)
    shared = [text for text in head.target.class_texts if text in target.class_texts]
    if not shared:
        return None
    of_model = [head.target.class_texts.index(text) for text in shared]
    of_plan: NDArray[np.int64] = np.array([target.class_texts.index(text) for text in shared])
    told = np.maximum(own[:, of_model], SMALLEST_PROBABILITY)
    probabilities = np.zeros((len(own), target.classes))
    probabilities[:, of_plan] = told / told.sum(axis=1, keepdims=True)
    return probabilities, of_plan[decide(told, head.offsets[of_model])]


def _ignorant(rows: int, target: Target) -> tuple[Probabilities, Decisions]:
    equal: Probabilities = np.full((rows, target.classes), 1 / target.classes)
    return equal, np.zeros(rows, dtype=np.int64)


def _classes(targets: Sequence[Target]) -> dict[str, set[str]]:
    if len(targets) == 1:
        return {"": set(targets[0].class_texts)}
    return {target.name: set(target.class_texts) for target in targets}


def _listed(targets: Sequence[Target]) -> str:
    if len(targets) == 1:
        return ", ".join(targets[0].class_texts)
    return "; ".join(f"{target.name}: {', '.join(target.class_texts)}" for target in targets)
