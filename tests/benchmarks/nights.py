"""Wall time of three quickstart nights, each a process of its own, as a user starts them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deployments.quickstart import deal


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        place = Path(folder)
        environ = {**os.environ, "NIGHTSHIFT_HOME": str(place / "home")}
        deal(place / "drops" / "quickstart")
        for kind in ("first", "nothing new", "a new drop"):
            if kind == "a new drop":
                deal(place / "drops" / "quickstart")
            started = time.perf_counter()
            _nightshift(place, environ, "train", "quickstart")
            seconds = time.perf_counter() - started
            night = json.loads(_nightshift(place, environ, "nights", "--json"))[-1]
            score = night["figures"].get("challenger_macro_f1")
            told = "" if score is None else f", macro-F1 {score:.4f}"
            print(f"night, {kind}: {seconds:.1f} s, {night['outcome']}{told}", flush=True)


def _nightshift(place: Path, environ: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "nightshift.cli", *words]
    told = subprocess.run(
        command, cwd=place, env=environ, stdout=subprocess.PIPE, text=True, check=True
    )
    return told.stdout


if __name__ == "__main__":
    main()
