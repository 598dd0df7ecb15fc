"""The screening as tables: imbalance methods on equal folds, and whom each of them finds."""

from collections.abc import Mapping, Sequence

from learning.reports.markdown import capped, table
from learning.reports.texts import figure
from schemas.label import Target
from schemas.night import Night
from schemas.trials import MethodScore

MOST_RECALLS = 12
"""Columns of the screening's table; the rarest classes are those that the methods differ in."""

Place = tuple[int, int]
"""A class: the target's place, and its own within it."""


def methods_table(night: Night) -> str:
    """How the imbalance methods compare, and where there are figures, whom they find."""
    told = table([_row(method, night.objective) for method in night.methods])
    recalls = _recalls([m for m in night.methods if m.recalls], night)
    if not recalls:
        return told
    return f"{told}\n\nRecall by method:\n\n{capped(recalls, 'see recalls in night.json')}"


def screening_rows(
    methods: Sequence[MethodScore],
    objective: str,
    targets: Sequence[Target],
    classes: Sequence[Place],  # those whose recalls are told
) -> list[dict[str, str]]:
    """A row a method, the recalls of the classes in columns."""
    return [
        _row(
            method,
            objective,
            {
                f"recall {class_name(targets, place, c)}": figure(
                    method.recalls[place][c] if method.recalls else None
                )
                for place, c in classes
            },
        )
        for method in methods
    ]


def rarest(targets: Sequence[Target], counts: Sequence[Sequence[int]]) -> list[Place]:
    """The rarest classes that count, `MOST_RECALLS` at the most, in the plan's order."""
    every = [(place, c) for place, target in enumerate(targets) for c in target.counted]
    return sorted(sorted(every, key=lambda each: counts[each[0]][each[1]])[:MOST_RECALLS])


def _row(method: MethodScore, objective: str, recalls: Mapping[str, str] = {}) -> dict[str, str]:
    bounds = "-" if method.low is None else f"{figure(method.low)} to {figure(method.high)}"
    return {
        "imbalance method": method.method,
        objective: figure(method.score),
        "95 % interval": bounds,
        "without offsets": figure(method.plain_score),
        "log loss": figure(method.log_loss),
        **recalls,
        "seconds": f"{method.seconds:.1f}",
        "searched": "yes" if method.kept else "no",
        "note": method.note or "-",
    }


def class_name(targets: Sequence[Target], place: int, c: int) -> str:
    """Of a class among those of all targets; a flag's is the flag's own."""
    target = targets[place]
    if target.is_flag:
        return target.name
    return target.class_texts[c] if len(targets) == 1 else f"{target.name} {target.class_texts[c]}"


def _recalls(methods: Sequence[MethodScore], night: Night) -> list[tuple[float, dict[str, str]]]:
    """A row a class that counts, a column a method; the rarest rank first."""
    if not methods:
        return []
    several = len(night.targets) > 1
    return [
        (
            night.rows.train_counts[place][c],
            ({"target": target.name} if several else {})
            | {"class": target.class_texts[c]}
            | {method.method: figure(method.recalls[place][c]) for method in methods},
        )
        for place, target in enumerate(night.targets)
        for c in target.counted
    ]
