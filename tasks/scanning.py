"""What stands at the source, which of it may be read, and what is new since an earlier night."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from learning.reading.files import SUFFIXES
from schemas.dataset import Dataset
from schemas.faults import DataRejected, may_pass
from schemas.findings import Finding
from schemas.manifest import Changes, Manifest
from schemas.store import ObjectRef, Store, name_fault, shown_name

MOST_NAMES = 10
"""Objects that one message names; the others are counted."""

_PICKLE = re.compile(r"\.(pkl|pickle|joblib)(\.(gz|bz2|xz|z))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Listing:
    """One look at the source: what may be read, and what matches but may not.

    `waiting` are objects in folders without their marker, `overlooked` those of kinds that we do
    not read; both are names as messages show them.
    """

    manifest: Manifest
    waiting: tuple[str, ...] = ()
    overlooked: tuple[str, ...] = ()


def look(store: Store, dataset: Dataset) -> Listing:
    """All that matches the plan's pattern, by one listing; the manifest may be empty.

    Raises
    ------
    DataRejected
        An object has a name that no honest producer gives, or is a pickle by its name.
    """
    matching, marked = _matching(store, dataset)
    _refuse_hostile(matching, dataset.source)
    readable = [ref for ref in matching if ref.name.endswith(SUFFIXES)]
    others = [ref.name for ref in matching if not ref.name.endswith(SUFFIXES)]
    _refuse_pickles(others, dataset.source)
    ready = [ref for ref in readable if marked is None or _folder(ref.name) in marked]
    waits = [ref.name for ref in readable if marked is not None and _folder(ref.name) not in marked]
    return Listing(
        manifest=Manifest(source=dataset.source, objects=tuple(ready)),
        waiting=tuple(map(shown_name, waits)),
        overlooked=tuple(map(shown_name, others)),
    )


def scan(store: Store, dataset: Dataset) -> Manifest:
    """Every object that may be read now; `DataRejected` where there is none."""
    found = look(store, dataset)
    refuse_nothing(found, dataset)
    return found.manifest


def refuse_nothing(found: Listing, dataset: Dataset) -> None:
    """`DataRejected` where no object may be read."""
    if found.manifest.objects:
        return
    others = f"; {len(found.overlooked)} of other kinds" if found.overlooked else ""
    waiting = f"; {waiting_told(found.waiting, dataset)}" if found.waiting else ""
    raise DataRejected(
        f"Expected at least one object in {dataset.source} that matches {dataset.pattern!r} and "
        f"ends in {', '.join(SUFFIXES)}, got none{others}{waiting}. Put data there, or correct "
        f"dataset.pattern."
    )


def waiting_told(waiting: Sequence[str], dataset: Dataset) -> str:
    """Which objects wait, and for what."""
    return f"{len(waiting)} wait for {dataset.marker!r} in their folder: {named(waiting)}"


def changes(manifest: Manifest, previous: Manifest | None, waiting: Iterable[str] = ()) -> Changes:
    """What is new against an earlier manifest; everything is, where there is none.

    What waits again for its folder's marker has not vanished: its producer is at work on it.
    """
    now = {ref.name: (ref.size, ref.crc32c) for ref in manifest.objects}
    before = {ref.name: (ref.size, ref.crc32c) for ref in previous.objects} if previous else {}
    there = now.keys() | set(waiting)
    return Changes(
        new=tuple(name for name in now if name not in before),
        changed=tuple(name for name in now if name in before and now[name] != before[name]),
        vanished=tuple(name for name in before if name not in there),
    )


def named(names: Sequence[str]) -> str:
    """The first names of a list that may be long."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _matching(store: Store, dataset: Dataset) -> tuple[list[ObjectRef], set[str] | None]:
    """What the pattern asks for, and the folders that hold a marker; None where none is needed.

    The pattern need not match a marker, and a marker is never data.
    """
    if dataset.marker is None:
        return [r for r in store.list() if fnmatch.fnmatchcase(r.name, dataset.pattern)], None
    matching: list[ObjectRef] = []
    marked: set[str] = set()
    for ref in store.list():
        folder, _, last = ref.name.rpartition("/")
        if last == dataset.marker:
            marked.add(folder)
        elif fnmatch.fnmatchcase(ref.name, dataset.pattern):
            matching.append(ref)
    return matching, marked


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _refuse_hostile(matching: Iterable[ObjectRef], source: str) -> None:
    found = [(shown_name(ref.name), fault) for ref in matching if (fault := name_fault(ref.name))]
    if not found:
        return
    expected, todo = "a plain object name", "Rename it."
    told = named([f"'{name}' has {fault}" for name, fault in found])
    raise DataRejected(
        f"Expected plain object names in {source}, got {told}. Rename them.",
        [Finding(object_name=n, expected=expected, got=fault, todo=todo) for n, fault in found],
    )


def _refuse_pickles(others: Iterable[str], source: str) -> None:
    """By name, before anything is fetched; one under another name is told where it is read."""
    found = [shown_name(name) for name in others if _PICKLE.search(name)]
    if not found:
        return
    todo = (
        "Loading a pickle runs whatever code it holds, so none is ever read. Where you trust "
        "whoever wrote it, `nightshift data convert --trusted FILE` makes Parquet of it; or leave "
        "it out by dataset.pattern."
    )
    raise DataRejected(
        f"Expected tables in {source}, got pickles by their names: {named(found)}. {todo}",
        [
            Finding(object_name=name, expected="a table", got="a pickle by its name", todo=todo)
            for name in found
        ],
    )


@task(
    name="scan",
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=lambda _task, _run, state: may_pass(state.result(raise_on_failure=False)),
    timeout_seconds=600,
    cache_policy=NO_CACHE,
)
def scan_source(store: Store, dataset: Dataset) -> Listing:
    """`look`, with the objects that nobody will read and those that wait."""
    log = get_run_logger()
    found = look(store, dataset)
    if found.overlooked:
        kinds = ", ".join(SUFFIXES)
        log.warning("not read, since they end in none of %s: %s", kinds, named(found.overlooked))
    if found.waiting:
        log.info("%s", waiting_told(found.waiting, dataset))
    size_mb = sum(ref.size for ref in found.manifest.objects) / 1e6
    log.info("objects in %s: %d (%.1f MB)", dataset.source, len(found.manifest.objects), size_mb)
    if not found.waiting:
        refuse_nothing(found, dataset)
    return found
