"""First contact with a file: a plan for it, from a sample of its rows."""

import fnmatch
import os
import re
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from deployments.drafting import Place, draft
from deployments.plans import load_plan
from learning.profiling.excerpts import Excerpt, excerpt
from learning.profiling.guesses import Guesses, guess
from learning.reading.caps import refuse_size
from learning.reading.contents import Contents
from learning.reading.files import SUFFIXES
from learning.reading.wording import amount
from schemas.dataset import Caps
from schemas.faults import DataRejected, PlanError
from schemas.plan import NAME, NAME_TOLD
from schemas.store import ObjectRef, Store, name_fault, shown_name
from tasks.storage import open_store

MOST_OBJECTS = 5
"""Objects of a folder that are looked at: the first, and the last few by name."""

_OTHERS = {
    ".tsv": "write it with commas",
    ".txt": "write it as CSV with a header",
    ".json": "write each row as a JSON object on a line of its own (.jsonl)",
    ".ndjson": "rename it to .jsonl",
    ".xlsx": "export the sheet as CSV",
    ".xls": "export the sheet as CSV",
    ".pkl": "`nightshift data convert --trusted FILE.pkl` makes Parquet of it",
    ".pickle": "`nightshift data convert --trusted FILE.pickle` makes Parquet of it",
    ".zip": "unpack it, or pack it as .gz",
    ".feather": "write it as Parquet",
}


@dataclass(frozen=True)
class Drafted:
    """A plan as text, valid, and what it was guessed from."""

    name: str
    text: str
    guesses: Guesses
    told: str


@dataclass(frozen=True)
class _Found:
    """Objects to look at in one store, and the place of all of them."""

    store: Store
    folder: str
    objects: tuple[ObjectRef, ...]
    pattern: str
    about_pattern: str
    stem: str


def drafted(
    data: str,  # the path or URI of a file, or of a folder of files
    labels: Sequence[str],
    folder: Path,  # where the plan's file will stand
    name: str | None = None,
) -> Drafted:
    """A plan that trains on the data as it stands.

    Raises
    ------
    PlanError
        There is no such file, label or name.
    DataRejected
        The file can't be read, or there is nothing in it to learn.
    """
    if name is not None and not re.fullmatch(NAME, name):
        raise PlanError(f"--name: expected {NAME_TOLD}, got {name[:70]!r}")
    found = _found(data)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as scratch:
        looked = _sampled(found, Path(scratch))
    guesses = guess(looked.contents, labels)
    place = Place(
        name=_plain_name(found.stem) if name is None else name,
        source=_source(found.folder, folder),
        pattern=found.pattern,
        encoding=looked.encoding,
        told=_told(found, looked),
        about_pattern=found.about_pattern,
    )
    text = draft(place, guesses)
    _refuse_invalid(text)
    return Drafted(place.name, text, guesses, place.told)


def _found(data: str) -> _Found:
    if "://" not in data and Path(data).expanduser().is_dir():
        return _in_folder(data)
    suffix = _suffix(data)
    if suffix:
        return _one(data, suffix)
    if "://" in data:
        return _in_folder(data)
    if not Path(data).expanduser().exists():
        raise PlanError(f"DATA: expected a file or a folder of files, got nothing at {data}.")
    ending = next((end for end in _OTHERS if data.lower().removesuffix(".gz").endswith(end)), "")
    todo = f"; {_OTHERS[ending]}" if ending else ""
    raise PlanError(f"DATA: expected a file that ends in {', '.join(SUFFIXES)}, got {data}{todo}.")


def _one(data: str, suffix: str) -> _Found:
    folder, _, name = data.rpartition("/")
    folder = folder or ("/" if data.startswith("/") else ".")
    fault = name_fault(name)
    if fault:
        raise PlanError(f"DATA: the name {shown_name(name)!r} has {fault}; rename the file.")
    store = open_store(folder)
    beside = [ref for ref in store.list(name[: -len(suffix)]) if ref.name != name]
    objects = tuple(ref for ref in store.list(name) if ref.name == name)
    if not objects:
        raise PlanError(f"DATA: expected a file, got nothing at {data}.")
    stem = name[: -len(suffix)]
    wide = f"{_escaped(stem)}[.-]*{_escaped(suffix[1:])}"
    drops = not any(fnmatch.fnmatchcase(ref.name, wide) for ref in beside)
    about = f"Of a folder of drops it would be '*{suffix}'."
    about = (
        f"This file, and drops such as {stem}-2026-01-31{suffix}. {about}"
        if drops
        else f"This file alone. {about}"
    )
    return _Found(store, folder, objects, wide if drops else _escaped(name), about, stem)


def _in_folder(data: str) -> _Found:
    store = open_store(data)
    listed = [ref for ref in store.list() if not name_fault(ref.name) and _suffix(ref.name)]
    if not listed:
        raise PlanError(
            f"DATA: expected files in {data} that end in {', '.join(SUFFIXES)}, got none."
        )
    suffix = _suffix(listed[0].name)
    alike = [ref for ref in listed if _suffix(ref.name) == suffix]
    chosen = alike if len(alike) <= MOST_OBJECTS else [alike[0], *alike[1 - MOST_OBJECTS :]]
    about = f"All drops that end so; {len(alike):,} when this was written."
    stem = data.rstrip("/").rpartition("/")[2] if data.strip("./") else Path(data).resolve().name
    return _Found(store, data, tuple(chosen), f"*{suffix}", about, stem)


def _sampled(found: _Found, scratch: Path) -> Excerpt:
    """All objects that are looked at as one; the first alone where their columns differ."""
    looked = [_object(found.store, ref, scratch) for ref in found.objects]
    if len(looked) == 1:
        return looked[0]
    try:
        table = pa.concat_tables(
            [each.contents.table for each in looked], promote_options="permissive"
        )
    except pa.ArrowException:
        return looked[0]
    whole = all(each.whole for each in looked)
    return Excerpt(Contents(table), looked[0].encoding, whole)


def _object(store: Store, ref: ObjectRef, scratch: Path) -> Excerpt:
    try:
        refuse_size(ref.name, ref.size, Caps())
        with store.opened(ref, scratch) as path:
            return excerpt(path, ref.name, scratch)
    except DataRejected as fault:
        raise _without_a_plan(fault) from None


def _without_a_plan(fault: DataRejected) -> DataRejected:
    """Where the way out is a setting, how to come to a plan that can have it."""
    if not any("dataset." in finding.todo for finding in fault.findings):
        return fault
    return DataRejected(
        f"{fault} There is no plan to say so yet: make one from a smaller file with the same "
        "columns, and set it there.",
        fault.findings,
    )


def _told(found: _Found, looked: Excerpt) -> str:
    rows = looked.contents.table.num_rows
    what = shown_name(found.objects[0].name)
    if len(found.objects) > 1:
        what = f"{len(found.objects)} of the files in it"
    return f"{what}: {amount(rows, 'row')}, {'all' if looked.whole else 'the first'} of them"


def _source(folder: str, beside: Path) -> str:
    """Relative to the plan, so that both can be moved together."""
    if "://" in folder:
        return folder
    return Path(os.path.relpath(Path(folder).expanduser().resolve(), beside.resolve())).as_posix()


def _plain_name(stem: str) -> str:
    """A legal name from a file's.

    >>> _plain_name("2026 Zürich (final)")
    'plan-2026-zurich-final'
    """
    text = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9_]+", "-", text).strip("-_")
    plain = plain if plain[:1].isalpha() else f"plan-{plain}".rstrip("-")
    return plain[:63].rstrip("-_")


def _refuse_invalid(text: str) -> None:
    """By the same loader as any plan, before anything is written."""
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load_plan(str(path))
        except PlanError as fault:
            lines = str(fault).replace(str(path), "the plan").splitlines()
            raise DataRejected(
                "Expected columns that make a valid plan, got\n" + "\n".join(lines[1:] or lines)
            ) from None


def _escaped(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _suffix(name: str) -> str:
    return next((end for end in SUFFIXES if name.endswith(end)), "")
