"""Columns that give the label away: known only after it, or made from it.

An honest column may be strong, so each test asks for what no honest column is likely to show, on
enough rows. What was measured:

* `DETERMINES`: the mean share of each class that one column alone tells right, learned on one half
  of the rows and asked on the other; or of one class against the others, by levels and by numbers
  that are frequent. Copies of a label, and `negativereason` of tweets with its confidence: 1.000.
  The strongest honest columns: odor of mushrooms 0.985, petal width of irises 0.960, worst
  perimeter of breast cells 0.913, rotational speed of `ai4i2020` 0.800.
* `HONEST_ODDS`: a level (of at most `FLAG_LEVELS`) that always means one class, in more rows than
  chance (`CHANCE`) explains even if the level made the odds of the class that many times greater:
  15 rows of a class of 3 % of all, 35 of 20 %, 81 of 40 %. TWF, HDF, PWF, OSF of `ai4i2020` would
  pass with odds of 81 to 223; no other level of failures, tweets, fires and stances that means a
  class of at most half of the rows is right in even 19 of 20. Honest levels may be as pure where
  there are more than two (foul odor of mushrooms: 2,160 rows, all of a class of 48 %), so the class
  is one of at most `RARE_SHARE` of the rows, or of `FLAG_SHARE` where the column is a flag.
* `CHANCE`: a column that is filled in rows of one class only, if that were by chance; at most 3e-7
  for `negativereason_gold` of tweets, in 32 rows.
* `MISSING_TELLS`: whether there is a cell tells a class. Missing comments (all of one class, 100 of
  its 13,142 rows): 0.504.
"""

import re
from collections.abc import Iterable
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from learning.profiling.classes import Answers
from learning.profiling.facts import ColumnFacts
from learning.reading.cells import levels
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
from schemas.label import class_text

DETERMINES = 0.995
DETERMINED_ROWS = 200
MISSING_TELLS = 0.95
CLASS_ROWS = 20
"""Rows of a class, and of the others, below which nothing is said of it."""

RENAMED_ROWS = 20
FLAG_ROWS = 15
FLAG_LEVELS = 10
RARE_SHARE = 0.2
FLAG_SHARE = 0.5
"""Beyond it a level is the lack of what the other class needs, as honest columns tell it."""

HONEST_ODDS = 8
CHANCE = 1e-6
USUAL_SHARE = 0.5
"""Share of rows from which one number is a flag that is down, and all others are it up."""

ATOM_SHARE = 0.05
"""Share of rows from which one number is a level rather than a measure."""

SCREENED = 20_000
"""Rows on which a number is tried first; only one that seems to leak is tried on all."""

_MADE_FROM = re.compile(
    "gold|conf(idence)?|scores?|prob(ability|a)?|pred(iction|icted)?|id|code|name|text|str|num|number"
    "|idx|index|enc(oded)?|true|actual"
)


def leak(facts: ColumnFacts, column: Column | None, labels: Iterable[Answers]) -> str:
    """Why the column can't be a feature; nothing where no test says so."""
    for label in labels:
        found = (
            _by_name(facts, label)
            or _by_words(facts, label)
            or _by_missing(facts, label)
            or _by_value(facts, column, label)
        )
        if found:
            return f"{found}; a leak, unless it is known before {label.name!r} is"
    return ""


def _by_name(facts: ColumnFacts, label: Answers) -> str:
    """`sentiment_gold` beside `sentiment`."""
    own, other = (re.sub(r"[^a-z0-9]+", "_", n.lower()) for n in (facts.name, label.name))
    made = own.removeprefix(f"{other}_") if own.startswith(f"{other}_") else ""
    return f"named after {label.name!r}" if _MADE_FROM.fullmatch(made) else ""


def _by_words(facts: ColumnFacts, label: Answers) -> str:
    """Where there is a cell it holds the label's own words, in every class."""
    if not facts.filled or facts.distinct > 2 * len(label.classes) + 5:
        return ""
    both = (label.codes >= 0) & (facts.codes >= 0)
    words = np.array([class_text(each) for each in label.classes], dtype=object)
    same = levels(facts.stored).cells.to_numpy(dtype=object)[both] == words[label.codes[both]]
    rows = np.bincount(label.codes[both], minlength=len(words))
    right = np.bincount(label.codes[both][same], minlength=len(words))
    share = (right[rows > 0] / rows[rows > 0]).mean() if both.any() else 0.0
    if both.sum() < CLASS_ROWS or (rows > 0).sum() < 2 or share < DETERMINES:
        return ""
    return (
        f"says the same as {label.name!r} in all {amount(both.sum(), 'row')} that it is filled in"
    )


def _by_missing(facts: ColumnFacts, label: Answers) -> str:
    """What is filled in afterwards is filled where the answer was such."""
    known = label.codes >= 0
    filled, codes = (facts.codes >= 0)[known], label.codes[known]
    if filled.all():
        return ""
    rows = np.bincount(codes, minlength=len(label.classes))
    inside = np.bincount(codes[filled], minlength=len(label.classes))
    place = int(inside.argmax())
    name = class_text(label.classes[place])
    only = inside[place] == inside.sum() >= CLASS_ROWS
    if only and (rows[place] / len(codes)) ** int(inside.sum()) < CHANCE:
        return f"filled in {amount(inside.sum(), 'row')}, all of them of class {name}"
    told = _told_by(inside, rows)
    best = int(np.abs(told - 0.5).argmax())
    enough = min(rows[best], len(codes) - rows[best]) >= CLASS_ROWS
    if enough and len(codes) >= DETERMINED_ROWS and abs(told[best] - 0.5) >= MISSING_TELLS - 0.5:
        name = class_text(label.classes[best])
        share = max(told[best], 1 - told[best])
        return f"whether it is missing tells class {name} from the others, {share:.1%} right"
    return ""


def _told_by(inside: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(classes,) the balanced accuracy of "filled" for each class against the others."""
    others, elsewhere = rows.sum() - rows, inside.sum() - inside
    recall = inside / np.maximum(rows, 1)
    balanced: NDArray[np.float64] = (recall + 1 - elsewhere / np.maximum(others, 1)) / 2
    return balanced


def _by_value(facts: ColumnFacts, column: Column | None, label: Answers) -> str:
    match column:
        case CategoryColumn() | BooleanColumn():
            return _by_level(facts.codes, facts, label, all_levels=True)
        case NumberColumn():
            atoms = facts.counts >= ATOM_SHARE * facts.rows
            few = facts.distinct <= FLAG_LEVELS
            places = np.where(atoms | few, np.cumsum(atoms | few) - 1, (atoms | few).sum())
            codes = np.append(places, -1)[facts.codes]
            return (
                _by_level(codes, facts, label, few)
                or _by_unusual(facts, label)
                or _by_threshold(facts, label)
            )
        case None | TextColumn() | EmbeddingColumn() | TimeColumn():
            return ""
        case _:
            assert_never(column)


def _by_level(
    codes: NDArray[np.int64], facts: ColumnFacts, label: Answers, all_levels: bool
) -> str:
    known = label.codes >= 0
    codes, answers = codes[known] + 1, label.codes[known]  # a missing cell is a level too
    width = len(label.classes)
    cells = codes * width + answers
    table = np.bincount(cells, minlength=(int(codes.max(initial=0)) + 1) * width)
    found = _renaming(table.reshape(-1, width), label)
    if not found and len(codes) >= DETERMINED_ROWS:
        half = np.random.default_rng(0).random(len(codes)) < 0.5
        first = np.bincount(cells[half], minlength=len(table)).reshape(-1, width)
        found = _determination(first, table.reshape(-1, width) - first, label)
    if found or not all_levels or facts.distinct > FLAG_LEVELS:
        return found
    return _implication(table.reshape(-1, width), label)


def _renaming(table: NDArray[np.int64], label: Answers) -> str:
    """A level for each class, and a class for each level: told on fewer rows than the others."""
    there = table[table.any(axis=1)]
    pairs = there > 0
    one_each = pairs.sum(axis=1).max() == 1 == pairs.sum(axis=0).min() == pairs.sum(axis=0).max()
    if not one_each or there.max(axis=0).min() < RENAMED_ROWS:
        return ""
    return f"the same as {label.name!r} under other names, in all {there.sum():,} rows"


def _implication(table: NDArray[np.int64], label: Answers) -> str:
    """A level that is there for one class alone; a missing cell is told by itself."""
    found = _pure(table, FLAG_SHARE if (table[1:].any(axis=1)).sum() <= 2 else RARE_SHARE)
    found = found[found > 0]
    if not len(found):
        return ""
    return f"one of its values stands in {_told_pure(table, int(found[0]), label)}"


def _by_unusual(facts: ColumnFacts, label: Answers) -> str:
    """An amount that is 0 but for one class: a flag, though each other value is rare."""
    usual = int(facts.counts.argmax()) if facts.distinct > FLAG_LEVELS else -1
    if usual < 0 or facts.counts[usual] < USUAL_SHARE * facts.rows:
        return ""
    known = (label.codes >= 0) & (facts.codes >= 0)
    up, width = facts.codes[known] != usual, len(label.classes)
    cells = up * width + label.codes[known]
    table = np.bincount(cells, minlength=2 * width).reshape(2, width)
    if 1 not in _pure(table, FLAG_SHARE):
        return ""
    return f"other than its usual value in {_told_pure(table, 1, label)}"


def _pure(table: NDArray[np.int64], most_share: float) -> NDArray[np.int64]:
    """The levels that one class alone has, beyond what an honest one might show by chance."""
    rows, share = table.sum(axis=1), table.sum(axis=0) / max(table.sum(), 1)
    expected = share[table.argmax(axis=1)]
    honest = HONEST_ODDS * expected / (1 - expected + HONEST_ODDS * expected)
    pure = (table.max(axis=1) == rows) & (rows >= FLAG_ROWS) & (expected <= most_share)
    return np.flatnonzero(pure & (honest**rows < CHANCE))


def _told_pure(table: NDArray[np.int64], level: int, label: Answers) -> str:
    place = int(table[level].argmax())
    share = table[:, place].sum() / table.sum()
    return (
        f"{amount(table[level].sum(), 'row')}, all of them of class "
        f"{class_text(label.classes[place])}, which is {share:.1%} of all"
    )


def _determination(
    first: NDArray[np.int64],  # (levels, classes) rows of one half
    second: NDArray[np.int64],
    label: Answers,
) -> str:
    whole = first + second
    rows = whole.sum(axis=0)
    if (rows >= CLASS_ROWS).sum() < 2:
        return ""
    recall = _recall(first, second, rows)
    if recall >= DETERMINES:
        return f"tells {label.name!r} by itself, {recall:.1%} right in each class"
    for place in range(len(rows) if len(rows) > 2 else 0):
        sides = np.array([rows[place], rows.sum() - rows[place]])
        if sides.min() < CLASS_ROWS:
            continue
        recall = _recall(_against_others(first, place), _against_others(second, place), sides)
        if recall >= DETERMINES:
            name = class_text(label.classes[place])
            return f"tells class {name} from the others by itself, {recall:.1%} right"
    return ""


def _against_others(table: NDArray[np.int64], place: int) -> NDArray[np.int64]:
    return np.column_stack([table[:, place], table.sum(axis=1) - table[:, place]])


def _recall(first: NDArray[np.int64], second: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
    """The mean over classes of enough rows; a level that the other half lacks is told wrong."""
    counted = rows >= CLASS_ROWS
    right = np.zeros(len(rows))
    for learned, asked in ((first, second), (second, first)):
        weighted = learned / np.maximum(learned.sum(axis=0), 1)  # rare classes count as much
        answer = np.where(learned.any(axis=1), weighted.argmax(axis=1), -1)
        for place in np.flatnonzero(counted):
            right[place] += asked[answer == place, place].sum()
    return float((right[counted] / rows[counted]).mean())


def _by_threshold(facts: ColumnFacts, label: Answers) -> str:
    """A measure that tells every class, by a few thresholds."""
    known = (label.codes >= 0) & ~np.isnan(facts.row_figures)
    figures, answers = facts.row_figures[known], label.codes[known]
    rows = np.bincount(answers, minlength=len(label.classes))
    if len(figures) < DETERMINED_ROWS or (rows >= CLASS_ROWS).sum() < 2 or len(rows) > 100:
        return ""
    random = np.random.default_rng(0)
    if len(figures) > SCREENED:
        some = random.choice(len(figures), SCREENED, replace=False)
        if _threshold_recall(figures[some], answers[some], len(rows)) < DETERMINES - 0.02:
            return ""
    recall = _threshold_recall(figures, answers, len(rows))
    if recall < DETERMINES:
        return ""
    return f"tells {label.name!r} by itself, {recall:.1%} right in each class"


def _threshold_recall(
    figures: NDArray[np.float64], answers: NDArray[np.int64], classes: int
) -> float:
    rows = np.bincount(answers, minlength=classes)
    counted = rows >= CLASS_ROWS
    half = np.random.default_rng(1).random(len(figures)) < 0.5
    right = np.zeros(classes)
    for learned in (half, ~half):
        tree = DecisionTreeClassifier(
            max_leaf_nodes=2 * classes, min_samples_leaf=5, class_weight="balanced", random_state=0
        )
        tree.fit(figures[learned, None], answers[learned])
        told = tree.predict(figures[~learned, None])
        hit = told == answers[~learned]
        right += np.bincount(answers[~learned][hit], minlength=classes)
    return float((right[counted] / rows[counted]).mean()) if counted.any() else 0.0
