import csv
from pathlib import Path

import pytest

from deployments.plans import load_plan
from deployments.quickstart import SIZES, deal, drop_names, main


@pytest.fixture(scope="module")
def dealt(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drops")
    while deal(folder):
        pass
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    found = []
    for name in drop_names():
        with (folder / name).open(newline="") as file:
            found.append(list(csv.DictReader(file)))
    assert [len(drop) for drop in found] == list(SIZES)
    return [row for drop in found for row in drop]


def test_all_digits_are_dealt_once_in_dated_drops(dealt):
    assert sorted(path.name for path in dealt.iterdir()) == list(drop_names())
    keys = [row["image_id"] for row in rows(dealt)]
    assert len(set(keys)) == len(keys) == 1797


def test_the_columns_are_those_of_the_plan(dealt):
    plan = load_plan("quickstart")
    label = plan.label.column
    assert set(rows(dealt)[0]) == {*plan.dataset.columns, plan.dataset.key, label}


def test_the_eights_are_the_rare_class_of_every_drop(dealt):
    for name in drop_names():
        with (dealt / name).open(newline="") as file:
            labels = [row["is_eight"] for row in csv.DictReader(file)]
        assert 0.05 < labels.count("yes") / len(labels) < 0.15


def test_every_machine_gets_the_same_rows(dealt, tmp_path):
    deal(tmp_path)
    deal(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (dealt / path.name).read_bytes()


def test_first_deals_one_drop_and_only_where_it_is_missing(tmp_path, capsys):
    folder = tmp_path / "new" / "drops"
    assert main(["first", "--folder", str(folder)]) == 0
    assert "897 digits" in capsys.readouterr().out
    assert main(["first", "--folder", str(folder)]) == 0
    assert capsys.readouterr().out == ""
    assert [path.name for path in folder.iterdir()] == ["digits-2026-01-01.csv"]


def test_next_deals_until_none_is_left_and_says_so(dealt, tmp_path, capsys):
    assert main(["next", "--folder", str(tmp_path)]) == 0
    assert main(["next", "--folder", str(tmp_path)]) == 0
    assert "digits-2026-01-02.csv: 180 digits" in capsys.readouterr().out
    assert main(["next", "--folder", str(dealt)]) == 0
    assert "all 6 drops are in" in capsys.readouterr().out
