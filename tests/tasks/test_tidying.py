import os
import time
from pathlib import Path

from schemas.manifest import Shard
from tasks.tidying import (
    KEEP,
    OLD_S,
    drop_checkpoints,
    keep_newest,
    mark_used,
    sweep,
    sweep_readings,
    tidy,
)


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


def test_of_folders_that_nights_leave_the_newest_stay(tmp_path: Path) -> None:
    for age in range(KEEP + 2):
        (tmp_path / f"{age}").mkdir()
        os.utime(tmp_path / f"{age}", (1e9 - age, 1e9 - age))
    keep_newest(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {str(age) for age in range(KEEP)}


def test_a_plan_that_set_nothing_aside_has_nothing_to_tidy(tmp_path: Path) -> None:
    shard = Shard(object_name="a", path=str(tmp_path / "cache" / "a.parquet"), rows=1)
    tidy([], tmp_path / "cache", tmp_path / "quarantine", [shard])
    assert list(tmp_path.iterdir()) == []


def _aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_text("x")
    else:
        path.mkdir()
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_comparisons_leave_goes_after_a_day(tmp_path: Path) -> None:
    studies, cache = tmp_path / "studies", tmp_path / "cache"
    for name, age in (("ours", 2 * OLD_S), ("new", 60.0), ("old", 2 * OLD_S)):
        _aged(studies / name, age)
        _aged(cache / "shards" / f"{name}.parquet", age)
    ours = Shard(object_name="a", path=str(cache / "shards" / "ours.parquet"), rows=1)
    sweep([studies, tmp_path / "nowhere"], cache, {"ours"}, [ours])
    assert {path.name for path in studies.iterdir()} == {"ours", "new"}
    assert {path.stem for path in (cache / "shards").iterdir()} == {"ours", "new"}


def test_what_is_marked_as_used_is_not_old(tmp_path: Path) -> None:
    folder = _aged(tmp_path / "studies" / "other", 2 * OLD_S)
    shard = _aged(tmp_path / "cache" / "other.parquet", 2 * OLD_S)
    (folder / "oof").mkdir()
    made = tmp_path / "studies" / "made"
    os.utime(folder, (0, 0))  # as it stays, whatever is added below `oof`
    mark_used(folder, shard, made)
    sweep([tmp_path / "studies"], tmp_path / "cache", set(), [])
    assert folder.is_dir()
    assert made.is_dir()
    assert shard.is_file()


def test_what_killed_runs_were_reading_goes_after_a_day(tmp_path: Path) -> None:
    for turn, clean in enumerate(
        (
            sweep_readings,
            lambda cache: tidy([], cache, tmp_path / "quarantine", []),
            lambda cache: sweep([], cache, set(), []),
        )
    ):
        shards = tmp_path / f"{turn}" / "shards"
        for name, age in ((".reading-killed", 2 * OLD_S), (".reading-now", 60.0)):
            (shards / name).mkdir(parents=True)
            (shards / name / "object").write_text("x")
            then = time.time() - age
            os.utime(shards / name, (then, then))
        clean(tmp_path / f"{turn}")
        assert [path.name for path in shards.iterdir()] == [".reading-now"]


def test_how_far_fits_came_goes_and_what_they_gave_stays(tmp_path: Path) -> None:
    for name in ("oof/a-0.checkpoints/member-0", "final/b.checkpoints/member-0", "final/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "model.safetensors").write_text("x")
    (tmp_path / "oof" / "a-0.npy").write_text("x")
    drop_checkpoints(tmp_path)
    assert {p.name for p in (tmp_path / "oof").iterdir()} == {"a-0.npy"}
    assert {p.name for p in (tmp_path / "final").iterdir()} == {"b"}
    drop_checkpoints(tmp_path / "nowhere")
