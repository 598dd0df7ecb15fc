"""What a night costs beside fitting and scoring models, by stage.

The baseline is the night itself: seconds in which workers fit or answer, spread over the workers,
and the seconds of judging, which scores models. The rest is ours: starting, reading, waiting,
asking, telling, keeping. `overhead.py MINUTES` (5 by default) takes 36,000 made rows of the plan
`fire`; `overhead.py MINUTES quickstart` 700 rows whose fits take a thirtieth of a second, so that a
trial is nothing but machinery.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from deployments.plans import SHIPPED
from deployments.quickstart import deal
from tests.generated import PLANS, write

WORKERS = 2
SCORING = ("judge",)
"""Stages that are nothing but scoring."""


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        place = Path(folder)
        plan = _dealt(place, sys.argv[2] if len(sys.argv) > 2 else "fire")
        plan["search"] = {"budget_minutes": minutes, "trials": 100_000, "workers": WORKERS}
        (place / "bench.yaml").write_text(yaml.safe_dump(plan | {"name": "bench"}))
        environ = {**os.environ, "NIGHTSHIFT_HOME": str(place / "home")}
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nightshift.cli", "train", "bench.yaml"],
            cwd=place,
            env=environ,
            check=True,
        )
        whole_s = time.perf_counter() - started
        (told,) = (place / "home" / "state" / "models" / "bench").glob("*/night.json")
        _tell(json.loads(told.read_text()), whole_s)


def _dealt(place: Path, name: str) -> dict[str, Any]:
    """The shipped plan, its rows in the folder that it reads."""
    plan: dict[str, Any] = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text())
    folder = place / plan["dataset"]["source"]
    if name == "quickstart":
        deal(folder)
    else:
        folder.mkdir(parents=True)
        write(PLANS[name](36_000, 0), folder / "rows.parquet")
    return plan


def _tell(night: dict[str, Any], whole_s: float) -> None:
    stages = night["stage_seconds"]
    working = _working(night)
    print(f"{'stage':16} {'seconds':>8} {'fit, score':>11} {'rest':>7} {'of the night':>13}")
    rest_s = 0.0
    outside = {"start, claim, end": whole_s - sum(stages.values())}
    for stage, seconds in {**stages, **outside}.items():
        work = seconds if stage in SCORING else min(seconds, working.get(stage, 0.0))
        rest_s += seconds - work
        share = (seconds - work) / whole_s
        print(f"{stage:16} {seconds:8.1f} {work:11.1f} {seconds - work:7.1f} {share:13.1%}")
    trials = sum(len(study["trials"]) for study in night["studies"])
    print(f"whole night {whole_s:.1f} s, {trials} trials; beside fitting and scoring: ", end="")
    print(f"{rest_s:.1f} s, {rest_s / whole_s:.3f} x the night (at most 0.10 is the aim)")


def _working(night: dict[str, Any]) -> dict[str, float]:
    """Seconds that fitting and answering would take with all workers busy, by stage."""
    screened = sum(method["seconds"] for method in night["methods"])
    tried = sum(trial["seconds"] for study in night["studies"] for trial in study["trials"])
    fitted = max(fit["fit_s"] for fit in night["fits"].values())  # side by side
    return {"screen": screened / WORKERS, "tune": tried / WORKERS, "fit": fitted}


if __name__ == "__main__":
    main()
