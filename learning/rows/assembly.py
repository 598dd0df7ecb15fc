"""From shards to the two sides of a night: cleaned, split and dealt to folds, kept as two files.

Made once for equal content and settings; both files appear together.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from pydantic import ValidationError

from learning.arrays import Folds, Keys, LabelTable, Mask
from learning.reading.tables import to_arrow
from learning.rows.cleaning import Cleaned, clean
from learning.rows.floors import class_counts, label_notes, refuse_too_little
from learning.rows.shards import content_digest, faults_of, joined
from learning.rows.splits import (
    assign_folds,
    assign_shuffles,
    on_holdout,
    on_holdout_by_time,
    strata,
    time_cutoff,
)
from schemas.faults import NightFailed
from schemas.manifest import FOLD, KEY, TIME, Rows, Shard, label_columns
from schemas.plan import HashSplit, Plan, TimeSplit


def assemble(
    shards: Sequence[Shard], plan: Plan, work: Path, not_before: datetime | None = None
) -> Rows:
    """The cleaned rows of all shards as two files, made once for equal content and settings.

    `not_before` is the champion's cutoff where the split is by time: no later night's holdout may
    hold rows that the champion trained on.
    """
    digest = _rows_digest(shards, plan, not_before)
    folder = work / digest
    made = _made(folder)
    if made is not None:
        return made
    cleaned = clean(_frame(shards), plan.dataset)
    labels = _labels(cleaned.frame, plan)
    held, cutoff = _holdout(cleaned.frame, plan, not_before)
    rows = Rows(
        digest=digest,
        train_counts=class_counts(labels[~held], plan.targets),
        holdout_counts=class_counts(labels[held], plan.targets),
        dropped=cleaned.dropped,
        quarantined=faults_of(shards),
        cutoff=cutoff,
        notes=label_notes(plan.label, labels),
        **_places(folder),
    )
    refuse_too_little(rows, plan.targets, plan.dataset.floors)
    _write(cleaned, held, plan, rows, folder)
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


def _frame(shards: Iterable[Shard]) -> pd.DataFrame:
    try:
        return joined(shard.path for shard in shards)
    except (OSError, pa.ArrowException) as fault:
        raise NightFailed(
            "Expected the shards of this scan under NIGHTSHIFT_HOME/cache/shards, got one that "
            "can't be read. Remove that folder; the next start reads all objects again."
        ) from fault


def _labels(frame: pd.DataFrame, plan: Plan) -> LabelTable:
    return frame[list(label_columns(len(plan.targets)))].to_numpy()


def _holdout(
    frame: pd.DataFrame, plan: Plan, not_before: datetime | None
) -> tuple[Mask, datetime | None]:
    keys = frame[KEY].to_numpy()
    match plan.split:
        case HashSplit() as split:
            return on_holdout(keys, split), None
        case TimeSplit(holdout_share=share):
            times = frame[TIME]
            cutoff = time_cutoff(keys, times, share, not_before)
            return on_holdout_by_time(keys, times, cutoff), cutoff


def _made(folder: Path) -> Rows | None:
    """What an earlier attempt left, if all of it can be read."""
    try:
        rows = Rows.model_validate_json((folder / "rows.json").read_bytes())
    except (OSError, ValidationError):
        return None
    rows = rows.model_copy(update=_places(folder))
    try:
        sides = tuple(
            pa_parquet.read_metadata(side).num_rows for side in (rows.train, rows.holdout)
        )
    except (OSError, pa.ArrowException):
        return None
    return rows if sides == (rows.n_train, rows.n_holdout) else None


def _write(cleaned: Cleaned, held: Mask, plan: Plan, rows: Rows, folder: Path) -> None:
    """Both sides and their counts appear together: a kill leaves nothing half made."""
    train, holdout = cleaned.frame[~held], cleaned.frame[held]
    folds = _folds(train[KEY].to_numpy(), _labels(train, plan), plan)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as name:
        made = Path(name) / folder.name
        made.mkdir()
        pa_parquet.write_table(to_arrow(train.assign(**{FOLD: folds})), made / "train.parquet")
        pa_parquet.write_table(to_arrow(holdout), made / "holdout.parquet")
        (made / "rows.json").write_text(rows.model_dump_json(), encoding="utf-8")
        if _made(folder) is not None:
            return  # another run made the same files meanwhile
        shutil.rmtree(folder, ignore_errors=True)  # damaged, or it would have been used
        made.rename(folder)


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
