"""Whether the rows of a night are enough to learn from, and whether they are of the kind stated."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.arrays import LabelTable
from learning.reading.wording import amount
from schemas.dataset import Floors
from schemas.faults import DataRejected
from schemas.findings import Finding
from schemas.label import Label, MultiLabel, Target
from schemas.manifest import Rows

SINGLE_MEAN = (0.98, 1.02)
SINGLE_SHARE = 0.98
"""Mean labels a row, and share of rows with exactly one, by which many labels look like one."""

_TODO = "Add labelled rows, or lower the floor in the plan."

_FEW = 8
"""Codes up to which one look at all rows for each is quicker than one look for all."""


def class_counts(
    labels: LabelTable,  # (rows, targets)
    targets: Sequence[Target],
) -> tuple[tuple[int, ...], ...]:
    """Rows of each class of each target."""
    columns = zip(labels.T, targets, strict=True)
    return tuple(tuple(sizes(column, target.classes).tolist()) for column, target in columns)


def sizes(
    codes: NDArray[np.integer],
    least: int,  # entries of the answer
) -> NDArray[np.int64]:
    """Rows of each code from 0, as `bincount` counts them; of few codes ten times as fast."""
    if 0 < least <= _FEW and len(codes) and codes.max() < least:
        return np.array([np.count_nonzero(codes == code) for code in range(least)])
    return np.bincount(codes, minlength=least)


def refuse_too_little(rows: Rows, targets: Sequence[Target], floors: Floors) -> None:
    """All floors of all targets at once; the counts are of labels, which may be shown."""
    faults = []
    if rows.n_train < floors.rows:
        least = f"at least {amount(floors.rows, 'row')} (dataset.floors.rows)"
        faults.append(_fault("", least, f"{rows.n_train:,} to train on"))
    for target, counts in zip(targets, rows.train_counts, strict=True):
        of = f" of {target.name!r}" if len(targets) > 1 else ""
        faults += _class_faults(target, counts, floors.rows_per_class, of)
    if rows.n_holdout == 0:
        faults.append(_fault("", "rows on the holdout", "none (split.holdout_share)"))
    if faults:
        told = "; ".join(f"expected {fault.expected}, got {fault.got}" for fault in faults)
        raise DataRejected(
            f"Too little to train on: {told}. Got {amount(rows.n_train, 'row')} for training and "
            f"{rows.n_holdout:,} for the holdout{left_out(rows)}. {_TODO}",
            faults,
        )


def left_out(rows: Rows) -> str:
    """What cleaning dropped, as the end of a sentence.

    Rows set aside before it are told where they are counted.
    """
    told = [f"{count:,} {reason}" for reason, count in rows.dropped.items() if count]
    return f", after leaving out {', '.join(told)}" if told else ""


def label_notes(label: Label, labels: LabelTable) -> tuple[str, ...]:
    """An advice where the labels are not of the kind that the plan says."""
    if not isinstance(label, MultiLabel):
        return ()
    labels_a_row = labels.sum(axis=1)
    mean, exactly_one = float(labels_a_row.mean()), float((labels_a_row == 1).mean())
    low, high = SINGLE_MEAN
    if not (low <= mean <= high and exactly_one >= SINGLE_SHARE):
        return ()
    return (
        f"{exactly_one:.1%} of {len(labels):,} rows have exactly one of the {labels.shape[1]} "
        f"labels (mean {mean:.2f}): that is one label a row; with label.kind: single, one model "
        "chooses among them and its probabilities sum to 1",
    )


def _class_faults(target: Target, counts: Sequence[int], floor: int, of: str) -> list[Finding]:
    counted = list(zip(target.class_texts, counts, strict=True))
    present = [text for text, count in counted if count]
    faults = []
    if len(present) < 2:
        got = " and ".join(present) or "none"
        faults.append(_fault(target.name, f"at least two classes{of}", got))
    few = [f"{text!r} has {count}" for text, count in counted if count < floor]
    if few:
        least = f"at least {amount(floor, 'row')} of each class{of} (dataset.floors.rows_per_class)"
        faults.append(_fault(target.name, least, f"too few: {_some(few)}"))
    return faults


def _some(told: Sequence[str], most: int = 12) -> str:
    more = f" and {len(told) - most:,} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def _fault(column: str, expected: str, got: str) -> Finding:
    """Of all objects together, so of none by name."""
    return Finding(object_name="", column=column, expected=expected, got=got, todo=_TODO)
