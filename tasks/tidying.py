"""Remove what finished nights and comparisons leave on this machine and no later one reads."""

import os
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.manifest import Shard

KEEP = 3
"""Studies and rows of this many nights stay, for a look at what was tried."""

OLD_S = 86_400.0
"""What a comparison leaves goes after a day: another one may be at work on it."""


def tidy(
    nights: Iterable[Path],
    cache: Path,
    quarantine: Path,
    shards: Sequence[Shard],
    keep: int = KEEP,
) -> None:
    """Keep the newest folders in each of `nights`, and in `cache` and `quarantine` what belongs to
    tonight's objects: rows that were set aside go when their object was corrected or is gone. Rows
    of an earlier night, of which such an object's shard is gone too, can no longer be read.

    Ledger, versions and models in the state store are never touched.
    """
    for place in nights:
        keep_newest(place, keep)
    sweep_readings(cache)
    for path in _unwanted([*cache.rglob("*.parquet"), *quarantine.glob("*.csv")], shards):
        path.unlink(missing_ok=True)


def drop_checkpoints(study: Path) -> None:
    """Remove how far fits of a night came that has ended: each is several times its network.

    A night that was killed, or failed, keeps them for the next.
    """
    for folder in study.glob("*/*.checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)


def keep_newest(place: Path, keep: int = KEEP) -> None:
    """Remove all but the newest folders of a place that gets one a night."""
    for old in _newest_first(place)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def sweep(
    folders: Iterable[Path],
    cache: Path,
    wanted: set[str],  # names in `folders`
    shards: Sequence[Shard],
) -> None:
    """Remove what is older than a day and not of the comparison that has just ended."""
    for place in folders:
        for old in _newest_first(place):
            if old.name not in wanted and _is_old(old):
                shutil.rmtree(old, ignore_errors=True)
    sweep_readings(cache)
    for path in _unwanted(cache.rglob("*.parquet"), shards):
        if _is_old(path):
            path.unlink(missing_ok=True)


def sweep_readings(cache: Path) -> None:
    """Remove the downloads and unpacked texts of runs that were killed while they read."""
    for folder in cache.glob("shards/.reading-*"):
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)


def mark_used(*places: Path) -> None:
    """Files and folders that `sweep` is to leave alone for a day; folders are made if need be.

    A folder's own time does not move when something is added further below.
    """
    for place in places:
        if not place.exists():
            place.mkdir(parents=True)
        os.utime(place)


def _unwanted(files: Iterable[Path], shards: Sequence[Shard]) -> list[Path]:
    """Those that belong to none of these objects."""
    wanted = {Path(place) for shard in shards for place in (shard.path, shard.quarantine)}
    return [path for path in files if path not in wanted]


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD_S
    except FileNotFoundError:  # another comparison has removed it
        return False


def _newest_first(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    folders = [path for path in place.iterdir() if path.is_dir()]
    return sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
