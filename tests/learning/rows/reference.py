"""Cleaning and dealing as first written, by frames: what the arrays must equal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.arrays import Folds, Keys, Mask
from learning.reading.mixing import mixed
from learning.rows.cleaning import CONFLICT, DUPLICATE, NO_TEXT, REPLACED
from learning.rows.splits import Strata
from schemas.dataset import Dataset, EmbeddingColumn, TextColumn
from schemas.faults import DataRejected
from schemas.manifest import KEY, LABEL, ROW, WEIGHT


@dataclass(frozen=True)
class Cleaned:
    """What is left, in order, and how many rows each rule dropped; idle rules are left out."""

    frame: pd.DataFrame
    dropped: dict[str, int]


def clean(
    frame: pd.DataFrame,  # prepared rows of all objects, joined in the order of their names
    dataset: Dataset,
) -> Cleaned:
    """The rules in their order: corrections by key, missing texts, conflicts, duplicates.

    Conflicts are settled before duplicates go, so that every row has its vote. Rows conflict
    where any of their labels differ, and vote for all of their labels together. With a key no
    conflict is looked for: rows of one key replace each other, and two keys are two cases even
    where their cells are alike. Where rows have weights, these are their votes, and the first of
    several duplicates takes over the weights of all.
    """
    dropped = {}
    for rule, drops in _rules(dataset).items():
        mask = drops(frame)
        if mask.any():
            dropped[rule] = int(mask.sum())
            if rule == DUPLICATE and WEIGHT in frame:
                frame = _with_summed_weights(frame, dataset)
            frame = frame[~mask]
    return Cleaned(frame.reset_index(drop=True), dropped)


def _rules(dataset: Dataset) -> dict[str, Callable[[pd.DataFrame], Mask]]:
    cleaning = dataset.cleaning
    rules: dict[str, Callable[[pd.DataFrame], Mask]] = {}
    written = [name for name, column in dataset.columns.items() if isinstance(column, TextColumn)]
    if dataset.key is not None:
        rules[REPLACED] = _replaced
    if written:
        rules[NO_TEXT] = lambda frame: _wordless(frame, written, cleaning.missing_text == "reject")
    conflicts = cleaning.conflicts or ("majority" if written else "keep")
    if dataset.key is None and conflicts != "keep":
        rules[CONFLICT] = lambda frame: _conflicting(frame, conflicts == "majority")
    if (cleaning.duplicates or ("drop" if written else "keep")) == "drop":
        rules[DUPLICATE] = lambda frame: _repeated(frame, dataset)
    return rules


def _labels(frame: pd.DataFrame) -> list[str]:
    return [column for column in frame.columns if column.startswith(LABEL)]


def _repeated(frame: pd.DataFrame, dataset: Dataset) -> Mask:
    """Rows equal in every feature and all labels to an earlier one."""
    return _compared(frame, dataset).duplicated().to_numpy()


def _with_summed_weights(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Each of several duplicates has the weight of all; which of them stays is another's matter."""
    cells = _compared(frame, dataset)
    cells = cells[cells.duplicated(keep=False)]
    same = frame[WEIGHT].groupby(cells.groupby(list(cells), sort=False, dropna=False).ngroup())
    return frame.assign(**{WEIGHT: same.transform("sum").fillna(frame[WEIGHT])})


def _compared(frame: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The cells that make two rows duplicates."""
    cells = frame[[*dataset.columns, *_labels(frame)]]
    for name, column in dataset.columns.items():
        if isinstance(column, EmbeddingColumn):  # lists can't be compared by hash
            cells = cells.assign(**{name: [_vector_bytes(cell) for cell in cells[name]]})
    return cells


def _vector_bytes(cell: Sequence[float]) -> bytes:
    return (np.asarray(cell, dtype=np.float32) + np.float32(0)).tobytes()  # -0.0 is 0.0


def _replaced(frame: pd.DataFrame) -> Mask:
    return frame.duplicated(KEY, keep="last").to_numpy()


def _wordless(frame: pd.DataFrame, written: list[str], reject: bool) -> Mask:
    """Rows of which every text column is missing or blank."""
    blank = np.ones(len(frame), dtype=bool)
    for name in written:
        blank &= (frame[name].fillna("").str.strip() == "").to_numpy()
    if reject and blank.any():
        rows = frame.loc[blank, ROW].head(5).tolist()
        raise DataRejected(
            f"Expected a text in every row, got {int(blank.sum()):,} rows without one "
            f"({', '.join(rows)}). Correct them, or set dataset.cleaning.missing_text to drop."
        )
    return blank


def _conflicting(frame: pd.DataFrame, majority_stays: bool) -> Mask:
    """Rows of a case that has several labels, less those of its majority where one is asked for."""
    answer = [KEY, *_labels(frame)]
    by_answer = frame.groupby(answer, sort=False)
    counted = by_answer[WEIGHT].sum() if WEIGHT in frame else by_answer.size()
    votes = counted.rename("votes").reset_index()
    by_case = votes.groupby(KEY)["votes"]
    votes["answers"] = by_case.transform("size")
    votes["most"] = by_case.transform("max")
    leading = np.isclose(votes["votes"], votes["most"], rtol=1e-9, atol=0)  # 0.1 + 0.2 ties 0.3
    leading = pd.Series(leading, index=votes.index)
    sole = leading.groupby(votes[KEY]).transform("sum") == 1
    votes["stays"] = (votes["answers"] == 1) | (leading & sole & majority_stays)
    stays = votes.set_index(answer)["stays"]
    return ~stays.reindex(pd.MultiIndex.from_frame(frame[answer])).to_numpy(dtype=bool)


def assign_folds(keys: Keys, strata: Strata, folds: int, seed: int) -> Folds:
    place, order = _dealing(keys, strata, f"folds {seed}")
    dealt = np.empty(len(order), dtype=np.int32)
    dealt[order] = np.int32(1) << (np.arange(len(order), dtype=np.int32) % folds)
    return dealt[place]


def assign_shuffles(keys: Keys, strata: Strata, splits: int, share: float, seed: int) -> Folds:
    drawn = np.zeros(len(keys), dtype=np.int32)
    for split in range(splits):
        place, order = _dealing(keys, strata, f"shuffle {seed} {split}")
        groups = len(order)
        wanted = min(max(1, round(share * groups)), groups - 1)
        start = int(mixed(np.array([split], dtype=np.uint64), f"start {seed}")[0] % groups)
        steps = (np.arange(groups + 1) * wanted + start) // groups
        scored = np.empty(groups, dtype=bool)
        scored[order] = np.diff(steps) > 0
        drawn |= scored[place].astype(np.int32) << np.int32(split)
    return drawn


def _dealing(keys: Keys, strata: Strata, salt: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    groups, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(strata)
    rarity = np.empty(len(counts), dtype=np.int64)
    rarity[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    rarest = np.full(len(groups), np.iinfo(np.int64).max)
    np.minimum.at(rarest, place, rarity[strata])
    return place, np.lexsort((mixed(groups, salt), rarest))
