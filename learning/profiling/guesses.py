"""All columns of a labelled sample at once: features, key, time, weight, and what is left out."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from learning.arrays import Mask
from learning.profiling.classes import Answers, answers, label_of
from learning.profiling.facts import ColumnFacts, facts_of
from learning.profiling.ids import (
    is_counter,
    is_group,
    is_named,
    is_whole_as_key,
    may_be_id,
    names_cases,
)
from learning.profiling.leaks import leak
from learning.profiling.roles import Guess, guessed
from learning.reading.contents import Contents
from learning.reading.tables import PANDAS_INDEX
from learning.reading.wording import quoted
from schemas.dataset import EmbeddingColumn, Floors, NumberColumn, TextColumn, TimeColumn
from schemas.faults import DataRejected
from schemas.label import Label
from schemas.manifest import OURS
from schemas.plan import HashSplit

WEIGHTS = r"(?i)(sample|instance|row|case)[ _-]?weights?"
"""Names of columns that say how much a row counts."""

COUNTS = "counts the rows"

LEAST_CASES = 20
"""Different cases below which a fifth of them may well be none."""

BIRTHS = r"(?i).*(birth|dob|geburt).*"
"""Times of a person, not of a row."""


@dataclass(frozen=True)
class Guesses:
    """What a plan is drafted from. `features` are in file order; `left_out` has the reasons.

    `key`, `time` and `weight` are guesses with their evidence, not features. `set_aside` counts
    rows that break the schema of these guesses, by why.
    """

    rows: int
    features: tuple[Guess, ...]
    left_out: Mapping[str, str]
    key: Guess | None
    time: Guess | None
    weight: Guess | None
    label: Label
    answers: tuple[Answers, ...]
    set_aside: Mapping[str, int]
    aside_rows: int

    @property
    def lowered_floor(self) -> int | None:
        """Rows to train on to be content with; none where the split leaves the usual floor in 999
        of 1,000 cases.
        """
        valid, held = self.rows - self.aside_rows, HashSplit().holdout_share
        sure = valid * (1 - held) - 3 * math.sqrt(valid * held * (1 - held))
        return None if sure >= Floors().rows else valid // 2

    @property
    def unspaced(self) -> bool:
        """Whether the texts are ones of which words say little, and characters much."""
        written = [each for each in self.features if isinstance(each.column, TextColumn)]
        return any(each.unspaced for each in written)


def guess(contents: Contents, names: Sequence[str]) -> Guesses:
    """What the columns are, where `names` are labels.

    Raises
    ------
    PlanError
        There is no such label.
    DataRejected
        There is nothing to learn, or nothing to learn from.
    """
    table = contents.table
    found = tuple(answers(table, name) for name in dict.fromkeys(names))
    features = [name for name in table.column_names if name not in {*names, PANDAS_INDEX}]
    looked = [_looked(contents, name) for name in features]
    looked = _without_leaks(looked, found)
    key, looked = _key(looked)
    time, looked = _time(looked)
    weight, looked = _weight(looked)
    key, looked = _some_feature(key, looked, names)
    kept = tuple(each for each in looked if each.column is not None)
    if key is None and not _are_many(kept):
        key, looked = _counter_as_key(kept, looked)
    aside, rows = _set_aside(contents, found, [*kept, *filter(None, (weight,))])
    return Guesses(
        rows=table.num_rows,
        features=kept,
        left_out={each.name: each.why for each in looked if each.column is None},
        key=key,
        time=time,
        weight=weight,
        label=label_of(found),
        answers=found,
        set_aside=aside,
        aside_rows=rows,
    )


def _looked(contents: Contents, name: str) -> Guess:
    facts = facts_of(name, contents.table[name], len(contents.nested.get(name, ())))
    if name.startswith(OURS):
        return Guess(name, None, f"names that begin with {OURS} are taken; rename it", facts=facts)
    if is_counter(facts):
        return Guess(name, None, COUNTS, facts=facts)
    return guessed(facts)


def _without_leaks(looked: Sequence[Guess], found: Sequence[Answers]) -> list[Guess]:
    kept = []
    for each in looked:
        told = leak(_facts(each), each.column, found) if each.column is not None else ""
        kept.append(_out(each, told) if told else each)
    return kept


def _key(looked: Sequence[Guess]) -> tuple[Guess | None, list[Guess]]:
    """The first column that names cases, of those that are named so if there are any."""
    free = [each for each in looked if may_be_id(each.column) and _is_plain(each.name)]
    cases = [each for each in free if names_cases(_facts(each))]
    named = [each for each in cases if is_named(each.name)]
    keys = [each for each in named or cases if is_whole_as_key(_facts(each))]
    key = keys[0] if keys else None
    return key and _told_key(key), [_id(each, key, cases) for each in looked if each is not key]


def _is_plain(name: str) -> bool:
    """Whether a plan can give a column of that name a part of its own."""
    return bool(name) and not name.startswith(OURS)


def _told_key(key: Guess) -> Guess:
    facts = _facts(key)
    again = facts.rows - facts.distinct
    why = f"names a case: {facts.distinct:,} values in {facts.rows:,} rows"
    asks = (f"of {again:,} rows with a key that comes again the last stays",) if again else ()
    return replace(key, why=why, bad=None, asks=asks)


def _id(each: Guess, key: Guess | None, cases: Sequence[Guess]) -> Guess:
    """Other ids are no features: they tell who, and the next night has other ones."""
    facts = _facts(each)
    if any(each is case for case in cases):
        beside = f" beside {key.name!r}" if key else ""
        return _out(each, f"names a case{beside}: {facts.distinct:,} values in {facts.rows:,} rows")
    if may_be_id(each.column) and is_group(facts):
        return _out(each, f"an id ({facts.distinct:,} values): it tells who, not what")
    return each


def _time(looked: Sequence[Guess]) -> tuple[Guess | None, list[Guess]]:
    """The first complete column of times is when a row happened; others are features."""
    for each in looked:
        complete = isinstance(each.column, TimeColumn) and not _facts(each).missing
        if complete and each.name and not re.fullmatch(BIRTHS, each.name):
            return each, [other for other in looked if other is not each]
    return None, list(looked)


def _weight(looked: Sequence[Guess]) -> tuple[Guess | None, list[Guess]]:
    for each in looked:
        named = isinstance(each.column, NumberColumn) and re.fullmatch(WEIGHTS, each.name)
        if named and bool((_facts(each).row_figures > 0).all()):
            why = "named as a weight, and above 0 in every row"
            return replace(each, why=why), [other for other in looked if other is not each]
    return None, list(looked)


def _some_feature(
    key: Guess | None, looked: Sequence[Guess], names: Sequence[str]
) -> tuple[Guess | None, list[Guess]]:
    """Where nothing else is left, names and the like are read as texts, by their characters."""
    if any(each.column is not None for each in looked):
        return key, list(looked)
    if key is not None and _facts(key).is_text and not is_named(key.name):
        return _some_feature(None, [*looked, replace(key, readable=True)], names)
    readable = [each for each in looked if each.readable]
    if not readable:
        told = "".join(f"\n  {each.name}: {each.why}" for each in (key, *looked) if each)
        raise DataRejected(
            f"Expected a column beside {', '.join(names)} to learn from, got none that can be a "
            f"feature:{told or ' there is no other column.'}\nAdd columns, or write a plan by hand."
        )
    chosen = max(readable, key=lambda each: _facts(each).distinct)
    why = f"{_facts(chosen).distinct:,} short texts, read by their characters"
    others = [each.name for each in looked if each is not chosen]
    told = f"a feature only since {quoted(others, most=5)} can't be: see what is left out"
    asks = (told,) if others else ()
    text = replace(chosen, column=TextColumn(), why=why, unspaced=True, asks=asks)
    return key, [text if each is chosen else each for each in looked]


def _are_many(kept: Sequence[Guess]) -> bool:
    """Whether there are cases enough for a split: without a key, equal features are one case."""
    written = [each for each in kept if isinstance(each.column, TextColumn)]
    grouping = written or kept
    vectors = any(isinstance(each.column, EmbeddingColumn) for each in grouping)
    if vectors or any(_facts(each).distinct >= LEAST_CASES for each in grouping):
        return True
    codes = np.column_stack([_facts(each).codes for each in grouping])
    return len(np.unique(codes, axis=0)) >= LEAST_CASES


def _counter_as_key(kept: Sequence[Guess], looked: Sequence[Guess]) -> tuple[Guess, list[Guess]]:
    """The number of a row, where nothing else tells two rows apart."""
    for each in looked:
        if each.column is None and each.why == COUNTS and _is_plain(each.name):
            asks = ("a number of the row, used since nothing else tells rows apart: if each file "
                    "counts anew, later files replace the earlier ones",)  # fmt: skip
            key = replace(each, asks=asks)
            return key, [other for other in looked if other is not each]
    rows = max((_facts(each).rows for each in kept), default=0)
    if rows < LEAST_CASES:
        raise DataRejected(
            f"Expected at least {LEAST_CASES} labelled rows, got {rows}: a part of them is kept to "
            "judge on, and what is learned of the rest would say nothing. Add labelled rows."
        )
    names = ", ".join(repr(each.name) for each in kept[:5])
    raise DataRejected(
        f"Expected at least {LEAST_CASES} different cases, got fewer: rows that are equal in all "
        f"features ({names}) are one case, and stay on one side of the split. Add columns, or an "
        "id for each row, such as one that is called id."
    )


def _set_aside(
    contents: Contents, found: Sequence[Answers], kept: Sequence[Guess]
) -> tuple[dict[str, int], int]:
    """Rows that training will set aside under these guesses, by why, and all of them together."""
    rows = contents.table.num_rows
    whole = np.zeros(rows, dtype=bool)
    told: dict[str, int] = {}

    def count(why: str, mask: Mask) -> None:
        if mask.any():
            told[why] = int(mask.sum())
            whole[mask] = True

    for lines in contents.unread.values():
        mask = np.zeros(rows, dtype=bool)
        mask[list(lines)] = True
        count("no JSON object", mask)
    for label in found:
        count(_no_class(label), label.codes < 0)
    for each in kept:
        if each.bad is not None:
            what = "number" if isinstance(each.column, NumberColumn) else "vector"
            count(f"without a {what} in {each.name!r}", each.bad)
    return told, int(whole.sum())


def _no_class(label: Answers) -> str:
    unlearned = "of a class that is too rare to learn, or spelt otherwise"
    if not (label.rare or label.misspelt):
        return f"without a class in {label.name!r}"
    if not label.missing:
        return f"{unlearned}, in {label.name!r}"
    return f"without a class in {label.name!r}, or {unlearned}"


def _out(each: Guess, why: str) -> Guess:
    return replace(each, column=None, why=why, bad=None, readable=False)


def _facts(each: Guess) -> ColumnFacts:
    assert each.facts is not None  # every guess of a column holds them  # noqa: S101
    return each.facts
