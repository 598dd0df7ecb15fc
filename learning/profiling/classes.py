"""What is predicted: the classes of each label in their natural order, and the kind of label."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from learning.profiling.facts import ColumnFacts, facts_of
from learning.reading.cells import decoded, is_text, labels, levels
from learning.reading.wording import amount, cut
from schemas.faults import DataRejected, PlanError
from schemas.label import ClassValue, Label, MultiLabel, MultiTaskLabel, SingleLabel, Target
from schemas.label import targets as targets_of

LEAST_ROWS = 6
"""Rows that a class needs: with fewer, all of them may fall on one side of the split."""

NO_HEADER = " Correct the name; where the first line is a row, put a header in front of it."

MOST_CLASSES = 1_000

MEASURE_LIKE = 20
"""Different whole numbers from which a label is rather an amount than a name."""

MOST_MISSPELT = 0.01
"""Share of rows that may have a class in another spelling and be set aside for it."""

_ORDERS = (
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("negative", "neutral", "positive"),
    ("against", "none", "neither", "neutral", "favor", "favour"),
    ("none", "low", "medium", "moderate", "high", "critical"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("bad", "ok", "good"),
    ("small", "medium", "large"),
)


@dataclass(frozen=True)
class Answers:
    """One label: its classes, rows of each, and which row has which; -1 is set aside.

    `rare` are classes with too few rows to be learned, `misspelt` those that differ from a class
    in case or space only; `missing` rows have none.
    """

    name: str
    classes: tuple[ClassValue, ...]
    counts: tuple[int, ...]
    codes: NDArray[np.int64]
    missing: int
    rare: dict[str, int]
    misspelt: dict[str, int]

    @property
    def asks(self) -> tuple[str, ...]:
        """What only a person can tell."""
        numbers = all(isinstance(each, int) for each in self.classes)
        values = len(self.classes) + len(self.rare)
        if not numbers or values <= MEASURE_LIKE:
            return ()
        return (
            f"is it an amount? Each of {values:,} whole numbers would be a class of its own, and "
            "none nearer to one than to another; of an amount make a few classes, such as low and "
            "high",
        )


def answers(table: pa.Table, name: str) -> Answers:
    """The classes of one label column.

    Raises
    ------
    PlanError
        There is no such column.
    DataRejected
        It holds no classes, or less than two that can be learned.
    """
    facts = _label_facts(table, name)
    if not facts.filled:
        raise DataRejected(
            f"--label {name}: expected classes, got {amount(facts.rows, 'empty cell')}."
        )
    found = _values(facts)
    _refuse_measures(name, found, facts)
    spelt = _spellings(found, facts, name)
    kept = {text: count for text, count in spelt[0].items() if count >= LEAST_ROWS}
    rare = {text: count for text, count in spelt[0].items() if count < LEAST_ROWS}
    if len(kept) < 2:
        raise DataRejected(_too_few(name, spelt[0], facts.rows))
    classes = _ordered(tuple(_of_kind(kept)))
    target = targets_of(SingleLabel(column=name, classes=classes))[0]
    codes = _codes(table, target)
    counts = np.bincount(codes[codes >= 0], minlength=len(classes))
    return Answers(
        name, classes, tuple(map(int, counts)), codes, facts.missing, rare, misspelt=spelt[1]
    )


def label_of(found: Sequence[Answers]) -> Label:
    """Its kind: several labels of 0 and 1 only are one question with many answers."""
    if len(found) == 1:
        return SingleLabel(column=found[0].name, classes=found[0].classes)
    if all(each.classes in ((0, 1), (False, True)) for each in found):
        return MultiLabel(columns=tuple(each.name for each in found))
    return MultiTaskLabel(columns={each.name: each.classes for each in found})


def _label_facts(table: pa.Table, name: str) -> ColumnFacts:
    names = table.column_names
    if name not in names:
        lowered = {each.lower().strip(): each for each in names}
        near = difflib.get_close_matches(name.lower().strip(), lowered, 1)
        hint = f" Did you mean {cut(lowered[near[0]])!r}?" if near else ""
        # Not all names: without a header, they are the cells of the first row.
        raise PlanError(
            f"--label: expected one of the {amount(len(names), 'column')} in the header of the "
            f"file, got {name!r}.{hint or NO_HEADER}"
        )
    column = decoded(table[name])
    kind = column.type
    plain = is_text(kind) or pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind)
    if not plain:
        raise DataRejected(
            f"--label {name}: expected text, whole numbers or true and false, got {kind}. Write "
            "the classes as one of these."
        )
    return facts_of(name, column)


def _values(facts: ColumnFacts) -> dict[str, int]:
    """Rows by class text. Cells that only say that nothing is known are a class among texts."""
    numeric = not facts.not_numbers.any()
    column = facts.stored if not numeric else pa.chunked_array([facts.levels])
    if not numeric:
        found = levels(column).cells.value_counts()
        return {str(text): int(count) for text, count in found.items() if str(text).strip()}
    texts = levels(column).cells.tolist()
    if facts.is_text:
        texts = [_plain(text) for text in facts.texts]
    rows: dict[str, int] = {}
    for text, count in zip(texts, facts.counts.tolist(), strict=True):
        rows[text] = rows.get(text, 0) + count
    return rows


def _plain(text: str) -> str:
    """`1.0` is class 1; `01` and `1e3` stay as they are written."""
    whole = re.fullmatch(r"[+]?(-?(0|[1-9]\d*))(\.0*)?", text)
    return whole[1] if whole else text


def _refuse_measures(name: str, found: dict[str, int], facts: ColumnFacts) -> None:
    measured = not facts.is_whole and not facts.not_numbers.any() and len(found) > 20
    many = len(found) > MOST_CLASSES or len(found) * 2 > max(facts.filled, 5)
    if measured or many:
        expected = f"at most {MOST_CLASSES:,} classes with several rows each"
        told = "different values"
        if measured:
            expected, told = "classes", "different numbers with fractions, so an amount,"
        raise DataRejected(
            f"--label {name}: expected {expected}, got {len(found):,} {told} in "
            f"{amount(facts.filled, 'row')}. Name a column of classes, or make some of it, such as "
            "low and high."
        )


def _spellings(
    found: dict[str, int], facts: ColumnFacts, name: str
) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of the classes, and of other spellings of one; those of numbers are read as one."""
    if _are_truths(found):
        merged: dict[str, int] = {}
        for text, count in found.items():
            merged[text.strip().lower()] = merged.get(text.strip().lower(), 0) + count
        return merged, {}
    first: dict[str, str] = {}
    others: dict[str, int] = {}
    for text in sorted(found, key=lambda text: -found[text]):
        if first.setdefault(_folded(text), text) != text:
            others[text] = found[text]
    if sum(others.values()) > MOST_MISSPELT * facts.rows:
        raise DataRejected(
            f"--label {name}: expected each class in one spelling, got {_beside(others, first)} "
            f"in {amount(sum(others.values()), 'row')}, which differ in case or space "
            "only. Write them alike."
        )
    return {text: count for text, count in found.items() if text not in others}, others


def _beside(others: dict[str, int], first: dict[str, str], most: int = 5) -> str:
    """Each with the class that it differs from."""
    pairs = [f"{cut(text)!r} beside {cut(first[_folded(text)])!r}" for text in list(others)[:most]]
    more = f" and {len(others) - most} more" if len(others) > most else ""
    return ", ".join(pairs) + more


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _are_truths(found: dict[str, int]) -> bool:
    return {text.strip().lower() for text in found} == {"true", "false"}


def _of_kind(texts: dict[str, int]) -> list[ClassValue]:
    """Numbers and truths as such where all of them are; leading zeros are text."""
    if _are_truths(texts):
        return [text == "true" for text in texts]
    if all(re.fullmatch(r"-?(0|[1-9]\d{0,14})", text) for text in texts):
        return [int(text) for text in texts]
    if all(re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d*[1-9])?", text) for text in texts):
        return [float(text) for text in texts]
    return list(texts)


def _ordered(classes: tuple[ClassValue, ...]) -> tuple[ClassValue, ...]:
    if not isinstance(classes[0], str):
        return tuple(sorted(classes))
    lowered = {str(each).strip().lower() for each in classes}
    for order in _ORDERS:
        if lowered <= set(order):
            return tuple(sorted(classes, key=lambda each: order.index(str(each).strip().lower())))
    return tuple(sorted(classes, key=lambda each: _natural(str(each))))


def _natural(text: str) -> tuple[list[tuple[bool, int, str]], str]:
    """`class 2` before `class 10`."""
    parts = [part for part in re.split(r"(\d+)", text.casefold()) if part]
    return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts], text


def _codes(table: pa.Table, target: Target) -> NDArray[np.int64]:
    """As training will read them."""
    cells = labels(table[target.name], target).cells
    places = {text: place for place, text in enumerate(target.class_texts)}
    return np.asarray(cells.map(places).fillna(-1), dtype=np.int64)


def _too_few(name: str, found: dict[str, int], rows: int) -> str:
    told = ", ".join(f"{text[:40]!r} in {count:,}" for text, count in list(found.items())[:5])
    return (
        f"--label {name}: expected two classes with at least {LEAST_ROWS} rows each, got {told} of "
        f"{amount(rows, 'row')}. Add labelled rows of another class, or name another column."
    )
