"""The columns of a table of answers, named here and nowhere else: plans are refused by them."""

from collections.abc import Sequence

from schemas.label import Target
from schemas.strict import Strict

ROW_NUMBER = "row"
"""Stands in front of the answers where there is no key."""


class AnswerColumns(Strict):
    """Where the answer about one target stands: its decision, and probabilities by class index."""

    decision: str
    probabilities: dict[int, str]


def answer_columns(targets: Sequence[Target]) -> tuple[AnswerColumns, ...]:
    """`prediction`, then `probability_CLASS` for each class; both with `LABEL_` in front where a
    row has several labels; of many labels `LABEL` (0 or 1) and `LABEL_probability`.

    >>> asked = Target(name="mood", class_values=("sad", "glad"), counted=(0, 1))
    >>> [each.decision for each in answer_columns([asked])]
    ['prediction']
    """
    return tuple(_columns(target, several=len(targets) > 1) for target in targets)


def answer_names(targets: Sequence[Target]) -> list[str]:
    """All of them, in order."""
    return [
        name
        for columns in answer_columns(targets)
        for name in (columns.decision, *columns.probabilities.values())
    ]


def _columns(target: Target, *, several: bool) -> AnswerColumns:
    if target.is_flag:
        return AnswerColumns(decision=target.name, probabilities={1: f"{target.name}_probability"})
    prefix = f"{target.name}_" if several else ""
    return AnswerColumns(
        decision=f"{prefix}prediction",
        probabilities={
            c: f"{prefix}probability_{text}" for c, text in enumerate(target.class_texts)
        },
    )
