"""From objects to rows: each object as a checked shard, and the two sides that a night uses.

An object is read once for ever: its valid rows are kept as a shard, under a name made from its
content and what the plan says about columns. Tasks hand on references; no frame leaves a function.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from learning.reading.caps import refuse_size
from learning.reading.quarantine import message
from learning.reading.quick_csv import Declined
from learning.reading.tables import read_table
from learning.reading.wording import amount
from learning.reports.counts import targets_told
from learning.rows.assembly import assemble
from learning.rows.exports import Aside, set_aside_in
from learning.rows.floors import left_out
from learning.rows.shards import (
    Kept,
    content_digest,
    kept_shard,
    percent,
    quarantine_name,
    quarantine_told,
    write_shard,
)
from schemas.faults import DataRejected, may_pass
from schemas.findings import Finding
from schemas.label import Target
from schemas.manifest import Manifest, Rows, Shard
from schemas.plan import Plan
from schemas.store import ObjectRef, Store

MOST_FAULTS = 10
"""Objects whose faults one message tells; the others are counted."""


def ingest(
    store: Store,
    manifest: Manifest,
    plan: Plan,
    cache: Path,
    quarantine: Path | None,  # for rows that break the schema; nowhere in a mere check
    on_read: Callable[[str], object] = len,  # told the name of each object that was really read
) -> tuple[Shard, ...]:
    """A shard an object, in the manifest's order. The faults of all objects are told at once.

    Raises
    ------
    DataRejected
        An object can't be read as a table of the plan's columns; or more rows of all objects
        together break the schema than `dataset.quarantine` allows.
    ObjectMissing
        An object changed since the scan: nothing of this manifest can be trusted.
    """
    shards, rejected, meaning = list[Shard](), list[DataRejected](), _meaning(plan)
    for ref in manifest.objects:
        key = content_digest(ref.name, ref.size, ref.crc32c, meaning)
        path = cache / "shards" / f"{key}.parquet"
        aside = quarantine and quarantine / quarantine_name(ref.name, key)
        kept = kept_shard(path)
        if kept is None or (aside and kept.quarantined and not aside.is_file()):
            try:
                kept = _read(store, ref, plan, path, aside)
            except DataRejected as fault:
                rejected.append(fault)
                continue
            on_read(ref.name)
        shards.append(_shard(ref, path, kept, aside))
    if rejected:
        findings = [finding for fault in rejected for finding in fault.findings]
        raise DataRejected(_first_of(list(map(str, rejected))), findings + _findings(shards))
    _refuse_too_many(shards, plan.dataset.quarantine.max_share, quarantine)
    return tuple(shards)


def _meaning(plan: Plan) -> str:
    """What the plan says of columns, and so what a shard of an object holds."""
    columns = plan.dataset.model_dump_json(
        include={
            *("columns", "ignore", "encoding"),
            *("key", "time", "time_format", "time_zone", "weight"),
        }
    )
    return f"{columns}\n{plan.label.model_dump_json()}"


def _read(store: Store, ref: ObjectRef, plan: Plan, shard: Path, aside: Path | None) -> Kept:
    refuse_size(ref.name, ref.size, plan.dataset.caps)
    shard.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shard.parent, prefix=".reading-") as folder:
        part = Path(folder) / "rows"
        with ExitStack() as opened:
            # First, so that it ends last: no rows are set aside of an object that changed.
            rows = opened.enter_context(set_aside_in(aside)) if aside is not None else None
            file = opened.enter_context(store.opened(ref, Path(folder)))
            kept = _written(file, ref.name, plan, part, rows)
        part.replace(shard)  # last: a shard promises that the rest of its object is set aside
    return kept


def _written(file: Path, name: str, plan: Plan, part: Path, aside: Aside | None) -> Kept:
    """By the quick reader where that will do, else by the exact one, which tells what is wrong."""
    read = partial(read_table, file, name, plan.dataset, plan.targets, part.parent)
    write = partial(write_shard, path=part, name=name, targets=plan.targets)
    try:
        return write(read(quick=True), set_aside=aside.add if aside else len)
    except Declined:
        if aside:
            aside.clear()
        return write(read(quick=False), set_aside=aside.add if aside else len)


def _shard(ref: ObjectRef, path: Path, kept: Kept, aside: Path | None) -> Shard:
    return Shard(
        object_name=ref.name,
        path=str(path),
        rows=kept.rows,
        quarantined=kept.quarantined,
        quarantine=str(aside) if aside is not None and kept.quarantined else "",
        faults=kept.faults,
        findings=kept.findings,
        class_counts=kept.class_counts,
        missing=kept.missing,
        stored=kept.stored,
    )


def _refuse_too_many(shards: Sequence[Shard], most: float, quarantine: Path | None) -> None:
    broken = sum(shard.quarantined for shard in shards)
    rows = broken + sum(shard.rows for shard in shards)
    if not rows or broken / rows <= most:
        return
    told = [message(s.findings, s.rows + s.quarantined) for s in shards if s.findings]
    where = f" Each row stands with its reasons in {quarantine}." if quarantine else ""
    raise DataRejected(
        f"Expected at most {percent(most)} of the rows to break the schema "
        f"(dataset.quarantine.max_share), got {quarantine_told(shards)}.\n{_first_of(told)}\n"
        f"Or raise dataset.quarantine.max_share.{where}",
        _findings(shards),
    )


def _findings(shards: Sequence[Shard]) -> list[Finding]:
    return [finding for shard in shards for finding in shard.findings]


def _first_of(told: Sequence[str]) -> str:
    more = len(told) - MOST_FAULTS
    return "\n".join(
        [*told[:MOST_FAULTS], *([f"... and {amount(more, 'more object')}"] if more > 0 else [])]
    )


@task(
    name="ingest",
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=lambda _task, _run, state: may_pass(state.result(raise_on_failure=False)),
    timeout_seconds=3600,
    cache_policy=NO_CACHE,
)
def ingest_objects(
    store: Store, manifest: Manifest, plan: Plan, cache: Path, quarantine: Path
) -> tuple[Shard, ...]:
    """`ingest`, with how much of it was known from earlier nights and what was set aside."""
    log, read = get_run_logger(), list[str]()
    shards = ingest(store, manifest, plan, cache, quarantine, read.append)
    log.info(
        "objects read: %d, known from earlier nights: %d; %s",
        len(read),
        len(shards) - len(read),
        amount(sum(shard.rows for shard in shards), "valid row"),
    )
    if any(shard.quarantined for shard in shards):
        log.warning("set aside %s; see %s", quarantine_told(shards), quarantine)
    return shards


@task(name="assemble", cache_policy=NO_CACHE)
def assemble_rows(
    shards: Sequence[Shard], plan: Plan, work: Path, not_before: datetime | None = None
) -> Rows:
    """`assemble`, with what was kept and what each class of each target has on either side."""
    log = get_run_logger()
    rows = assemble(shards, plan, work, not_before)
    log.info(
        "kept %s of %s%s: %s for training, %s for the holdout",
        f"{rows.n_train + rows.n_holdout:,}",
        amount(sum(shard.rows for shard in shards), "valid row"),
        left_out(rows),
        f"{rows.n_train:,}",
        f"{rows.n_holdout:,}",
    )
    for told in targets_told(_on_both_sides(rows, plan.targets)):
        log.info("rows of each class, training + holdout (all in night.json): %s", told)
    for note in rows.notes:
        log.warning("%s", note)
    return rows


def _on_both_sides(rows: Rows, targets: Sequence[Target]) -> dict[str, dict[str, tuple[int, int]]]:
    sides = zip(targets, rows.train_counts, rows.holdout_counts, strict=True)
    return {
        target.name: dict(zip(target.class_texts, zip(train, held, strict=True), strict=True))
        for target, train, held in sides
    }
