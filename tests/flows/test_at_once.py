"""Schedule, arrival and command line meet on one drop, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prefect.settings import PREFECT_API_URL

from schemas.ledger import Record
from tasks.ledger.records import history
from tasks.storage import open_store
from tests.cloud.emulator import Emulator
from tests.flows.conftest import PLAN, SMALL, World

pytestmark = pytest.mark.filterwarnings("default")
SHARED = "gs://nights/team/state"
ROOT = Path(__file__).parents[2]

SCHEDULE = "from flows.train import train; train([{plan!r}], return_state=True)"
ARRIVAL = (
    "from flows.arrival import train_on_arrival as look; "
    "look([{plan!r}], settle_s=0, return_state=True)"
)
COMMAND = "from nightshift.cli import app; app(['train', {plan!r}, '--server', {api!r}])"
NIGHTS = "from flows.train import run_nights; run_nights([{plan!r}])"
IN_BUCKET = """
import flows.arrival, flows.train
from pathlib import Path
from tasks.home import Home
home = Home(Path("home"), "sqlite:///mlflow.db", shared={shared!r})
flows.arrival.home_from = flows.train.home_from = lambda _: home
"""


def at_once(world: World, *programs: str) -> list[str]:
    """What each said; all of them started before any is waited for."""
    api = PREFECT_API_URL.value()
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program.format(plan=world.plan, api=api, shared=SHARED)],
            env=os.environ | {"PREFECT_API_URL": str(api), "PYTHONPATH": str(ROOT)},
            cwd=world.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for program in programs
    ]
    said = [run.communicate(timeout=250)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(programs), "\n".join(said)
    return said


def one_night(records: list[Record], said: list[str]) -> None:
    """Looks leave no record of what they leave alone; the others say why they were skipped."""
    told = [record.outcome for record in records]
    assert sorted(told, key="skipped".__eq__)[:1] == ["promoted"], said
    assert told.count("skipped") == len(told) - 1 >= 1
    skipped = [record.reasons[0] for record in records if record.outcome == "skipped"]
    assert all("at work on it" in why or "no new data" in why for why in skipped), skipped


@pytest.mark.timeout(300)
def test_of_three_that_start_at_once_one_trains(world: World) -> None:
    world.write_plan(**SMALL)
    said = at_once(world, SCHEDULE, ARRIVAL, COMMAND)
    one_night(world.history(), said)


@pytest.mark.timeout(300)
def test_of_three_that_start_at_once_on_a_bucket_one_trains(world: World, cloud: Emulator) -> None:
    dataset = PLAN["dataset"] | {"source": "gs://nights/drops"}
    Path(world.plan).write_text(yaml.safe_dump(PLAN | SMALL | {"dataset": dataset}))
    cloud.put("drops/1.csv", (world.root / "drops" / "2026-01-01.csv").read_bytes())
    said = at_once(world, *(IN_BUCKET + program for program in (SCHEDULE, ARRIVAL, NIGHTS)))
    one_night(history(open_store(SHARED), "tiny"), said)
    assert not [name for name in cloud.names() if "/claims/" in name]
