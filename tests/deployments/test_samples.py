from pathlib import Path
from typing import Any

import pytest

from deployments.samples import MOST_OBJECTS, check_sample
from schemas.dataset import Dataset, NumberColumn, Quarantine
from schemas.faults import DataRejected
from schemas.label import MultiLabel, SingleLabel
from schemas.plan import Plan


def plan(folder: Path, objects: int, labels: str, rows: int = 60) -> Plan:
    """With `labels` in turn over the rows of so many objects."""
    for each in range(objects):
        lines = (f"{each * rows + row},{labels[row % len(labels)]}" for row in range(rows))
        (folder / f"{each}.csv").write_text("size,sign\n" + "\n".join(lines) + "\n")
    return Plan(
        name="mine",
        dataset=Dataset(source=str(folder), columns={"size": NumberColumn()}),
        label=SingleLabel(column="sign", classes=("a", "b", "c")),
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "rows").mkdir()
    return tmp_path / "rows"


def test_a_sample_counts_the_rows_of_each_class(source: Path, tmp_path: Path) -> None:
    sample = check_sample(plan(source, 2, "aabc"), tmp_path / "scratch")
    assert (sample.objects, sample.read, sample.rows) == (2, 2, 120)
    assert sample.class_rows == {"sign": {"a": 60, "b": 30, "c": 30}}
    assert sample.set_aside == ""


@pytest.mark.parametrize(
    ("labels", "rows", "told"),
    [
        ("ab", 60, "rows of each class .* got too few: 'c' has 0"),
        ("a", 60, "expected at least two classes, got a"),
        ("abc", 9, "expected at least 20 rows"),
    ],
    ids=["class-without-rows", "one-class", "few-rows"],
)
def test_what_training_would_reject_is_rejected_when_all_data_is_read(
    source: Path, tmp_path: Path, labels: str, rows: int, told: str
) -> None:
    with pytest.raises(DataRejected, match=told):
        check_sample(plan(source, 1, labels, rows), tmp_path / "scratch")


def test_a_part_of_the_data_may_lack_a_class(source: Path, tmp_path: Path) -> None:
    sample = check_sample(plan(source, MOST_OBJECTS + 1, "ab"), tmp_path / "scratch")
    assert (sample.objects, sample.read) == (MOST_OBJECTS + 1, MOST_OBJECTS)
    assert sample.class_rows["sign"]["c"] == 0


def many(folder: Path, lines: list[str], **dataset: Any) -> Plan:
    (folder / "0.csv").write_text("\n".join(["size,sad,calm", *lines]) + "\n")
    columns = {"size": NumberColumn()}
    return Plan(
        name="mine",
        dataset=Dataset(source=str(folder), columns=columns, **dataset),
        label=MultiLabel(columns=("sad", "calm")),
    )


def test_a_sample_counts_the_classes_of_each_label(source: Path, tmp_path: Path) -> None:
    lines = [f"{n},{int(n % 3 == 0)},{int(n % 4 == 0)}" for n in range(120)]
    sample = check_sample(many(source, lines), tmp_path / "scratch")
    assert sample.class_rows == {"sad": {"0": 80, "1": 40}, "calm": {"0": 90, "1": 30}}
    assert sample.notes == ()


def test_labels_that_are_really_one_are_noted(source: Path, tmp_path: Path) -> None:
    lines = [f"{n},{n % 2},{1 - n % 2}" for n in range(120)]
    [note] = check_sample(many(source, lines), tmp_path / "scratch").notes
    assert "exactly one of the 2 labels" in note


def test_rows_that_a_night_would_set_aside_are_told(source: Path, tmp_path: Path) -> None:
    lines = [f"{n},{int(n % 3 == 0)},{int(n % 4 == 0)}" for n in range(120)]
    lines[5] = "many,0,1"
    some = many(source, lines, quarantine=Quarantine(max_share=0.01))
    sample = check_sample(some, tmp_path / "scratch")
    assert sample.rows == 119
    assert sample.set_aside.startswith("1 of 120 rows (0.833 %): column 'size'")
    assert not list((tmp_path / "scratch").rglob("*.csv"))


def test_more_of_them_than_a_night_may_set_aside_are_a_fault(source: Path, tmp_path: Path) -> None:
    lines = [f"{n},{int(n % 3 == 0)},2" if n < 2 else f"{n},{n % 2},0" for n in range(120)]
    with pytest.raises(DataRejected, match=r"at most 1 % .* got 2 of 120 rows") as fault:
        check_sample(many(source, lines), tmp_path / "scratch")
    assert str(tmp_path) not in str(fault.value)


def odd(folder: Path) -> Plan:
    """Of three objects: one lacks a column and has others, one has bad rows, one is no table."""
    good = "".join(f"{n},{n % 9},{'ab'[n % 2]}\n" for n in range(60))
    (folder / "0.csv").write_text("size,width,sign,more\n1,2,a,x\n?,2,a,x\n")
    (folder / "1.csv").write_text("size,heigth,sign\n" + good.replace("7,", "x,", 1))
    (folder / "2.csv").write_text("size,height,sign\n" + good + "1,2,z\n")
    (folder / "3.csv").write_bytes(b"")
    return Plan(
        name="mine",
        dataset=Dataset(
            source=str(folder), columns={"size": NumberColumn(), "height": NumberColumn()}
        ),
        label=SingleLabel(column="sign", classes=("a", "b")),
    )


def test_every_fault_of_every_object_is_told_at_once(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"0\.csv") as fault:
        check_sample(odd(source), tmp_path / "scratch")
    told = str(fault.value)
    for part in (
        "0.csv: expected the columns 'height'",
        "0.csv: 1 fault in 2 rows:\n  column 'size': expected a number",
        "Did you mean 'heigth' for 'height'",
        "1.csv: 1 fault in 60 rows:",
        "3.csv: expected a header and rows, got an empty file",
        "2.csv: 1 fault in 61 rows:\n  column 'sign': expected one of 'a', 'b', got 'z'",
    ):
        assert part in told
    assert {finding.object_name for finding in fault.value.findings} == {
        f"{n}.csv" for n in range(4)
    }


def test_objects_are_looked_at_in_the_encoding_of_the_plan(source: Path, tmp_path: Path) -> None:
    wanted = odd(source)
    for path in source.iterdir():
        path.write_text(path.read_text(), encoding="utf-16")
    dataset = wanted.dataset.model_copy(update={"encoding": "utf-16"})
    with pytest.raises(DataRejected, match=r"0\.csv") as fault:
        check_sample(wanted.model_copy(update={"dataset": dataset}), tmp_path / "scratch")
    assert "0.csv: 1 fault in 2 rows:\n  column 'size': expected a number" in str(fault.value)
    assert "UTF-8" not in str(fault.value)


def test_rows_are_looked_at_without_a_label_too(source: Path, tmp_path: Path) -> None:
    (source / "0.csv").write_text("size,height\n1,2\n?,2\n")
    a_plan = plan(source, 0, "ab")
    with pytest.raises(DataRejected, match="expected the columns 'sign'") as fault:
        check_sample(a_plan, tmp_path / "scratch")
    assert "0.csv: 1 fault in 2 rows:\n  column 'size'" in str(fault.value)


def test_objects_that_wait_for_their_marker_are_noted(source: Path, tmp_path: Path) -> None:
    wanted = plan(source, 1, "abc")
    (source / "_SUCCESS").touch()
    (source / "next").mkdir()
    (source / "next" / "1.csv").write_text((source / "0.csv").read_text())
    dataset = wanted.dataset.model_copy(update={"marker": "_SUCCESS"})
    sample = check_sample(wanted.model_copy(update={"dataset": dataset}), tmp_path / "scratch")
    assert (sample.objects, sample.rows) == (1, 60)
    assert sample.notes[0] == "1 wait for '_SUCCESS' in their folder: next/1.csv"
