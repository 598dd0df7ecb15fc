"""Where labelled rows come from and what their columns mean."""

import codecs
import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from schemas.store import name_fault
from schemas.strict import Strict

DIRECTIVES = "YymdjbBHIMSfpzaA%"
"""Of `strptime`: what tells a day, a time of day or an offset by itself, wherever it is read."""


def _time_format(form: str) -> str:
    unknown = sorted(set(re.findall("%(.?)", form)) - set(DIRECTIVES))
    if unknown:
        raise ValueError(f"expected of %{', %'.join(DIRECTIVES)}, got %{', %'.join(unknown)}")
    if not all(re.search(f"%[{part}]", form.replace("%%", "")) for part in ("Yy", "mbBj", "dj")):
        raise ValueError(f"expected a format with a year, a month and a day, got {form!r}")
    return form


def _time_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ValueError, KeyError, OSError):
        raise ValueError(
            f"expected an IANA name, such as 'Europe/Berlin' or 'UTC', got {zone!r}"
        ) from None
    return zone


TimeFormat = Annotated[str, AfterValidator(_time_format)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


def _refuse_no_instant(form: str | None, zone: str | None, name: str) -> None:
    """A clock's time names an instant only with an offset of its own, or a zone for all."""
    if form is not None and zone is None and "%z" not in form.replace("%%", ""):
        raise ValueError(f"{name} has no offset (%z), so the zone must be told; got none")
    if form is not None and zone is not None and "%z" in form.replace("%%", ""):
        raise ValueError(f"{name} reads each cell's offset (%z), so no zone is used; remove one")


class TextColumn(Strict):
    """Free text; private: no cell of it is ever shown."""

    role: Literal["text"] = "text"
    max_chars: PositiveInt = 100_000


class NumberColumn(Strict):
    """A number; missing values are allowed unless `required`."""

    role: Literal["number"] = "number"
    low: float | None = None
    high: float | None = None
    required: bool = False


class CategoryColumn(Strict):
    """A level among few; unseen levels are allowed unless `levels` lists all."""

    role: Literal["category"] = "category"
    levels: tuple[str, ...] | None = None


class BooleanColumn(Strict):
    """True or false, also written 1 and 0, yes and no; missing values are allowed."""

    role: Literal["boolean"] = "boolean"
    required: bool = False


class TimeColumn(Strict):
    """An instant; the hour, the weekday and the day of the year of it become features.

    `format` (as of `strptime`) and `zone` (an IANA name) say how cells without an offset from UTC
    are read; left out, each cell must be ISO 8601 with its offset. With a `zone` alone it may be
    ISO 8601 with or without one.
    """

    role: Literal["time"] = "time"
    format: TimeFormat | None = None
    zone: TimeZone | None = None
    required: bool = False

    @model_validator(mode="after")
    def _cells_name_an_instant(self) -> Self:
        _refuse_no_instant(self.format, self.zone, "format")
        return self


class EmbeddingColumn(Strict):
    """A list of `dimension` finite numbers, or the same as JSON text; never missing."""

    role: Literal["embedding"] = "embedding"
    dimension: PositiveInt


def _role(raw: Any) -> Any:
    return {"role": raw} if isinstance(raw, str) else raw


Column = Annotated[
    Annotated[
        TextColumn | NumberColumn | CategoryColumn | BooleanColumn | TimeColumn | EmbeddingColumn,
        Field(discriminator="role"),
    ],
    BeforeValidator(_role),
]
"""`amount: number` is short for `amount: {role: number}`."""


class Cleaning(Strict):
    """What happens to rows that are valid but of no use; every drop is counted in the report.

    `missing_text`: rows of which every text column is missing or blank are dropped, or the data
    is rejected. `duplicates`: rows equal in every feature and the label keep their first.
    `conflicts`: rows of one group (same normalised text, or same features) with different labels
    keep the majority label, and a tie drops them all; or all are dropped; or all are kept.
    Where the plan names a weight, a row's vote is its weight, and the duplicate that stays has the
    weights of all of them together: they count in the fit as they did apart.

    Left open, the last two are `drop` and `majority` where there is a text column, else `keep`:
    two equal texts are one text twice, but two cases of a table may well have equal cells, and to
    drop them would change how common each class is.
    """

    missing_text: Literal["drop", "reject"] = "drop"
    duplicates: Literal["drop", "keep"] | None = None
    conflicts: Literal["majority", "drop", "keep"] | None = None


class Floors(Strict):
    """Least data that a night trains on; below it the data is rejected."""

    rows: NonNegativeInt = 20
    rows_per_class: NonNegativeInt = 2


class Quarantine(Strict):
    """Rows that break the schema are set aside with their reasons, and the night goes on without
    them up to `max_share` of all rows; above it the data is rejected.
    """

    max_share: Annotated[float, Field(ge=0, lt=1)] = 0.01


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True):
        raise ValueError(
            f"expected a text encoding that Python knows, such as utf-8, latin-1, cp1252 or "
            f"utf-16, got {name!r}"
        )
    return found.name


class Caps(Strict):
    """Most that one object may be before it is refused; what is larger is a mistake or an attack.

    `object_bytes`: as stored. `read_bytes`: as decompressed. `ratio`: of bytes read to bytes
    stored, looked at from 64 MiB read. `rows`, `cell_chars`: of one object, of any one cell.
    """

    object_bytes: PositiveInt = 16 * 2**30
    read_bytes: PositiveInt = 64 * 2**30
    ratio: Annotated[float, Field(gt=1)] = 200.0
    rows: PositiveInt = 100_000_000
    cell_chars: PositiveInt = 10_000_000


class Drift(Strict):
    """How far the rows of new objects may be from those of the last accepted night.

    `class_share`: most that the share of any class may move, from 0 to 1. `missing_share`: the
    same of missing cells of any column. `action`: `warn` says so in report and ledger, `reject`
    rejects the data, `ignore` does not look. Stored types that changed are told in the same way.
    Fewer than `min_rows` new rows prove nothing and are not compared.
    """

    action: Literal["warn", "reject", "ignore"] = "warn"
    class_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    missing_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    min_rows: PositiveInt = 100


def _marker(name: str) -> str:
    fault = "a '/': it is looked for in each folder" if "/" in name else name_fault(name)
    if fault:
        raise ValueError(f"expected the plain name of an object, such as _SUCCESS, got {fault}")
    return name


class Dataset(Strict):
    """One folder of CSV and JSON-lines (also .gz) and Parquet objects with the same columns.

    `key` names the column that tells one case from another: one row a key is kept, the last in
    the order of object names and of rows in them, so a later row corrects the earlier ones.
    Without it the rows of a case are those of the same normalised text, or of the same feature
    cells where there is no text; all of them stay, and they share a side of every split.

    `time` names the column with each row's instant; `time_format` and `time_zone` say how it is
    read, as in a time column. `weight` names a column of numbers above 0: how much a row counts
    when a classifier is fitted. It is never a feature, and figures are of plain rows.

    `marker` (such as `_SUCCESS`) names an object that a producer writes last into each folder: a
    folder without one is still being written and waits. A marker is for the objects beside it, not
    for folders below, and is never data itself; `pattern` need not match it. Where it is removed
    its folder waits again: that alone starts no night, and the next one does without its rows.

    `encoding` is of CSV and JSON lines.
    """

    source: str
    pattern: str = "*"
    marker: Annotated[str, AfterValidator(_marker)] | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    columns: dict[str, Column] = Field(min_length=1)
    ignore: dict[str, str] = {}
    key: str | None = None
    time: str | None = None
    time_format: TimeFormat | None = None
    time_zone: TimeZone | None = None
    weight: str | None = None
    cleaning: Cleaning = Cleaning()
    quarantine: Quarantine = Quarantine()
    floors: Floors = Floors()
    caps: Caps = Caps()
    drift: Drift = Drift()

    @model_validator(mode="after")
    def _times_name_an_instant(self) -> Self:
        if self.time is None and (self.time_format or self.time_zone) is not None:
            raise ValueError("time_format and time_zone are unused without time; remove them")
        _refuse_no_instant(self.time_format, self.time_zone, "time_format")
        return self
