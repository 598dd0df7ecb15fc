"""From objects to rows: what is at the source, what is new, and the two sides that a night uses.

An object is read once for ever: its valid rows are kept as a shard, under a name made from its
content and what the plan says about columns. Tasks hand on references; no frame leaves a function.
"""

import fnmatch
import hashlib
import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import ValidationError

from learning.arrays import Mask
from learning.cleaning import Cleaned, clean
from learning.files import SUFFIXES
from learning.splits import assign_folds, on_holdout, on_holdout_by_time, time_cutoff
from learning.tables import read_table
from schemas.dataset import Floors
from schemas.faults import DataRejected, NightFailed
from schemas.label import SingleLabel
from schemas.manifest import FOLD, KEY, LABEL, TIME, Changes, Manifest, Rows, Shard
from schemas.plan import HashSplit, Plan, TimeSplit
from schemas.store import ObjectRef, Store, name_fault, shown_name

MOST_FAULTS = 10
"""Objects whose faults one message tells; the others are counted."""


def scan(store: Store, pattern: str, source: str) -> Manifest:
    """Every object that matches the pattern and is of a kind we read."""
    matching = _matching(store, pattern)
    hostile = [(ref.name, name_fault(ref.name)) for ref in matching if name_fault(ref.name)]
    if hostile:
        told = "; ".join(f"{shown_name(name)!r} has {fault}" for name, fault in hostile)
        raise DataRejected(f"Expected plain object names in {source}, got {told}. Rename them.")
    objects = tuple(ref for ref in matching if ref.name.endswith(SUFFIXES))
    if not objects:
        others = f"; {len(matching)} of other kinds" if matching else ""
        raise DataRejected(
            f"Expected at least one object in {source} that matches {pattern!r} and ends in "
            f"{', '.join(SUFFIXES)}, got none{others}. Put data there, or correct dataset.pattern."
        )
    return Manifest(source=source, objects=objects)


def overlooked(store: Store, pattern: str) -> tuple[str, ...]:
    """Names that match the pattern but are of a kind we don't read."""
    return tuple(
        shown_name(ref.name) for ref in _matching(store, pattern) if not ref.name.endswith(SUFFIXES)
    )


def changes(manifest: Manifest, previous: Manifest | None) -> Changes:
    """What is new against an earlier manifest; everything is, where there is none."""
    now = {ref.name: (ref.size, ref.crc32c) for ref in manifest.objects}
    before = {ref.name: (ref.size, ref.crc32c) for ref in previous.objects} if previous else {}
    return Changes(
        new=tuple(name for name in now if name not in before),
        changed=tuple(name for name in now if name in before and now[name] != before[name]),
        vanished=tuple(name for name in before if name not in now),
    )


def ingest(
    store: Store,
    manifest: Manifest,
    plan: Plan,
    cache: Path,
    on_read: Callable[[str], object] = len,  # told the name of each object that was really read
) -> tuple[Shard, ...]:
    """A shard an object, in the manifest's order. The faults of all objects are told at once.

    Raises
    ------
    ObjectMissing
        An object changed since the scan: nothing of this manifest can be trusted.
    """
    shards, faults = [], []
    for ref in manifest.objects:
        path = cache / "shards" / f"{_shard_key(ref, plan)}.parquet"
        rows = _rows_kept(path)
        if rows is None:
            try:
                rows = _read(store, ref, plan, path)
            except DataRejected as fault:
                faults.append(str(fault))
                continue
            on_read(ref.name)
        shards.append(Shard(object_name=ref.name, path=str(path), rows=rows))
    if faults:
        more = len(faults) - MOST_FAULTS
        told = [*faults[:MOST_FAULTS], *([f"... and {more} more objects"] if more > 0 else [])]
        raise DataRejected("\n".join(told))
    return tuple(shards)


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
    held, cutoff = _holdout(cleaned.frame, plan, not_before)
    texts = plan.class_texts
    rows = Rows(
        digest=digest,
        train_counts=_counts(cleaned.frame[~held], len(texts)),
        holdout_counts=_counts(cleaned.frame[held], len(texts)),
        dropped=cleaned.dropped,
        cutoff=cutoff,
        **_places(folder),
    )
    _refuse_too_little(rows, texts, plan.dataset.floors)
    _write(cleaned, held, plan, rows, folder)
    return rows


def _matching(store: Store, pattern: str) -> list[ObjectRef]:
    return [ref for ref in store.list() if fnmatch.fnmatchcase(ref.name, pattern)]


def _shard_key(ref: ObjectRef, plan: Plan) -> str:
    """Object and meaning of its columns; the release, since a later one may read differently."""
    meaning = plan.dataset.model_dump_json(include={"columns", "ignore", "key", "time"})
    return _digest(ref.name, ref.size, ref.crc32c, meaning, plan.label.model_dump_json())


def _rows_digest(shards: Sequence[Shard], plan: Plan, not_before: datetime | None) -> str:
    return _digest(
        *(Path(shard.path).stem for shard in shards),
        plan.dataset.model_dump_json(exclude={"source", "pattern"}),
        plan.label.model_dump_json(),
        plan.split.model_dump_json(),
        plan.search.folds,
        plan.search.seed,
        not_before.isoformat() if not_before and isinstance(plan.split, TimeSplit) else "",
    )


def _digest(*parts: object) -> str:
    release = importlib.metadata.version("nightshift")
    return hashlib.sha256("\n".join(map(str, (release, *parts))).encode()).hexdigest()[:16]


def _rows_kept(path: Path) -> int | None:
    """Nothing for a shard that is not there or was damaged: then its object is read again."""
    try:
        return int(pa_parquet.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _read(store: Store, ref: ObjectRef, plan: Plan, shard: Path) -> int:
    shard.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shard.parent, prefix=".reading-") as folder:
        # Never the object's own name: producers choose that.
        copy, part = Path(folder) / "object", Path(folder) / "rows"
        store.download(ref, copy)
        frame = read_table(copy, ref.name, plan.dataset, _single(plan))
        _write_parquet(frame, part)
        part.replace(shard)
    return len(frame)


def _frame(shards: Iterable[Shard]) -> pd.DataFrame:
    try:
        frames = [pa_parquet.read_table(shard.path).to_pandas() for shard in shards]
    except (OSError, pa.ArrowException) as fault:
        raise NightFailed(
            "Expected the shards of this scan under NIGHTSHIFT_HOME/cache/shards, got one that "
            "can't be read. Remove that folder; the next start reads all objects again."
        ) from fault
    whole: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return whole


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


def _counts(side: pd.DataFrame, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(side[LABEL].to_numpy(), minlength=classes).tolist())


def _refuse_too_little(rows: Rows, texts: Sequence[str], floors: Floors) -> None:
    """All floors at once; the counts are of labels, which may be shown."""
    faults = []
    present = [text for text, count in zip(texts, rows.train_counts, strict=True) if count]
    if len(present) < 2:
        faults.append(f"expected at least two classes, got {' and '.join(present) or 'none'}")
    if rows.n_train < floors.rows:
        faults.append(f"expected at least {floors.rows:,} rows (dataset.floors.rows)")
    few = [
        f"{text!r} has {count}"
        for text, count in zip(texts, rows.train_counts, strict=True)
        if count < floors.rows_per_class
    ]
    if few:
        faults.append(
            f"expected at least {floors.rows_per_class} rows of each class "
            f"(dataset.floors.rows_per_class), got too few: {', '.join(few)}"
        )
    if rows.n_holdout == 0:
        faults.append("expected rows on the holdout, got none (split.holdout_share)")
    if faults:
        raise DataRejected(
            f"Too little to train on: {'; '.join(faults)}. Got {rows.n_train:,} rows for training "
            f"and {rows.n_holdout:,} for the holdout{_dropped(rows)}. Add labelled rows, or lower "
            f"the floor in the plan."
        )


def _dropped(rows: Rows) -> str:
    told = [f"{count:,} {reason}" for reason, count in rows.dropped.items() if count]
    return f", after leaving out {', '.join(told)}" if told else ""


def _made(folder: Path) -> Rows | None:
    """What an earlier attempt left, if all of it can be read."""
    try:
        rows = Rows.model_validate_json((folder / "rows.json").read_bytes())
    except (OSError, ValidationError):
        return None
    rows = rows.model_copy(update=_places(folder))
    sides = (_rows_kept(Path(rows.train)), _rows_kept(Path(rows.holdout)))
    return rows if sides == (rows.n_train, rows.n_holdout) else None


def _write(cleaned: Cleaned, held: Mask, plan: Plan, rows: Rows, folder: Path) -> None:
    """Both sides and their counts appear together: a kill leaves nothing half made."""
    train, holdout = cleaned.frame[~held], cleaned.frame[held]
    folds = assign_folds(
        train[KEY].to_numpy(), train[LABEL].to_numpy(), plan.search.folds, plan.search.seed
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as name:
        made = Path(name) / folder.name
        made.mkdir()
        _write_parquet(train.assign(**{FOLD: folds}), made / "train.parquet")
        _write_parquet(holdout, made / "holdout.parquet")
        (made / "rows.json").write_text(rows.model_dump_json(), encoding="utf-8")
        if _made(folder) is not None:
            return  # another run made the same files meanwhile
        shutil.rmtree(folder, ignore_errors=True)  # damaged, or it would have been used
        made.rename(folder)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    # pyarrow asks pandas 3.1 for zoned times in a way that warns: they pass as naive UTC.
    naive = frame.assign(**{TIME: frame[TIME].dt.tz_convert(None)}) if TIME in frame else frame
    table = pa.Table.from_pandas(naive, preserve_index=False).replace_schema_metadata(None)
    if TIME in frame:
        zoned = table[TIME].cast(pa.timestamp("us", "UTC"))
        table = table.set_column(table.column_names.index(TIME), TIME, zoned)
    pa_parquet.write_table(table, path)


def _places(folder: Path) -> dict[str, Any]:
    return {"train": str(folder / "train.parquet"), "holdout": str(folder / "holdout.parquet")}


def _single(plan: Plan) -> SingleLabel:
    if not isinstance(plan.label, SingleLabel):
        raise NightFailed(f"Expected a plan with one label, got label.kind {plan.label.kind!r}.")
    return plan.label


def _may_pass(_task: object, _run: object, state: Any) -> bool:
    """Bad data stays bad; a disk or a mount may come back."""
    return isinstance(state.result(raise_on_failure=False), NightFailed)


@task(
    name="scan",
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=_may_pass,
    timeout_seconds=600,
    cache_policy=NO_CACHE,
)
def scan_source(store: Store, pattern: str, source: str) -> Manifest:
    """`scan`, with the objects that nobody will read."""
    log = get_run_logger()
    for name in overlooked(store, pattern):
        log.warning("not read, since it ends in none of %s: %s", ", ".join(SUFFIXES), name)
    manifest = scan(store, pattern, source)
    size_mb = sum(ref.size for ref in manifest.objects) / 1e6
    log.info("objects in %s: %d (%.1f MB)", source, len(manifest.objects), size_mb)
    return manifest


@task(
    name="ingest",
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=_may_pass,
    timeout_seconds=3600,
    cache_policy=NO_CACHE,
)
def ingest_objects(store: Store, manifest: Manifest, plan: Plan, cache: Path) -> tuple[Shard, ...]:
    """`ingest`, with how much of it was known from earlier nights."""
    read: list[str] = []
    shards = ingest(store, manifest, plan, cache, read.append)
    get_run_logger().info(
        "objects read: %d, known from earlier nights: %d; %s valid rows",
        len(read),
        len(shards) - len(read),
        f"{sum(shard.rows for shard in shards):,}",
    )
    return shards


@task(name="assemble", cache_policy=NO_CACHE)
def assemble_rows(
    shards: Sequence[Shard], plan: Plan, work: Path, not_before: datetime | None = None
) -> Rows:
    """`assemble`, with what was kept and what each class has on either side."""
    rows = assemble(shards, plan, work, not_before)
    kept = rows.n_train + rows.n_holdout
    counts = zip(plan.class_texts, rows.train_counts, rows.holdout_counts, strict=True)
    get_run_logger().info(
        "kept %s of %s rows%s: %s for training, %s for the holdout (%s)",
        f"{kept:,}",
        f"{sum(shard.rows for shard in shards):,}",
        _dropped(rows),
        f"{rows.n_train:,}",
        f"{rows.n_holdout:,}",
        "; ".join(f"{text}: {train:,} + {held:,}" for text, train, held in counts),
    )
    return rows
