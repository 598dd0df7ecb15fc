"""Rows of each class in one line: all of few classes, the ends of many."""

from collections.abc import Mapping, Sequence

from learning.reading.wording import cut

MOST = 12
"""Classes that are all told, in the plan's order; labels that have a line of their own."""

ENDS = 3
"""Of more classes, as many of the largest and of the rarest are told."""

Counts = Sequence[int]
"""Rows of one class in each of some places, such as training and holdout."""


def class_counts_told(counts: Mapping[str, Counts]) -> str:
    """By class text; of many, their number and the ends.

    >>> class_counts_told({"no": (900, 100), "yes": (9, 1)})
    'no: 900 + 100, yes: 9 + 1'
    >>> class_counts_told({f"c{n}": (n,) for n in range(151)})
    '151 classes; largest: c150: 150, c149: 149, c148: 148; rarest: c0: 0, c1: 1, c2: 2'
    """
    if len(counts) <= MOST:
        return _told(list(counts), counts)
    ranked = sorted(counts, key=lambda text: sum(counts[text]))
    return (
        f"{len(counts):,} classes; largest: {_told(ranked[: -ENDS - 1 : -1], counts)}; "
        f"rarest: {_told(ranked[:ENDS], counts)}"
    )


def targets_told(counts: Mapping[str, Mapping[str, Counts]]) -> tuple[str, ...]:
    """By target and class, a part for each target; of many targets one, with the rarest classes.

    >>> targets_told({"mood": {"bad": (1,), "good": (2,)}})
    ('bad: 1, good: 2',)
    >>> targets_told({"rain": {"0": (8,), "1": (2,)}, "snow": {"0": (9,), "1": (1,)}})
    ('rain - 0: 8, 1: 2', 'snow - 0: 9, 1: 1')
    """
    if len(counts) == 1:
        return tuple(map(class_counts_told, counts.values()))
    if len(counts) <= MOST:
        return tuple(f"{cut(name)} - {class_counts_told(each)}" for name, each in counts.items())
    called = {
        f"{cut(name)} - {text}": rows
        for name, classes in counts.items()
        for text, rows in classes.items()
    }
    rarest = sorted(called, key=lambda each: sum(called[each]))[:ENDS]
    return (f"{len(counts):,} labels; rarest classes: {_told(rarest, called, most=80)}",)


def _told(texts: Sequence[str], counts: Mapping[str, Counts], most: int = 40) -> str:
    each = ((cut(text, most), " + ".join(f"{rows:,}" for rows in counts[text])) for text in texts)
    return ", ".join(f"{text}: {rows}" for text, rows in each)
