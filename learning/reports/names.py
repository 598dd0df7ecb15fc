"""Names that MLflow and file systems take, made of what a plan calls its classes and targets."""

import re
from collections.abc import Collection, Iterable

LONGEST = 60
"""MLflow takes 250 letters in a metric's name, and a name may hold a target's and a class's."""


def slug(text: str) -> str:
    """The name of an objective within metric names.

    >>> slug("macro-F1"), slug("F2 of 'yes'")
    ('macro_f1', 'f2_of_yes')
    """
    return re.sub(r"\W+", "_", text.lower()).strip("_")[:LONGEST]


def metric_names(texts: Iterable[str], taken: Collection[str] = ()) -> tuple[str, ...]:
    """Of letters, digits and `-_. `, which is what MLflow takes; no two alike, nor like `taken`.

    >>> metric_names(["a|b", "a/b"])
    ('a_b', 'a_b_1')
    """
    flat = ("".join(c if c.isalnum() or c in "-_. " else "_" for c in text) for text in texts)
    return _distinct(flat, taken)


def folder_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Of letters, digits, `-` and `_`; no two alike, also where case is not told apart.

    >>> folder_names(["..", "Mood", "mood"])
    ('__', 'Mood', 'mood_2')
    """
    flat = ("".join(c if c.isalnum() or c in "-_" else "_" for c in text) for text in texts)
    return _distinct((text or "_" for text in flat), ())


def _distinct(names: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    given, found = {name.casefold() for name in taken}, []
    for place, name in enumerate(names):
        told = name[:LONGEST]
        if told.casefold() in given:
            told = f"{told}_{place}"
        while told.casefold() in given:
            told += "_"
        given.add(told.casefold())
        found.append(told)
    return tuple(found)
