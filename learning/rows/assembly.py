"""From shards to the two sides of a night: cleaned, split and dealt to folds, kept as two indexes.

Only the small columns of the shards are read, and no feature is copied. Made once for equal content
and settings; both files appear together.
"""

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ValidationError

from learning.arrays import Folds, Keys, LabelTable, Mask
from learning.rows.cleaning import clean, needed
from learning.rows.floors import class_counts, label_notes, refuse_too_little
from learning.rows.shards import content_digest, faults_of
from learning.rows.sides import Origin, side_origins, write_side
from learning.rows.splits import (
    assign_folds,
    assign_shuffles,
    on_holdout,
    on_holdout_by_time,
    strata,
    time_cutoff,
)
from learning.rows.stubs import Stubs, asked_for, read_stubs, reference_of
from schemas.manifest import FOLD, PLACE, TIME, WEIGHT, Rows, Shard, label_columns
from schemas.plan import HashSplit, Plan, TimeSplit


def assemble(
    shards: Sequence[Shard], plan: Plan, work: Path, not_before: datetime | None = None
) -> Rows:
    """The cleaned rows of all shards as two indexes, made once for equal content and settings.

    `not_before` is the champion's cutoff where the split is by time: no later night's holdout may
    hold rows that the champion trained on.
    """
    digest = _rows_digest(shards, plan, not_before)
    folder = work / digest
    made = _made(folder, shards)
    if made is not None:
        return made
    stubs = read_stubs(shards, len(plan.targets), _asked(plan))
    cleaned = clean(stubs, plan.dataset, reference_of(shards))
    stubs = cleaned.stubs
    held, cutoff = _holdout(stubs, plan, not_before)
    with ThreadPoolExecutor(1) as beside:
        train = stubs.of(~held)
        folds = beside.submit(_folds, train.keys, train.labels, plan)  # what takes longest
        holdout = stubs.of(held)
        rows = Rows(
            digest=digest,
            train_counts=class_counts(train.labels, plan.targets),
            holdout_counts=class_counts(holdout.labels, plan.targets),
            dropped=cleaned.dropped,
            quarantined=faults_of(shards),
            cutoff=cutoff,
            notes=label_notes(plan.label, stubs.labels),
            **_places(folder),
        )
        refuse_too_little(rows, plan.targets, plan.dataset.floors)
        _write(train, folds, holdout, shards, rows, folder)
    return rows


def _rows_digest(shards: Sequence[Shard], plan: Plan, not_before: datetime | None) -> str:
    return content_digest(
        *(Path(shard.path).stem for shard in shards),
        plan.dataset.model_dump_json(exclude={"source", "pattern", "quarantine"}),
        plan.label.model_dump_json(),
        plan.split.model_dump_json(),
        plan.search.folds,
        plan.search.seed,
        plan.search.validation_share if plan.search.validation == "shuffle" else "k-fold",
        not_before.isoformat() if not_before and isinstance(plan.split, TimeSplit) else "",
    )


def _asked(plan: Plan) -> list[str]:
    """Our columns of the shards that tell which rows stay, and on which side."""
    asked = needed(plan.dataset)
    asked += [TIME] if isinstance(plan.split, TimeSplit) else []
    return asked + ([WEIGHT] if plan.dataset.weight is not None else [])


def _holdout(stubs: Stubs, plan: Plan, not_before: datetime | None) -> tuple[Mask, datetime | None]:
    if not len(stubs):
        return np.zeros(0, dtype=bool), None  # which the floors will tell
    match plan.split:
        case HashSplit() as split:
            return on_holdout(stubs.keys, split), None
        case TimeSplit(holdout_share=share):
            times = asked_for(stubs.times)
            cutoff = time_cutoff(stubs.keys, times, share, not_before)
            return on_holdout_by_time(stubs.keys, times, cutoff), cutoff


def _made(folder: Path, shards: Sequence[Shard]) -> Rows | None:
    """What an earlier attempt left, if all of it can be read and is of these very shards."""
    try:
        rows = Rows.model_validate_json((folder / "rows.json").read_bytes())
        rows = rows.model_copy(update=_places(folder))
        sides = [side_origins(side) for side in (rows.train, rows.holdout)]
    except (OSError, pa.ArrowException, ValidationError):
        return None
    counts = [count for count, _ in sides] == [rows.n_train, rows.n_holdout]
    theirs = [[(each.path, each.shard_rows) for each in origins] for _, origins in sides]
    ours = [(shard.path, shard.rows) for shard in shards]
    return rows if counts and theirs == [ours, ours] else None


def _write(
    train: Stubs,
    folds: Future[Folds],
    holdout: Stubs,
    shards: Sequence[Shard],
    rows: Rows,
    folder: Path,
) -> None:
    """Both sides and their counts appear together: a kill leaves nothing half made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as name:
        made = Path(name) / folder.name
        made.mkdir()
        write_side(*_index(holdout, shards), made / "holdout.parquet")
        index, origins = _index(train, shards)
        write_side(
            index.append_column(FOLD, pa.array(folds.result())), origins, made / "train.parquet"
        )
        (made / "rows.json").write_text(rows.model_dump_json(), encoding="utf-8")
        if _made(folder, shards) is not None:
            return  # another run made the same files meanwhile
        shutil.rmtree(folder, ignore_errors=True)  # damaged, or it would have been used
        made.rename(folder)


def _index(stubs: Stubs, shards: Sequence[Shard]) -> tuple[pa.Table, list[Origin]]:
    places = asked_for(stubs.places)
    starts = np.cumsum([0, *(shard.rows for shard in shards)])
    bounds = np.searchsorted(places, starts)
    of_shard = places.astype(np.int32)
    for start, first, end in zip(starts, bounds, bounds[1:], strict=False):
        of_shard[first:end] -= start
    index: dict[str, NDArray[Any]] = {PLACE: of_shard}
    index |= dict(zip(label_columns(stubs.labels.shape[1]), stubs.labels.T, strict=True))
    if stubs.weights is not None:
        index[WEIGHT] = stubs.weights
    origins = [
        Origin(object_name=each.object_name, path=each.path, shard_rows=each.rows, rows=int(rows))
        for each, rows in zip(shards, np.diff(bounds), strict=True)
    ]
    return pa.table(index), origins


def _folds(keys: Keys, labels: LabelTable, plan: Plan) -> Folds:
    search = plan.search
    spread = strata(labels, plan.targets, least=search.folds)
    match search.validation:
        case "k-fold":
            return assign_folds(keys, spread, search.folds, search.seed)
        case "shuffle":
            return assign_shuffles(keys, spread, search.folds, search.validation_share, search.seed)
        case _:
            assert_never(search.validation)


def _places(folder: Path) -> dict[str, Any]:
    return {"train": str(folder / "train.parquet"), "holdout": str(folder / "holdout.parquet")}
