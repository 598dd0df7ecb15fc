import os

from schemas.manifest import Shard
from tasks.tidying import tidy


def test_the_newest_nights_and_tonights_shards_stay(tmp_path):
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
    kept = Shard(object_name="a", path=str(cache / "kept.parquet"), rows=1)

    tidy([tmp_path / "studies", tmp_path / "nowhere"], tmp_path / "cache", [kept], keep=2)

    assert {p.name for p in (tmp_path / "studies").iterdir()} == {"new", "old", "best.json"}
    assert [p.name for p in cache.iterdir()] == ["kept.parquet"]
