import os
from pathlib import Path

from schemas.manifest import Shard
from tasks.tidying import tidy


def test_the_newest_nights_and_what_belongs_to_tonights_objects_stay(tmp_path: Path) -> None:
    for age, name in enumerate(["new", "old", "older", "oldest"]):
        folder = tmp_path / "studies" / name
        folder.mkdir(parents=True)
        (folder / "study.db").write_text("x")
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "studies" / "best.json").write_text("{}")
    cache = tmp_path / "cache" / "shards"
    cache.mkdir(parents=True)
    for name in ("kept", "gone"):
        (cache / f"{name}.parquet").write_text("x")
    quarantine = tmp_path / "quarantine"
    quarantine.mkdir()
    for name in ("kept", "corrected"):
        (quarantine / f"{name}.csv").write_text("x")
    kept = Shard(
        object_name="a",
        path=str(cache / "kept.parquet"),
        rows=1,
        quarantined=1,
        quarantine=str(quarantine / "kept.csv"),
    )

    nights = [tmp_path / "studies", tmp_path / "nowhere"]
    tidy(nights, tmp_path / "cache", quarantine, [kept], keep=2)

    assert {p.name for p in (tmp_path / "studies").iterdir()} == {"new", "old", "best.json"}
    assert [p.name for p in cache.iterdir()] == ["kept.parquet"]
    assert [p.name for p in quarantine.iterdir()] == ["kept.csv"]


def test_a_plan_that_set_nothing_aside_has_nothing_to_tidy(tmp_path: Path) -> None:
    shard = Shard(object_name="a", path=str(tmp_path / "cache" / "a.parquet"), rows=1)
    tidy([], tmp_path / "cache", tmp_path / "quarantine", [shard])
    assert list(tmp_path.iterdir()) == []
