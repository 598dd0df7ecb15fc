"""Which columns name a case or count the rows; one of them may be the key."""

import re

import numpy as np

from learning.profiling.dates import never_alike
from learning.profiling.facts import ColumnFacts
from learning.profiling.figures import odd_form
from schemas.dataset import CategoryColumn, NumberColumn

NAMED = r"(?i:(.*[^a-z])?(id|ids|uuid|guid|key|identifier))|.*[a-z](Id|ID|Key|UUID)"
"""Names of columns that name cases: `id`, `tweet_id`, `PassengerId`, `Product ID`."""

COUNTERS = r"(?i)|unnamed:? ?\d*(_level_\d+)?|index|level_0|row(_?(no|nr|num|number|id))?|x|#|no\.?"
"""Names that tools give to the numbers of rows."""

NEARLY = 0.98
"""Share of different values from which a column that is named so names cases: the others are
cases that stand twice."""

MOST_GROUPS = 50
"""Ids that may be levels, as those of shops; of more a model would learn who, not what."""

LEAST_ROWS = 50
"""Rows below which values that all differ are no evidence."""


def is_named(name: str) -> bool:
    """Whether the name says that it names cases.

    >>> is_named("tweet_id"), is_named("PassengerId"), is_named("humid"), is_named("Product ID")
    (True, True, False, True)
    """
    return re.fullmatch(NAMED, name.strip()) is not None


def is_counter(facts: ColumnFacts) -> bool:
    """Whether it is 0, 1, 2, ... or 1, 2, 3, ... down the file, which names no case elsewhere; or
    is named so, as what a part of a longer file kept of it.
    """
    if facts.missing or facts.distinct != facts.rows or facts.rows < 2 or is_named(facts.name):
        return False
    if re.fullmatch(COUNTERS, facts.name.strip()) is not None:
        return facts.is_whole
    figures = facts.row_figures
    counts = bool(figures[0] in (0, 1)) and bool((np.diff(figures) == 1).all())
    return counts and facts.rows >= LEAST_ROWS


def names_cases(facts: ColumnFacts) -> bool:
    """Whether each row has a value of its own, or nearly, as ids have and measures have not."""
    if facts.missing or not _is_nameable(facts) or is_counter(facts):
        return False
    if is_named(facts.name):
        return facts.distinct >= NEARLY * facts.rows
    if facts.distinct < facts.rows or facts.rows < LEAST_ROWS:
        return False
    if facts.is_text and not _are_numbers(facts):
        short = max(map(len, facts.texts)) <= 64
        plain = short and not any(" " in text for text in facts.texts)
        return plain and not odd_form(facts.texts) and not never_alike(facts)
    steps = np.diff(facts.row_figures)
    return facts.is_whole and bool((steps > 0).all() or (steps < 0).all())


def is_group(facts: ColumnFacts) -> bool:
    """Whether it names whom or what several rows belong to."""
    return is_named(facts.name) and facts.distinct > MOST_GROUPS


def is_whole_as_key(facts: ColumnFacts) -> bool:
    """Whether every value is read as it was written: no float64 stands for it."""
    stored = str(facts.levels.type)
    return not stored.startswith(("double", "float", "halffloat"))


def _is_nameable(facts: ColumnFacts) -> bool:
    if facts.is_text and not _are_numbers(facts):
        return facts.distinct > 0
    return facts.is_whole and is_whole_as_key(facts)


def _are_numbers(facts: ColumnFacts) -> bool:
    """Most are; of ids such as 1e-30 and f-31 some only look so."""
    return bool(np.isnan(facts.figures).sum() * 2 < facts.distinct)


def may_be_id(column: object) -> bool:
    """Whether a column of this role may be an id instead."""
    return column is None or isinstance(column, NumberColumn | CategoryColumn)
