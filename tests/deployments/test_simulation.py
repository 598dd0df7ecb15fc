import gzip
import itertools
import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deployments.simulation import Drop, deal
from schemas.dataset import Dataset, NumberColumn
from schemas.faults import DataRejected, PlanError
from schemas.label import SingleLabel
from schemas.plan import Plan

ROWS = [(n, f"2026-03-{1 + n % 20:02}T00:00:00Z", "ab"[n % 3 == 0]) for n in range(100)]


def plan(**dataset: Any) -> Plan:
    given = {"source": "drops", "columns": {"size": NumberColumn()}, "ignore": {"said": "text"}}
    return Plan(
        name="mine",
        dataset=Dataset(**given | {"ignore": {"at": "time"}} | dataset),
        label=SingleLabel(column="y", classes=("a", "b")),
    )


BY_TIME = plan(time="at", ignore={})


def csv(folder: Path, name: str = "all.csv", end: str = "\n", encoding: str = "utf-8") -> Path:
    lines = ["size,at,y", *(f'{n},{at},"{y}"' for n, at, y in ROWS)]
    content = (end.join(lines) + end).encode(encoding)
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def dealt(
    a_plan: Plan, file: Path, folder: Path, days: int = 4, only_next: bool = False
) -> list[Drop]:
    return list(deal(a_plan, file, days, None, str(folder / "drops"), only_next))


@pytest.mark.parametrize("a_plan", [plan(), BY_TIME], ids=["evenly", "by-time"])
def test_the_drops_hold_each_row_once_exactly_as_it_was_written(
    tmp_path: Path, a_plan: Plan
) -> None:
    file = csv(tmp_path, end="\r\n")
    drops = dealt(a_plan, file, tmp_path)
    found = [(tmp_path / "drops" / drop.name).read_bytes() for drop in drops]
    header, *rows = file.read_bytes().splitlines(keepends=True)
    assert {content.splitlines(keepends=True)[0] for content in found} == {header}
    assert sorted(row for content in found for row in content.splitlines(keepends=True)[1:]) == (
        sorted(rows)
    )
    assert [drop.rows for drop in drops] == [25] * 4
    assert sum(drop.class_rows["y"]["b"] for drop in drops) == 34


def test_rows_are_dealt_in_the_order_of_their_time_and_instants_stay_together(
    tmp_path: Path,
) -> None:
    drops = dealt(BY_TIME, csv(tmp_path), tmp_path, days=3)
    times = [pd.read_csv(tmp_path / "drops" / drop.name)["at"] for drop in drops]
    assert [drop.name for drop in drops] == [f"all-2026-03-0{n}.csv" for n in (1, 2, 3)]
    assert all(one.max() < other.min() for one, other in itertools.pairwise(times))


def test_next_deals_one_drop_at_a_time_and_the_same_as_all_at_once(tmp_path: Path) -> None:
    file = csv(tmp_path, "all.csv.gz")
    at_once = dealt(plan(), file, tmp_path / "once")
    for number in range(1, 5):
        told = dealt(plan(), file, tmp_path, only_next=True)
        assert [drop.there for drop in told] == [True] * (number - 1) + [False]
    assert all(drop.there for drop in dealt(plan(), file, tmp_path, only_next=True))
    for drop in at_once:
        name = f"drops/{drop.name}"
        assert (tmp_path / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def test_a_file_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops" / "all-2026-01-02.csv").write_text("mine")
    with pytest.raises(PlanError, match=r"all-2026-01-02.csv: expected no such object"):
        dealt(plan(), csv(tmp_path), tmp_path)
    assert (tmp_path / "drops" / "all-2026-01-02.csv").read_text() == "mine"


def test_quoted_line_ends_marks_and_encodings_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    rows = [f'{n},"é\n""{n}""",{"ab"[n % 2]}' for n in range(9)]
    file.write_bytes("\n".join(["size,said,y", *rows]).encode("utf-16"))
    a_plan = plan(encoding="utf-16", ignore={"said": "text"})
    drops = dealt(a_plan, file, tmp_path, days=3)
    found = [(tmp_path / "drops" / drop.name).read_bytes().decode("utf-16") for drop in drops]
    assert sorted(found[0].splitlines() + found[1].splitlines() + found[2].splitlines()) == sorted(
        ["size,said,y"] * 3 + "\n".join(rows).splitlines()
    )


def test_json_lines_and_parquet_are_dealt_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["size", "at", "y"])
    lines = [json.dumps(row) for row in frame.to_dict("records")]
    (tmp_path / "all.jsonl").write_text("\n".join(lines))
    frame.to_parquet(tmp_path / "all.parquet", index=False)
    for suffix, read in ((".jsonl", lambda f: pd.read_json(f, lines=True)),
                         (".parquet", pd.read_parquet)):  # fmt: skip
        drops = dealt(plan(), tmp_path / f"all{suffix}", tmp_path)
        found = pd.concat([read(tmp_path / "drops" / drop.name) for drop in drops])
        assert sorted(found["size"]) == list(range(100))


def test_days_are_named_from_the_start_that_is_asked_for(tmp_path: Path) -> None:
    [drop] = deal(plan(), csv(tmp_path), 1, date(2027, 2, 28), str(tmp_path / "drops"))
    assert drop.name == "all-2027-02-28.csv"


@pytest.mark.parametrize(
    ("a_plan", "days", "fault", "told"),
    [
        (plan(pattern="*.parquet"), 2, PlanError, "dataset.pattern: expected one that reads drops"),
        (plan(), 101, PlanError, "--days: expected at most as many"),
        (BY_TIME, 21, PlanError, "instants to deal, got 21"),
        (plan(time="when", ignore={}), 2, DataRejected, "expected the columns 'when'"),
    ],
    ids=["pattern", "more-days-than-rows", "more-days-than-instants", "no-time"],
)  # fmt: skip
def test_what_can_not_be_dealt_is_told(
    tmp_path: Path, a_plan: Plan, days: int, fault: type[Exception], told: str
) -> None:
    with pytest.raises(fault, match=told):
        dealt(a_plan, csv(tmp_path), tmp_path, days)


def test_the_folder_of_the_file_itself_is_no_place_for_its_drops(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there twice"):
        list(deal(plan(), csv(tmp_path), 2, None, str(tmp_path)))


def test_bytes_of_another_encoding_are_told(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_bytes(b"size,at,y\n1,\xe9,a\n")
    with pytest.raises(DataRejected, match="expected utf-8 text; correct the file, or dataset"):
        dealt(plan(), tmp_path / "all.csv", tmp_path)
