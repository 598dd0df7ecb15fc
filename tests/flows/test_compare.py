"""Two versions of real nights, compared by the command over what the nights left."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from tests.flows.conftest import SMALL

pytestmark = pytest.mark.filterwarnings("default")


def _family(strength: float) -> dict[str, Any]:
    return {"families": [{"classifier": {"kind": "logistic-regression", "C": strength}}]}


def _run(world: Any, *words: str) -> Any:
    return CliRunner().invoke(app, ["models", "compare", world.plan, *words])


def test_two_versions_are_compared_on_rows_that_neither_has_seen_or_not_at_all(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets its own
    world.write_plan(**SMALL, split={"by": "hash", "holdout_share": 0.4})
    assert world.night().outcome == "promoted"
    world.write_plan(**(SMALL | _family(0.5)), split={"by": "hash", "holdout_share": 0.4})
    assert world.night().outcome in ("held", "insufficient-evidence")

    told = json.loads(_run(world, "1", "2", "--json").output)
    assert told["first_model"] != told["second_model"]
    assert (told["first"], told["second"], told["excluded"]) == (1, 2, 0)
    assert told["night"] == world.history()[-1].run_id
    assert told["rows"] == world.history()[-1].figures["holdout_rows"]
    assert told["figures"][0]["figure"] == "macro-F1"
    found = {change["group"] for change in told["changes"]}
    assert "imbalance" in found
    assert set(told["groups"]) == found
    expected = "attributable" if len(found) == 1 else "not attributable"
    assert told["attribution"] == expected
    back = json.loads(_run(world, "2", "1", "--json").output)["figures"]
    for one, other in zip(told["figures"], back, strict=True):
        assert (one["first"], one["second"]) == (other["second"], other["first"])

    page = _run(world, "1", "2").output
    assert "tiny: version 2" in page
    assert "noise: what chance does to the figure itself" in page

    twice = _run(world, "1", "1")
    assert (twice.exit_code, "expected two versions, got 1 twice" in twice.stderr) == (2, True)
    gone = _run(world, "1", "7")
    assert "Expected version 7 of tiny" in gone.stderr

    (night,) = Path(world.root / "home" / "state").glob(
        f"models/tiny/{world.history()[0].run_id}/night.json"
    )
    night.unlink()
    unknown = json.loads(_run(world, "1", "2", "--json").output)
    assert unknown["attribution"] == "unknown"
    assert "the settings of version 1 are not known" in unknown["notes"][0]

    shutil.rmtree(world.root / "home" / "work")
    lost = _run(world, "1", "2")
    assert lost.exit_code != 0
    assert "are not on this machine" in lost.stderr
    assert "nightshift train tiny --force" in lost.stderr


def test_a_damaged_version_is_compared_with_nothing(world: Any) -> None:
    world.write_plan(**SMALL)
    world.night()
    world.night(force=True)
    for path in (world.root / "home" / "state" / "models").rglob("model.json"):
        path.write_text(path.read_text() + " ")
    shutil.rmtree(world.root / "home" / "cache" / ".models", ignore_errors=True)
    told = _run(world, "1", "2")
    assert told.exit_code != 0
    assert "is refused" in told.stderr
