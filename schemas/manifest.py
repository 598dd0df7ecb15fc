"""What a night found at its source, and the rows that it made of it."""

import hashlib
from datetime import datetime
from typing import Any

from pydantic import NonNegativeInt, model_validator

from schemas.findings import Finding
from schemas.store import ObjectRef
from schemas.strict import Strict

LABEL = "__label"
KEY = "__key"
ROW = "__row"
TIME = "__time"
FOLD = "__fold"
WEIGHT = "__weight"
CELLS = "__cells"
BLANK = "__blank"
PLACE = "__place"
OURS = "__"
"""The columns that we add to the plan's own, as `Shard` and `Rows` say; all begin with `OURS`."""

MOST_NAMES = 100
"""Objects of each kind of change that a record names."""


def label_columns(targets: int) -> tuple[str, ...]:
    """Where the class of each target stands, in the plan's order.

    >>> label_columns(2)
    ('__label0', '__label1')
    """
    return tuple(f"{LABEL}{place}" for place in range(targets))


class Manifest(Strict):
    """The objects of one scan, by name; equal content gives an equal digest."""

    source: str
    objects: tuple[ObjectRef, ...]

    @property
    def digest(self) -> str:
        """Sixteen hex digits of names, sizes and checksums; blind to generations and the source's
        place, so copying or touching a folder is no news.
        """
        lines = (f"{ref.name}\t{ref.size}\t{ref.crc32c}\n" for ref in self.objects)
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]

    def listed(self, kept: str = "") -> "ManifestRef":
        """What a record says of it; `kept` is the name under which the whole of it is stored."""
        return ManifestRef(
            digest=self.digest,
            objects=len(self.objects),
            size_bytes=sum(ref.size for ref in self.objects),
            kept=kept,
        )


class ManifestRef(Strict):
    """A manifest as a record holds it: its digest, how many objects and bytes they are, and the
    name of the object in the state store that lists them; empty where none was stored.

    Records of earlier releases hold the whole list; they are read as what it amounts to.
    """

    digest: str
    objects: int
    size_bytes: int
    kept: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_a_whole_list(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("objects"), (list, tuple)):
            return Manifest.model_validate(raw).listed().model_dump()
        return raw


class Changes(Strict):
    """Names of objects against the last finished night's manifest.

    A record names the first of them; `more_new`, `more_changed` and `more_vanished` count the rest.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    more_new: NonNegativeInt = 0
    more_changed: NonNegativeInt = 0
    more_vanished: NonNegativeInt = 0

    @property
    def n_new(self) -> int:
        return len(self.new) + self.more_new

    @property
    def n_changed(self) -> int:
        return len(self.changed) + self.more_changed

    @property
    def n_vanished(self) -> int:
        return len(self.vanished) + self.more_vanished

    @property
    def told(self) -> str:
        """All counts in words."""
        return f"{self.n_new:,} new, {self.n_changed:,} changed, {self.n_vanished:,} vanished"

    def shortened(self, most: int = MOST_NAMES) -> "Changes":
        """With the first names of each kind: of 100,000 objects nobody reads all."""
        return Changes(
            new=self.new[:most],
            changed=self.changed[:most],
            vanished=self.vanished[:most],
            more_new=self.n_new - len(self.new[:most]),
            more_changed=self.n_changed - len(self.changed[:most]),
            more_vanished=self.n_vanished - len(self.vanished[:most]),
        )


class Shard(Strict):
    """One object, validated and kept as Parquet under a name made from its content.

    The file has the plan's feature columns (text and category as string, number and boolean as
    float64, time as UTC microseconds, embedding as a list of float32; missing is null) and
    `__label0`, `__label1`, ... (int16 index into the classes of each target), `__key` and `__cells`
    (uint64 hashes of the row's group and of its feature cells), `__row` (int64, its number in the
    object from 1), where the plan has text `__blank` (whether every text is missing or blank), and
    where the plan names them `__time` and `__weight` (float64 > 0).

    `quarantined` of the object's rows broke the schema; they stand with their reasons in the local
    file `quarantine`, by reason in `faults`, and rule by rule in `findings`. Of the valid rows,
    `class_counts` counts each class of each target and `missing` the missing cells of each feature;
    `stored` is the type that each column has in the file, as Arrow calls it.
    """

    object_name: str
    path: str
    rows: int
    quarantined: int = 0
    quarantine: str = ""
    faults: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    class_counts: tuple[tuple[int, ...], ...] = ()
    missing: dict[str, int] = {}
    stored: dict[str, str] = {}


class Rows(Strict):
    """References to the two sides of a night's rows: an index each, as Parquet on this machine.

    A row of an index is a row of one of the shards, which its metadata tell in order with how many
    rows each has there: `__place` is the row's from 0 in its shard. Beside it stand `__label0`,
    `__label1`, ... as in the shard and, where the plan names a weight, `__weight`, which is that of
    all duplicates that this row stands for. Train has `__fold` too (int32: bit i is set where split
    i scores the row; of k folds exactly one bit). All other columns stay in the shards;
    `learning.rows.sides` reads both. `digest` names plan-relevant content: equal digests mean equal
    rows. The counts are rows of each class of each target.
    """

    digest: str
    train: str
    holdout: str
    train_counts: tuple[tuple[int, ...], ...]
    holdout_counts: tuple[tuple[int, ...], ...]
    dropped: dict[str, int] = {}
    quarantined: dict[str, int] = {}
    cutoff: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_train(self) -> int:
        return sum(self.train_counts[0])

    @property
    def n_holdout(self) -> int:
        return sum(self.holdout_counts[0])
