"""What a night found at its source, and the rows that it made of it."""

import hashlib
from datetime import datetime

from schemas.store import ObjectRef
from schemas.strict import Strict

LABEL = "__label"
KEY = "__key"
ROW = "__row"
TIME = "__time"
FOLD = "__fold"
RESERVED = frozenset({LABEL, KEY, ROW, TIME, FOLD})
"""The columns that we add to the plan's own; `Rows` says what they hold."""


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


class Changes(Strict):
    """Names of objects against the last finished night's manifest."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


class Shard(Strict):
    """One object, validated and kept as Parquet under a name made from its content."""

    object_name: str
    path: str
    rows: int


class Rows(Strict):
    """References to the two sides of a night's rows, as Parquet on this machine.

    Both files have the plan's feature columns (text as string, category as string, number as
    float64; missing is null) and `__label` (int16 index into the classes), `__key` (uint64 hash of
    the group), `__row` (string, `object#row`, never shown as a cell); train has `__fold` (int8)
    too. `digest` names plan-relevant content: equal digests mean equal files.
    """

    digest: str
    train: str
    holdout: str
    train_counts: tuple[int, ...]
    holdout_counts: tuple[int, ...]
    dropped: dict[str, int] = {}
    cutoff: datetime | None = None

    @property
    def n_train(self) -> int:
        return sum(self.train_counts)

    @property
    def n_holdout(self) -> int:
        return sum(self.holdout_counts)
