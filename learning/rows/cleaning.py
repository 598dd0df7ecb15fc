"""Drops rows that are valid but of no use, by the stated rules, and counts every drop."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learning.arrays import Keys, Mask, Weights
from learning.reading.mixing import absorb
from learning.reading.wording import amount
from learning.rows.grouping import grouped
from learning.rows.stubs import Stubs, asked_for
from schemas.dataset import Dataset, TextColumn
from schemas.faults import DataRejected
from schemas.manifest import BLANK, CELLS, ROW

REPLACED = "replaced by a later row with the same key"
NO_TEXT = "missing or blank text"
CONFLICT = "conflicting labels of the same case"
DUPLICATE = "duplicate of an earlier row"


@dataclass(frozen=True)
class Cleaned:
    """What is left, in order, and how many rows each rule dropped; idle rules are left out."""

    stubs: Stubs
    dropped: dict[str, int]


def needed(dataset: Dataset) -> list[str]:
    """Our columns that the rules look at, beside labels, keys and weights."""
    columns = [BLANK] if _written(dataset) else []
    columns += [ROW] if columns and dataset.cleaning.missing_text == "reject" else []
    return [*columns, CELLS] if _drops_duplicates(dataset) else columns


def clean(
    stubs: Stubs,  # rows of all objects, in the order of their names
    dataset: Dataset,
    reference: Callable[[int, int], str],  # of a row's place and number, for messages
) -> Cleaned:
    """The rules in their order: corrections by key, missing texts, conflicts, duplicates.

    Conflicts are settled before duplicates go, so that every row has its vote. Rows conflict
    where any of their labels differ, and vote for all of their labels together. With a key no
    conflict is looked for: rows of one key replace each other, and two keys are two cases even
    where their cells are alike. Where rows have weights, these are their votes, and the first of
    several duplicates takes over the weights of all.
    """
    dropped = {}
    for rule, drops in _rules(dataset, reference).items():
        mask = drops(stubs)
        if mask.any():
            dropped[rule] = int(mask.sum())
            if rule == DUPLICATE and stubs.weights is not None:
                stubs = _with_summed_weights(stubs)
            stubs = stubs.of(~mask)
    return Cleaned(stubs, dropped)


def _rules(
    dataset: Dataset, reference: Callable[[int, int], str]
) -> dict[str, Callable[[Stubs], Mask]]:
    cleaning, rules = dataset.cleaning, dict[str, Callable[[Stubs], Mask]]()
    if dataset.key is not None:
        rules[REPLACED] = lambda stubs: _repeated(stubs.keys[::-1])[::-1]
    if _written(dataset):
        rules[NO_TEXT] = lambda stubs: asked_for(stubs.blank)
        if cleaning.missing_text == "reject":
            rules[NO_TEXT] = lambda stubs: _refuse_wordless(stubs, reference)
    conflicts = cleaning.conflicts or ("majority" if _written(dataset) else "keep")
    if dataset.key is None and conflicts != "keep":
        rules[CONFLICT] = lambda stubs: _conflicting(stubs, conflicts == "majority")
    if _drops_duplicates(dataset):
        rules[DUPLICATE] = lambda stubs: _repeated(_answers(asked_for(stubs.cells), stubs))
    return rules


def _written(dataset: Dataset) -> bool:
    return any(isinstance(column, TextColumn) for column in dataset.columns.values())


def _drops_duplicates(dataset: Dataset) -> bool:
    return (dataset.cleaning.duplicates or ("drop" if _written(dataset) else "keep")) == "drop"


def _answers(cases: Keys, stubs: Stubs) -> Keys:
    """A hash of each row's case together with all of its labels."""
    answers = cases.copy()
    for column in stubs.labels.T:
        absorb(answers, column.astype(np.uint64))
    return answers


def _repeated(names: Keys) -> Mask:
    """(rows,) true where an earlier row has the same name."""
    groups, repeated = grouped(names), np.zeros(len(names), dtype=bool)
    repeated[groups.order[~groups.opens]] = True
    return repeated


def _with_summed_weights(stubs: Stubs) -> Stubs:
    """Each of several duplicates has the weight of all; which of them stays is another's matter."""
    groups = grouped(_answers(asked_for(stubs.cells), stubs))
    sums = np.add.reduceat(asked_for(stubs.weights)[groups.order], groups.starts)
    return replace(stubs, weights=groups.spread(sums))


def _refuse_wordless(stubs: Stubs, reference: Callable[[int, int], str]) -> Mask:
    blank = asked_for(stubs.blank)
    rows, numbers = np.flatnonzero(blank), asked_for(stubs.numbers)
    if len(rows):
        places = rows if stubs.places is None else stubs.places[rows]
        first = zip(places[:5].tolist(), numbers[rows[:5]].tolist(), strict=True)
        raise DataRejected(
            f"Expected a text in every row, got {amount(len(rows), 'row')} without one "
            f"({', '.join(reference(*each) for each in first)}). Correct them, or set "
            "dataset.cleaning.missing_text to drop."
        )
    return blank


def _conflicting(stubs: Stubs, majority_stays: bool) -> Mask:
    """Rows of a case that has several labels, less those of its majority where one is asked for."""
    cases, answers = grouped(stubs.keys), grouped(_answers(stubs.keys, stubs))
    ones = np.ones(len(stubs)) if stubs.weights is None else stubs.weights
    votes = np.add.reduceat(ones[answers.order], answers.starts)
    case = cases.spread(np.arange(len(cases.starts)))[answers.order[answers.starts]]
    stays = np.bincount(case)[case] == 1
    if majority_stays:
        stays |= _leads_alone(votes, case)
    return ~answers.spread(stays)


def _leads_alone(
    votes: Weights,  # of each answer
    case: NDArray[np.intp],  # that it is an answer to
) -> Mask:
    most = np.zeros(len(case))  # of each case; there are no more cases than answers
    np.maximum.at(most, case, votes)
    leading = np.isclose(votes, most[case], rtol=1e-9, atol=0)  # 0.1 + 0.2 ties 0.3
    alone: Mask = leading & (np.bincount(case, leading)[case] == 1)
    return alone
