"""Data that no night may train on: told, recorded, and the champion stays."""

from datetime import UTC, datetime

import pytest

from schemas.ledger import Champion
from tasks.ledger.champions import move_champion

pytestmark = pytest.mark.filterwarnings("default")


def write(rows: str):
    def spoil(world):
        (world.root / "drops" / "2026-01-02.csv").write_text(rows)

    return spoil


def every_label(text: str):
    def spoil(world):
        path = world.root / "drops" / "2026-01-01.csv"
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *(r.rsplit(",", 1)[0] + f",{text}" for r in rows)]) + "\n")

    return spoil


def one_yes(world):
    path = world.root / "drops" / "2026-01-01.csv"
    head, *rows = path.read_text().splitlines()
    no = [row for row in rows if row.endswith(",no")]
    yes = [row for row in rows if row.endswith(",yes")]
    path.write_text("\n".join([head, *no, yes[0]]) + "\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (write(""), "2026-01-02.csv"),
        (write("id,x,noise,colour,y\n"), "2026-01-02.csv"),
        (write("id,x,noise,colour,y\n" + 9 * "z,1,2,red,maybe\n"), "'maybe'"),
        (write("id,x,noise,y\nz,1,2,no\n"), "colour"),
        (write("id,x,noise,colour,y,more\nz,1,2,red,no,3\n"), "more"),
        (write("id,x,noise,colour,y\n" + 9 * "z,one,2,red,no\n"), "'x'"),
        (every_label("no"), "two classes"),
        (one_yes, "yes"),
    ],
    ids=[
        "an empty file",
        "a header alone",
        "an unknown label",
        "a missing column",
        "a column too many",
        "a word for a number",
        "one class only",
        "a class of one row",
    ],
)
def test_bad_data_is_rejected_told_and_recorded_and_the_champion_stays(world, spoil, told):
    move_champion(world.store, "tiny", somebody(), 0)
    spoil(world)
    record = world.night()
    assert record.outcome == "rejected-data", record.reasons
    assert told in " ".join(record.reasons)
    assert (record.champion_before, record.champion_after) == (7, 7)
    assert world.champion() == somebody()
    assert [entry.outcome for entry in world.history()] == ["rejected-data"]


def test_rejected_data_is_refused_again_until_it_is_mended(world):
    bad = world.root / "drops" / "2026-01-02.csv"
    bad.write_text("")
    assert [world.night().outcome for _ in range(2)] == ["rejected-data"] * 2
    bad.unlink()
    assert world.night().outcome == "promoted"


def test_a_missing_folder_fails_the_night_with_its_name(world):
    (world.root / "drops" / "2026-01-01.csv").unlink()
    (world.root / "drops").rmdir()
    record = world.night()
    assert record.outcome == "failed"
    assert "drops" in record.reasons[0]


def somebody():
    return Champion(
        plan="tiny", version=7, digest="d", since=datetime(2026, 1, 1, tzinfo=UTC), run_id="r"
    )
