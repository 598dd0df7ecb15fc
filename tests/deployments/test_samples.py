from pathlib import Path

import pytest

from deployments.samples import MOST_OBJECTS, check_sample
from schemas.dataset import Dataset, NumberColumn
from schemas.faults import DataRejected
from schemas.label import SingleLabel
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
