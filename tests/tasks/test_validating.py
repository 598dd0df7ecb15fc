"""Reports of findings and drift as a run leaves them: private files, an artifact, log lines."""

import json
import stat
from datetime import UTC, datetime

import pandas as pd
import pytest

from schemas.faults import DataRejected
from schemas.findings import Finding
from schemas.manifest import Shard
from schemas.plan import Plan
from schemas.profile import Profile
from schemas.validation import Validation
from tasks.validating import rejection, tell_findings, validate_rows

PLAN = {
    "name": "p",
    "dataset": {"source": "drops", "columns": {"x": "number"}},
    "label": {"column": "y", "classes": ["no", "yes"]},
}
ACCEPTED = Profile(rows=1000, class_counts={"y": {"no": 800, "yes": 200}})
FINDING = Finding(
    object_name="=a.csv", column="x", expected="a number", got="text", count=2, rows=(3, 9)
)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The report's task without its run: where it wrote, and what it would post."""
    posted = {}
    monkeypatch.setattr(
        "tasks.validating.create_markdown_artifact", lambda **kept: posted.update(kept)
    )
    monkeypatch.setattr("tasks.validating.get_run_logger", lambda: _Log([]))
    report = Validation(plan="my_plan", run_id="r", rejected="no", findings=(FINDING,))
    tell_findings.fn(report, tmp_path / "r")
    return tmp_path / "r", posted


def test_every_finding_stands_in_private_files(told):
    folder, _ = told
    table = pd.read_csv(folder / "findings.csv")
    assert table["row_numbers"].tolist() == ["3 9"]
    kept = json.loads((folder / "findings.json").read_text())
    assert kept["rejected"] == "no"
    assert kept["findings"][0]["rows"] == [3, 9]
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_page_is_an_artifact_of_the_plan_that_says_where_all_stands(told):
    folder, posted = told
    assert posted["key"] == "validation-my-plan"
    assert str(folder / "findings.csv").replace("_", r"\_") in posted["markdown"]


def test_a_fault_of_no_object_is_the_finding_itself():
    (finding,) = rejection("p", "r", DataRejected("nothing matches; put data there")).findings
    assert "put data there" in finding.got
    assert rejection("p", "r", DataRejected("told", [FINDING])).findings == (FINDING,)


class _Log(list):
    def warning(self, form, *parts):
        self.append(form % parts)

    info = warning


def _compared(monkeypatch, action, arrived=("b.csv",), accepted=ACCEPTED, counts=(50, 50)):
    log = _Log()
    monkeypatch.setattr("tasks.validating.get_run_logger", lambda: log)
    plan = Plan.model_validate(PLAN | {"dataset": PLAN["dataset"] | {"drift": {"action": action}}})
    shards = [
        Shard(object_name=name, path="p", rows=sum(each), class_counts=(each,))
        for name, each in (("a.csv", (500, 500)), ("b.csv", counts))
    ]
    return validate_rows.fn(shards, arrived, accepted, plan, datetime.now(UTC)), log


def test_drift_of_rows_that_arrived_is_told(monkeypatch):
    (move,), log = _compared(monkeypatch, "warn")
    assert move.arrived == "50.0% of 100 rows"
    assert log == [move.note]


def test_drift_is_refused_where_the_plan_says_so(monkeypatch):
    with pytest.raises(DataRejected, match=r"Drift in b\.csv"):
        _compared(monkeypatch, "reject")


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "ignore"},
        {"action": "reject", "accepted": None},
        {"action": "reject", "arrived": ()},
    ],
    ids=["ignored", "the first night", "nothing new"],
)
def test_nothing_to_compare_is_silent(monkeypatch, asked):
    assert _compared(monkeypatch, **asked) == ((), [])


def test_too_few_new_rows_are_told_as_not_compared(monkeypatch):
    moves, (line,) = _compared(monkeypatch, "reject", counts=(5, 50))
    assert moves == ()
    assert "55 new rows, dataset.drift.min_rows is 100" in line
