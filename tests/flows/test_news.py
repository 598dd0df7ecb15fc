"""What counts as news, through whole nights of the smallest plan that has them."""

import pytest

from tests.flows.conftest import SMALL

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def small(world):
    world.write_plan(**SMALL)
    return world


def marked(world, **dataset):
    told = {
        "source": "drops",
        "key": "id",
        "marker": "_SUCCESS",
        "columns": {"x": "number", "noise": "number", "colour": "category"},
    }
    world.write_plan(**SMALL, dataset=told | dataset)


def rows(record):
    return record.figures["train_rows"] + record.figures["holdout_rows"]


def test_a_vanished_object_is_news_and_its_rows_leave_training(small):
    small.drop("2026-01-02.csv", rows=60, seed=1)
    first = small.night()
    (small.root / "drops" / "2026-01-02.csv").unlink()
    second = small.night()
    assert second.changes.vanished == ("2026-01-02.csv",)
    assert rows(first) == 360
    assert rows(second) == 300


def test_data_that_is_again_what_it_once_was_is_news_too(small):
    small.night()
    small.drop("2026-01-02.csv", rows=60, seed=1)
    small.night()
    (small.root / "drops" / "2026-01-02.csv").unlink()
    third = small.night()
    assert third.changes.vanished == ("2026-01-02.csv",)
    assert rows(third) == 300
    assert small.night().outcome == "skipped"


def test_an_object_that_was_corrected_is_changed_and_not_new(small):
    small.night()
    small.drop("2026-01-01.csv", rows=200)
    record = small.night()
    assert (record.changes.new, record.changes.changed) == ((), ("2026-01-01.csv",))
    assert rows(record) == 200


def test_a_late_drop_of_older_rows_gives_what_it_gave_in_order(small):
    """The last row of a key by object name holds, whenever its object came."""

    def write(name, lines):
        (small.root / "drops" / name).write_text("\n".join(["id,x,noise,colour,y", *lines]) + "\n")

    older = ["0-0,-9,0,red,yes", "late,7,0,red,yes"]
    newer = ["0-0,5,0,red,no", "0-1,6,0,red,yes"]
    write("2026-01-02.csv", older)
    write("2026-01-03.csv", newer)
    in_order = made(small, small.night())
    (small.root / "drops" / "2026-01-02.csv").unlink()
    assert made(small, small.night()) != in_order
    write("2026-01-02.csv", older)
    record = small.night()
    assert record.changes.new == ("2026-01-02.csv",)
    assert made(small, record) == in_order


def made(world, record):
    """The rows on either side, by digest and count, and how the models did on them."""
    night = world.told(record)
    rows = {name: night["rows"][name] for name in ("digest", "train_counts", "holdout_counts")}
    scores = {name: card["score"] for name, card in night["judgement"]["cards"].items()}
    return rows, scores["challenger"], scores["baseline"]


def test_a_folder_without_its_marker_waits_and_is_told(small):
    marked(small)
    record = small.night()
    assert record.outcome == "skipped"
    assert record.reasons[0] == "nothing to read yet"
    assert "1 wait for '_SUCCESS' in their folder: 2026-01-01.csv" in record.reasons[1]
    (small.root / "drops" / "_SUCCESS").touch()
    (small.root / "drops" / "next").mkdir()
    small.drop("next/2026-01-02.csv", rows=60, seed=1)
    record = small.night()
    assert (record.outcome, rows(record)) == ("promoted", 300)
    assert any("next/2026-01-02.csv" in reason for reason in record.reasons)
    (small.root / "drops" / "next" / "_SUCCESS").touch()
    assert rows(small.night()) == 360


def test_a_marker_that_is_removed_again_starts_no_night(small):
    marked(small)
    (small.root / "drops" / "_SUCCESS").touch()
    (small.root / "drops" / "next").mkdir()
    small.drop("next/2026-01-02.csv", rows=60, seed=1)
    (small.root / "drops" / "next" / "_SUCCESS").touch()
    assert rows(small.night()) == 360
    (small.root / "drops" / "next" / "_SUCCESS").unlink()
    record = small.night()
    assert record.outcome == "skipped"
    assert "others that it had read wait again" in record.reasons[0]
    assert record.changes.n_vanished == 0


def test_a_pickle_beside_the_data_is_rejected_by_name(small):
    (small.root / "drops" / "model.pkl").write_bytes(b"\x80\x04.")
    record = small.night()
    assert record.outcome == "rejected-data"
    assert "nightshift data convert --trusted" in record.reasons[0]


def test_the_record_of_a_night_is_small_and_its_list_of_objects_is_kept(small):
    record = small.night()
    assert record.manifest.objects == 1
    kept = small.root / "home" / "state" / record.manifest.kept
    assert "2026-01-01.csv" in kept.read_text()
    assert small.history()[-1].manifest == record.manifest
