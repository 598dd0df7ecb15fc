"""Remove what finished nights leave on this machine and no later night reads."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.manifest import Shard

KEEP = 3
"""Studies and rows of this many nights stay, for a look at what was tried."""


def tidy(
    nights: Iterable[Path],
    cache: Path,
    quarantine: Path,
    shards: Sequence[Shard],
    keep: int = KEEP,
) -> None:
    """Keep the newest folders in each of `nights`, and in `cache` and `quarantine` what belongs to
    tonight's objects: rows that were set aside go when their object was corrected or is gone.

    Ledger, versions and models in the state store are never touched.
    """
    for place in nights:
        for old in _newest_first(place)[keep:]:
            shutil.rmtree(old, ignore_errors=True)
    wanted = {Path(place) for shard in shards for place in (shard.path, shard.quarantine)}
    for path in (*cache.rglob("*.parquet"), *quarantine.glob("*.csv")):
        if path not in wanted:
            path.unlink(missing_ok=True)


def _newest_first(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    folders = [path for path in place.iterdir() if path.is_dir()]
    return sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
