"""A look at a plan's data before a night pays for it."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.reading.files import Reading, read_parts
from learning.reading.quarantine import message
from learning.reading.tables import read_unlabelled
from learning.rows.assembly import assemble
from learning.rows.shards import quarantine_told
from schemas.dataset import Dataset, Quarantine
from schemas.faults import DataRejected
from schemas.manifest import Manifest, Shard
from schemas.plan import Plan
from schemas.store import ObjectRef, Store
from tasks.ingestion import ingest
from tasks.scanning import look, refuse_nothing, waiting_told
from tasks.storage import open_store

MOST_OBJECTS = 5
ALL_BUT_NONE = 1 - 1e-12


@dataclass(frozen=True)
class Sample:
    """`read` of `objects` were read; `class_rows` counts their valid rows by target and class,
    before cleaning. `set_aside` says which rows a night would set aside and why, `notes` what
    else a person should know; each is empty where there is nothing to say.
    """

    objects: int
    read: int
    rows: int
    class_rows: dict[str, dict[str, int]]
    set_aside: str
    notes: tuple[str, ...]


def check_sample(plan: Plan, scratch: Path, memory: Path | None = None) -> Sample:
    """Reads the first object and the last few by name; all their faults are one `DataRejected`.

    So are rows that break the schema, where there are more of them than a night may set aside.
    Where those are all objects, they must also be enough to train on, after cleaning and split.
    """
    source = plan.dataset.source
    store = open_store(source, memory)
    listing = look(store, plan.dataset)
    refuse_nothing(listing, plan.dataset)
    found = listing.manifest.objects
    waiting = (waiting_told(listing.waiting, plan.dataset),) if listing.waiting else ()
    chosen = found if len(found) <= MOST_OBJECTS else (found[0], *found[1 - MOST_OBJECTS :])
    shards, faults = list[Shard](), list[DataRejected]()
    for ref in chosen:
        try:
            one = Manifest(source=source, objects=(ref,))
            shards += ingest(store, one, _patient(plan), scratch, None)
        except DataRejected as fault:
            faults += [fault, *_further(store, ref, plan, scratch)]
    if faults:
        raise _joined(faults, shards)
    # Once more, from the shards that are there by now: whether the rows set aside are too many.
    shards = list(ingest(store, Manifest(source=source, objects=chosen), plan, scratch, None))
    whole = len(chosen) == len(found)
    return Sample(
        objects=len(found),
        read=len(chosen),
        rows=sum(shard.rows for shard in shards),
        class_rows=_class_rows(shards, plan),
        set_aside=quarantine_told(shards) if any(shard.quarantined for shard in shards) else "",
        notes=(*waiting, *(assemble(shards, plan, scratch).notes if whole else ())),
    )


def _patient(plan: Plan) -> Plan:
    """With room for any number of rows set aside: they are told of all objects together."""
    dataset = plan.dataset.model_copy(update={"quarantine": Quarantine(max_share=ALL_BUT_NONE)})
    return plan.model_copy(update={"dataset": dataset})


def _further(store: Store, ref: ObjectRef, plan: Plan, scratch: Path) -> Iterator[DataRejected]:
    """What else is wrong with a refused object, looked at by the columns that it shares with the
    plan; nothing where its columns were not the fault.
    """
    try:
        with store.opened(ref, scratch) as file:
            names = _names(file, ref.name, plan.dataset)
            dataset = _shared(plan, names)
            if dataset == plan.dataset or not dataset.columns:
                return
            if any(target.name not in names for target in plan.targets):
                read_unlabelled(file, ref.name, dataset)  # refuses what is wrong with any row
                return
        one = Manifest(source=plan.dataset.source, objects=(ref,))
        shared = _patient(plan.model_copy(update={"dataset": dataset}))
        [shard] = ingest(store, one, shared, scratch, None)
    except DataRejected as fault:
        yield fault
        return
    if shard.findings:
        yield DataRejected(_told(shard), shard.findings)


def _names(file: Path, name: str, dataset: Dataset) -> set[str]:
    """Of all columns, by the first part of the file."""
    reading = Reading(encoding=dataset.encoding, caps=dataset.caps)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as scratch:
        return set(next(read_parts(file, name, reading, Path(scratch))).stored)


def _told(shard: Shard) -> str:
    return message(shard.findings, shard.rows + shard.quarantined)


def _shared(plan: Plan, names: set[str]) -> Dataset:
    """The plan's data set without the columns that are missing, and with those it does not know."""
    dataset = plan.dataset
    roles = {"key": dataset.key, "time": dataset.time, "weight": dataset.weight}
    known = {*dataset.columns, *roles.values(), *(target.name for target in plan.targets)}
    return dataset.model_copy(
        update={
            "columns": {name: c for name, c in dataset.columns.items() if name in names},
            "ignore": dataset.ignore | dict.fromkeys(sorted(names - known), "unknown"),
            **{role: name if name in names else None for role, name in roles.items()},
        }
    )


def _joined(faults: Sequence[DataRejected], shards: Sequence[Shard]) -> DataRejected:
    """All of them, each told once, and the rows set aside in objects that could be read."""
    told = list(dict.fromkeys(str(fault) for fault in faults))
    told += [_told(shard) for shard in shards if shard.findings]
    findings = [finding for fault in faults for finding in fault.findings]
    return DataRejected("\n".join(told), findings + [f for s in shards for f in s.findings])


def _class_rows(shards: Sequence[Shard], plan: Plan) -> dict[str, dict[str, int]]:
    by_shard = [shard.class_counts for shard in shards]
    return {
        target.name: {
            text: sum(counts[place][code] for counts in by_shard)
            for code, text in enumerate(target.class_texts)
        }
        for place, target in enumerate(plan.targets)
    }
