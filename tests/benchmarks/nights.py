"""Wall time of three quickstart nights, each a process of its own, as a user starts them.

The baseline is an empty Prefect flow, run the same way: own process, own server, own home.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deployments.quickstart import deal

EMPTY = """
import os
from pathlib import Path
from nightshift.embedded import embedded_server
from tasks.home import Home
with embedded_server(Home(Path(os.environ["NIGHTSHIFT_HOME"]), mlflow_uri="")):
    from prefect import flow
    flow(name="empty")(lambda: None)()
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        place = Path(folder)
        environ = {**os.environ, "NIGHTSHIFT_HOME": str(place / "home")}
        deal(place / "drops" / "quickstart")
        empty = {**os.environ, "NIGHTSHIFT_HOME": str(place / "empty")}
        empty_s = min(_seconds([sys.executable, "-c", EMPTY], place, empty) for _ in range(3))
        print(f"baseline, an empty flow: {empty_s:.1f} s (fastest of 3)", flush=True)
        for kind in ("first", "nothing new", "a new drop"):
            if kind == "a new drop":
                deal(place / "drops" / "quickstart")
            started = time.perf_counter()
            _nightshift(place, environ, "train", "quickstart")
            seconds = time.perf_counter() - started
            night = json.loads(_nightshift(place, environ, "nights", "--json"))[-1]
            score = night["figures"].get("challenger_macro_f1")
            told = "" if score is None else f", macro-F1 {score:.4f}"
            times = f"{seconds:.1f} s, {seconds / empty_s:.1f} x the baseline"
            print(f"night, {kind}: {times}, {night['outcome']}{told}", flush=True)


def _seconds(command: list[str], place: Path, environ: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=place, env=environ, check=True, capture_output=True)
    return time.perf_counter() - started


def _nightshift(place: Path, environ: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "nightshift.cli", *words]
    told = subprocess.run(
        command, cwd=place, env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    return told.stdout


if __name__ == "__main__":
    main()
