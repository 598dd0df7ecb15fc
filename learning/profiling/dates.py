"""How the times of a column are written: as ISO 8601, or in a form of `strptime`."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pt

from learning.arrays import Mask
from learning.profiling.facts import ColumnFacts
from learning.reading.instants import instants

ASSUMED_ZONE = "UTC"
MOST_LOOKED_AT = 200
"""Levels that a form is tried on before it is tried on all."""

MOST_FORMS = 3
"""Forms of one column that are told."""

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
_SHORT = ("%d/%m/%y", "%m/%d/%y", "%d.%m.%y")
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
_WHOLE = ("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z")
FORMS = (
    *(day + clock for day in (*_DAYS, *_SHORT, *_NAMED) for clock in _CLOCKS),
    *_WHOLE,
)
_TWINS = {"%d/%m": "%m/%d", "%m/%d": "%d/%m", "%d-%m": "%m-%d", "%m-%d": "%d-%m"}

CLOCK_ALONE = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?( ?[AaPp][Mm])?"


@dataclass(frozen=True)
class Written:
    """`form` is None for ISO 8601 and stored times; `asks` what only a person can tell.

    `bare_rows` have no offset where others have one.
    """

    form: str | None
    zone: str | None
    asks: tuple[str, ...] = ()
    bare_rows: int = 0


def written(facts: ColumnFacts) -> Written | None:
    """How every cell of the column is read as a time; None where some can't be."""
    kind = facts.levels.type
    if pt.is_timestamp(kind) or pt.is_date(kind):
        return Written(None, None) if getattr(kind, "tz", None) else _local(None, ())
    if not facts.is_text or not facts.distinct:
        return _packed(facts)
    head = pa.chunked_array([facts.levels.slice(0, MOST_LOOKED_AT)])
    if _reads(head, None, ASSUMED_ZONE):
        return _in_iso(facts) if _reads_all(facts, None, ASSUMED_ZONE) else None
    return _in_a_form(facts, head)


def never_alike(facts: ColumnFacts) -> str:
    """What keeps a column, of which most cells are times, from being one; else nothing."""
    if not facts.is_text or not facts.texts or not _seems_one(facts.texts[0]):
        return ""
    levels = pa.chunked_array([facts.levels])
    forms = _forms_of(levels.slice(0, MOST_LOOKED_AT))
    odd = np.ones(facts.distinct, dtype=bool)
    for form in forms:
        odd &= _bad(levels, form)
    rows = int(facts.counts[odd].sum())
    if rows * 2 >= facts.filled:
        return ""
    but = f"; {rows:,} of {facts.filled:,} cells are none of these" if rows else ""
    told = " and ".join(form or "ISO 8601" for form in forms)
    return f"times written as {told}{but}: write all of them alike, best as ISO 8601 with offsets"


def is_clock_alone(facts: ColumnFacts) -> bool:
    """Times of a day without the day, in a column of their own."""
    head = facts.texts[:MOST_LOOKED_AT]
    return bool(head) and all(re.fullmatch(CLOCK_ALONE, text) for text in head)


def _in_iso(facts: ColumnFacts) -> Written:
    """Each cell with an offset, or none, or some of them."""
    bare = _bad(pa.chunked_array([facts.levels]), None, None)
    rows = int(facts.counts[bare].sum())
    if not rows:
        return Written(None, None)
    if bare.all():
        return _local(None, ())
    mixture = (
        f"{rows:,} of {facts.filled:,} cells have no offset, the others have one: which time zone "
        "are those without of? UTC is a guess; correct it, or write each with its offset"
    )
    return Written(None, ASSUMED_ZONE, (mixture,), bare_rows=rows)


def _forms_of(head: pa.ChunkedArray) -> list[str | None]:
    """Forms that together read the most of these, the one that reads the most first."""
    found = list[str | None]()
    while len(head) and len(found) < MOST_FORMS:
        read = {form: int((~_bad(head, form)).sum()) for form in (None, *FORMS)}
        best = max(read, key=lambda form: read[form])
        if not read[best]:
            break
        found.append(best)
        head = head.filter(pa.array(_bad(head, best)))
    return found


def _seems_one(text: str) -> bool:
    return any(_may_be(text, form) for form in ("ISO8601", *FORMS))


def _in_a_form(facts: ColumnFacts, head: pa.ChunkedArray) -> Written | None:
    if not any(char.isdigit() for char in facts.texts[0]):
        return None
    if all(text.isdigit() for text in facts.texts[:MOST_LOOKED_AT]):
        return _packed(facts)
    for form in FORMS:
        zone = None if "%z" in form else ASSUMED_ZONE
        if _reads(head, form, zone) and _reads_all(facts, form, zone):
            twin = _twin(form)
            if twin is None or not _reads_all(facts, twin, zone):
                return Written(form, None) if zone is None else _local(form, ())
            return _local(form, (f"is it day before month? If not, the format is {twin!r}",))
    return None


def _packed(facts: ColumnFacts) -> Written | None:
    """20260131, in whole numbers or in text; only plausible days, and not in two levels alone."""
    figures = facts.figures
    whole = facts.distinct > 1 and facts.is_whole and not facts.not_numbers.any()
    if not whole or figures.min() < 19_000_101 or figures.max() > 21_001_231 or not facts.is_text:
        return None
    zone = ASSUMED_ZONE
    return _local("%Y%m%d", ()) if _reads_all(facts, "%Y%m%d", zone) else None


def _local(form: str | None, asks: tuple[str, ...]) -> Written:
    return Written(form, ASSUMED_ZONE, (*asks, "which time zone is it? UTC is a guess"))


def _twin(form: str) -> str | None:
    """The same with day and month changed over."""
    return _TWINS[form[:5]] + form[5:] if form[:5] in _TWINS else None


def _reads_all(facts: ColumnFacts, form: str | None, zone: str | None) -> bool:
    return _reads(pa.chunked_array([facts.levels]), form, zone)


def _reads(levels: pa.ChunkedArray, form: str | None, zone: str | None) -> bool:
    if form is not None and not _may_be(levels[0].as_py().strip(), form):
        return False
    return not instants(levels, form, zone).bad.any()


def _bad(levels: pa.ChunkedArray, form: str | None, zone: str | None = ASSUMED_ZONE) -> Mask:
    return instants(levels, form, None if form and "%z" in form else zone).bad


def _may_be(first: str, form: str) -> bool:
    """Cheap, before pandas: whether one cell has the form at all."""
    try:
        pd.to_datetime(first, format=form)
    except (ValueError, OverflowError):
        return False
    return True
