"""What one column seems to be, by its own cells alone."""

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from learning.arrays import Mask
from learning.profiling.dates import Written, is_clock_alone, never_alike, written
from learning.profiling.facts import ColumnFacts
from learning.profiling.figures import odd_form
from learning.profiling.ids import is_named
from learning.reading.cells import FALSE, TRUE, is_text
from learning.reading.embeddings import VECTOR, embeddings
from learning.reading.json_kinds import WHOLE
from learning.reading.wording import amount
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    NumberColumn,
    TextColumn,
    TimeColumn,
)

SET_ASIDE = 0.05
"""Most cells of a column that may be no number, such as '?', and be set aside for it."""

NO_VECTOR = 0.01
"""The same of vectors, which are either there or not."""

WORDS = 3.0
"""Mean words from which a text is a text; shorter ones are levels."""

UNSPACED_CHARS = 6.0
"""Mean characters of a text in a script without spaces, which is a text from there on."""

REPEATS = 10
"""Mean rows from which a level repeats: short texts that repeat less are names or numbers."""

FEW, MOST = 10, 1_000
"""Levels that are few anyhow, and more than can be features."""

MOST_DIMENSIONS = 10_000
CODES = r"(?i)(.*[^a-z])?(zip|zipcode|postcode|postal|plz|fips|code)([^a-z].*)?"
"""Names of columns whose whole numbers are codes, so that more or less means nothing."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Guess:
    """A role with its evidence; or none, and `why` is the reason to leave the column out.

    `bad` marks rows that are set aside for it. `asks` is what only a person can tell. A column
    that is left out for too many levels may still be `readable` as text, where nothing else is.
    """

    name: str
    column: Column | None
    why: str
    bad: Mask | None = None
    asks: tuple[str, ...] = ()
    readable: bool = False
    unspaced: bool = False
    facts: ColumnFacts | None = field(default=None, compare=False, repr=False)


def guessed(facts: ColumnFacts) -> Guess:
    """The first role, from the surest, of which all cells are, or all but a few."""
    for look in (_nothing, _stored, _vector, _time, _truth, _number, _words):
        found = look(facts)
        if found is not None:
            return found
    raise AssertionError("the last of them always answers")


def _nothing(facts: ColumnFacts) -> Guess | None:
    if facts.inside:
        return _out(
            facts, f"JSON objects in {amount(facts.inside, 'row')}; write their parts as columns"
        )
    if not facts.filled:
        return _out(facts, f"empty in all {facts.rows:,} rows")
    if facts.distinct == 1 and not facts.missing and not pt.is_null(facts.levels.type):
        return _out(facts, f"the same in all {facts.rows:,} rows")
    return None


def _stored(facts: ColumnFacts) -> Guess | None:
    kind = facts.stored.type
    readable = (
        is_text(kind)
        or pt.is_integer(kind)
        or pt.is_floating(kind)
        or pt.is_decimal(kind)
        or pt.is_boolean(kind)
        or pt.is_timestamp(kind)
        or pt.is_date(kind)
        or _is_list(kind)
    )
    if readable:
        return None
    if pt.is_nested(kind):
        return _out(facts, "objects or lists of them in each row; write their parts as columns")
    return _out(facts, "stored in a type that no role reads; write it as text or as a number")


def _vector(facts: ColumnFacts) -> Guess | None:
    if _is_list(facts.stored.type):
        lengths = pc.list_value_length(facts.stored.drop_null())
    elif facts.is_text and facts.texts[0].startswith("["):
        if not pc.all(pc.match_substring_regex(facts.levels, VECTOR)).as_py():
            return None
        filled = facts.stored.filter(pa.array(facts.codes >= 0))
        lengths = pc.add(pc.count_substring(filled, ","), 1)
    else:
        return None
    return _of_dimension(facts, lengths)


def _of_dimension(facts: ColumnFacts, lengths: pa.ChunkedArray) -> Guess:
    dimension = pc.mode(lengths)[0]["mode"].as_py() if facts.filled else 0
    if not 1 <= dimension <= MOST_DIMENSIONS:
        return _out(
            facts, f"lists of {amount(dimension, 'item')}; 1 to {MOST_DIMENSIONS:,} make a vector"
        )
    cells = embeddings(facts.stored, dimension)
    bad = cells.bad | (facts.codes < 0)
    if bad.sum() > NO_VECTOR * facts.rows:
        return _out(
            facts,
            f"lists, but in {amount(int(bad.sum()), 'row')} none of {dimension:,} finite numbers, "
            "and an embedding is never missing",
        )
    return _in(
        facts, EmbeddingColumn(dimension=dimension), f"{amount(dimension, 'number')} a row", bad
    )


def _time(facts: ColumnFacts) -> Guess | None:
    if facts.is_text and is_clock_alone(facts):
        return _out(
            facts, "a time of day without its day; join both in one column to have an instant"
        )
    how = written(facts)
    if how is None:
        return None
    return _in(facts, _time_column(how), _told_time(how), asks=how.asks)


def _time_column(how: Written) -> TimeColumn:
    return TimeColumn(format=how.form, zone=how.zone)


def _told_time(how: Written) -> str:
    if how.form is not None:
        return f"times written as {how.form}"
    if how.bare_rows:
        return "ISO 8601, with and without offsets"
    return "ISO 8601" if how.zone else "ISO 8601 with offsets"


def _truth(facts: ColumnFacts) -> Guess | None:
    if pt.is_boolean(facts.stored.type):
        return _in(facts, BooleanColumn(), "true and false")
    if facts.is_text:
        found = {text.lower() for text in facts.texts}
    else:
        found = {f"{figure:g}" for figure in facts.figures[:3]}
    both = not found.isdisjoint(TRUE) and not found.isdisjoint(FALSE)
    if not both or not found <= {*TRUE, *FALSE}:
        return None
    return _in(facts, BooleanColumn(), " and ".join(sorted(found)) + " only")


def _number(facts: ColumnFacts) -> Guess | None:
    bad = facts.not_numbers
    if bad.sum() > SET_ASIDE * facts.filled:
        return None
    if facts.is_text and any(re.fullmatch(r"-?0\d+", text) for text in facts.texts):
        return _levels(facts, "with leading zeros, so codes")
    if np.nanmax(np.abs(facts.figures)) >= WHOLE and facts.is_whole:
        return _levels(facts, "whole numbers above 2^53, which numbers would round")
    named = re.fullmatch(CODES, facts.name) or is_named(facts.name)
    if named and facts.is_whole and facts.distinct * REPEATS <= facts.filled:
        return _levels(facts, "named as codes are")
    told = f"{facts.distinct:,} {'whole ' * facts.is_whole}numbers"
    told += _but(facts.missing, "missing") + _but(int(bad.sum()), "cells that are none")
    return _in(facts, NumberColumn(), told, bad)


def _words(facts: ColumnFacts) -> Guess:
    if not facts.is_text:
        return _levels(facts, "")
    unlike = never_alike(facts)
    if unlike:
        return _out(facts, unlike)
    odd = odd_form(facts.texts)
    if odd:
        return _out(facts, f"numbers with {odd}; write them as 1234.5 to make them a number")
    weight = facts.counts / facts.counts.sum()
    words = float(weight @ np.array([len(text.split()) for text in facts.texts]))
    chars = float(weight @ np.array([len(text) for text in facts.texts]))
    unspaced = _is_unspaced(facts) and chars >= UNSPACED_CHARS
    few = facts.distinct <= FEW and facts.distinct * 2 <= facts.filled
    if (words >= WORDS or unspaced) and facts.distinct * REPEATS > facts.filled and not few:
        told = amount(round(words), "word") if words >= WORDS else f"{chars:.0f} characters"
        blank = _but(facts.missing, "missing or blank") if facts.missing else ""
        why = f"{told} on average{blank}"
        return _in(facts, _text_column(facts), why, unspaced=words < WORDS)
    return _levels(facts, "")


def _text_column(facts: ColumnFacts) -> TextColumn:
    """With room for longer ones than were seen."""
    longest = max(map(len, facts.texts))
    usual = TextColumn()
    return usual if longest <= usual.max_chars else TextColumn(max_chars=2 * longest)


def _levels(facts: ColumnFacts, note: str) -> Guess:
    why = f"{amount(facts.distinct, 'level')}{f', {note}' * bool(note)}"
    why += _but(facts.missing, "missing") if facts.missing else ""
    repeats = facts.distinct * REPEATS <= facts.filled and facts.distinct <= MOST
    if repeats or (facts.distinct <= FEW and facts.distinct < facts.filled):
        return _in(facts, CategoryColumn(), why)
    odd = int(facts.not_numbers.sum())
    if facts.is_text and odd * 2 < facts.filled and not note:
        todo = "empty them to make it a number"
        return _out(facts, f"numbers, but in {odd:,} of {facts.filled:,} cells; {todo}")
    told = f"{amount(facts.distinct, 'value')} in {amount(facts.filled, 'cell')}"
    told += f" ({note})" * bool(note)
    return Guess(
        facts.name,
        None,
        f"{told}: too many for levels, and too short for texts",
        readable=facts.is_text,
        facts=facts,
    )


def _is_unspaced(facts: ColumnFacts) -> bool:
    """Whether most of it is in a script that puts no space between words."""
    sample = "".join(facts.texts[:200])
    return bool(sample) and len(_UNSPACED.findall(sample)) > 0.3 * len(sample)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind))


def _but(count: int, what: str) -> str:
    return f", {count:,} {what}" if count else ""


def _in(
    facts: ColumnFacts,
    column: Column,
    why: str,
    bad: Mask | None = None,
    asks: tuple[str, ...] = (),
    unspaced: bool = False,
) -> Guess:
    found = bad if bad is not None and bad.any() else None
    return Guess(facts.name, column, why, found, asks, unspaced=unspaced, facts=facts)


def _out(facts: ColumnFacts, why: str) -> Guess:
    return Guess(facts.name, None, why, facts=facts)
