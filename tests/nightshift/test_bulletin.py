"""Runs as a server tells them, and what a terminal says of them."""

from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Crashed, Running

from nightshift.bulletin import Teller
from tasks.home import Home
from tasks.ledger.records import write_record
from tasks.storage import open_store
from tests.nightshift.records import record

API = "http://127.0.0.1:4200/api"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, f"sqlite:///{tmp_path}/mlflow.db").make()


def night(run: FlowRun, state: State[None]) -> FlowRun:
    return run.model_copy(update={"state": state})


def started(plan: str) -> FlowRun:
    return FlowRun(flow_id=uuid4(), name=f"night-{plan}", state=Running())


def test_a_night_is_told_once_as_it_begins_and_once_as_it_ends(home: Home) -> None:
    said: list[str] = []
    teller, run = Teller(home, API, said.append), started("quickstart")
    teller.tell([run])
    teller.tell([run])
    write_record(open_store(home.state), record(outcome="held", flow_run_id=str(run.id)))
    ended = night(run, Completed(name="Held"))
    teller.tell([ended])
    teller.tell([ended])
    page = f"http://127.0.0.1:4200/runs/flow-run/{run.id}"
    assert [line[8:] for line in said] == [
        f"  night       quickstart begins: {page}",
        f"  night       quickstart ends: held, Held; see `nightshift nights quickstart` and {page}",
    ]


def test_a_night_that_was_killed_is_told_by_its_state_alone(home: Home) -> None:
    said: list[str] = []
    teller, run = Teller(home, API, said.append), started("comments")
    teller.tell([night(run, Crashed())])
    begins, ends = said
    assert "comments begins: " in begins
    assert "comments ends: Crashed; see `nightshift nights comments` and" in ends


def test_a_ledger_that_can_not_be_read_leaves_the_state(home: Home) -> None:
    said: list[str] = []
    (home.root / "state" / "ledger" / "comments").mkdir(parents=True)
    (home.root / "state" / "ledger" / "comments" / "broken.json").write_text("{")
    teller, run = Teller(home, API, said.append), started("comments")
    teller.tell([night(run, Completed())])
    assert "comments ends: Completed; " in said[1]
