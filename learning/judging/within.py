"""Each target's classes within each class of the others: where a model leans on their company."""

from collections.abc import Iterator, Sequence

import numpy as np

from learning.arrays import Decisions, Labels, LabelTable
from schemas.label import Target
from schemas.results import WithinScore

MOST_TARGETS = 12
"""Targets that are paired; pairs of a hundred labels nobody looks at."""


def within(
    labels: LabelTable,
    decisions: LabelTable,  # (n, targets)
    targets: Sequence[Target],
) -> tuple[WithinScore, ...]:
    """Of the counted classes that have rows or decisions there; nothing of one target alone.

    A model that decides `sad` wherever another label is `loud` has a good F1 overall, and a bad one
    within the rows that are not loud.
    """
    paired = range(min(len(targets), MOST_TARGETS))
    return tuple(
        score
        for place in paired
        for other in paired
        if other != place
        for given, text in enumerate(targets[other].class_texts)
        for score in _scores(
            targets[place],
            labels[labels[:, other] == given, place],
            decisions[labels[:, other] == given, place],
            targets[other].name,
            text,
        )
    )


def _scores(
    target: Target, labels: Labels, decided: Decisions, given: str, given_class: str
) -> Iterator[WithinScore]:
    hits = np.bincount(labels[labels == decided], minlength=target.classes).tolist()
    support = np.bincount(labels, minlength=target.classes).tolist()
    predicted = np.bincount(decided, minlength=target.classes).tolist()
    for c in target.counted:
        if support[c] or predicted[c]:
            yield WithinScore(
                target=target.name,
                given=given,
                given_class=given_class,
                name=target.class_texts[c],
                support=support[c],
                predicted=predicted[c],
                hits=hits[c],
                precision=hits[c] / predicted[c] if predicted[c] else None,
                recall=hits[c] / support[c] if support[c] else None,
                f1=2 * hits[c] / (support[c] + predicted[c]),
            )
