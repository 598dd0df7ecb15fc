"""Names that no honest producer gives: refused as listed, and shown without their tricks."""

from pathlib import Path

import pytest

from tests.cloud.emulator import BUCKET, Emulator
from tests.faults.bad_files import pickled
from tests.faults.standing import FIRST, Standing, as_csv, fine_without, refused, rows

pytestmark = pytest.mark.filterwarnings("default")

PROTOCOLS = range(6)
HOSTILE = (
    "../../etc/cron.csv",
    "a/../b.csv",
    "/absolute.csv",
    "a//b.csv",
    "back\\slash.csv",
    "line\nbreak.csv",
    "nul\x00byte.csv",
    "bidi\u202ecod.csv",
    "zero\u200bwidth.csv",
    "bell\x07.csv",
)


def test_hostile_names_in_a_bucket_are_refused_and_nothing_is_written_by_them(
    world: Standing, cloud: Emulator
) -> None:
    cloud.put(f"drops/{FIRST}", (world.drops / FIRST).read_bytes())
    for name in HOSTILE:
        cloud.put(f"drops/{name}", as_csv(rows()))
    before = _files(world.root)
    record = world.night(f"gs://{BUCKET}/drops")
    assert record.outcome == "rejected-data", record.reasons
    told = world.findings(record)
    assert len(told) == len(HOSTILE)
    assert told["what_to_do"].str.contains("Rename").all()
    shown = "".join(record.reasons) + "".join(told["object"])
    assert shown.isprintable()
    made = {path.name for path in _files(world.root) - before}
    assert not {"cron.csv", "b.csv", "absolute.csv"} & made
    for name in HOSTILE:
        cloud.storage.delete_file(BUCKET, f"drops/{name}")
    assert world.night(f"gs://{BUCKET}/drops").outcome == "skipped"


def test_hostile_names_in_a_folder_are_refused(world: Standing) -> None:
    world.put(as_csv(rows()), "bidi\u202ecod.csv")
    told = refused(world)
    assert told.of(r"bidi\u202ecod.csv")["got"] == "a control or direction character"
    fine_without(world, "bidi\u202ecod.csv")


@pytest.mark.parametrize("name", ["rows.pkl", "rows.pickle.gz", "rows.joblib"])
def test_a_pickle_is_refused_by_its_name_and_never_opened(
    world: Standing, tmp_path: Path, name: str
) -> None:
    canary = tmp_path / "canary"
    world.put(pickled(canary, 4), name)
    told = refused(world)
    assert told.of(name)["got"] == "a pickle by its name"
    assert "nightshift data convert --trusted" in told.of(name)["what_to_do"]
    assert not canary.exists()


def test_pickles_are_refused_by_their_content_whatever_their_names_and_never_opened(
    world: Standing, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    names = {f"protocol{n}.csv": n for n in PROTOCOLS}
    for name, protocol in names.items():
        world.put(pickled(canary, protocol), name)
    told = refused(world)
    assert all("pickle" in told.of(name)["got"] for name in names)
    assert not canary.exists()
    fine_without(world, *names)


def _files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}
