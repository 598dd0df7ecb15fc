import os
import subprocess
import sys
from pathlib import Path

# A program whose own "rooms" are its folder: what is logged from elsewhere is an engine's line.
PROGRAM = """
import logging, os, sys, types, warnings
if "--quick" in sys.argv:
    sys.modules |= {name: types.ModuleType(name) for name in ("prefect", "prefect.main")}
from pathlib import Path
from nightshift import terminal
terminal._room_folders = lambda: (str(Path(__file__).parent) + os.sep,)
class Run(logging.Handler): emit = lambda self, record: None
log = Path(sys.argv[1])
with terminal.facts_only(log, debug="--debug" in sys.argv) as facts:
    logger = logging.getLogger("prefect.flow_runs")
    logger.setLevel("INFO")
    terminal.show(facts)
    logger.info("kept %d of 900 rows", 7)
    logger.info("two\\nlines")
    exec(compile("logger.info('an engine speaks')", "/elsewhere/engine.py", "exec"))
    print("a library prints")
    os.write(2, b"native code writes\\n")
    warnings.warn("a library warns")
print("after")
"""


def run(tmp_path: Path, *arguments: str) -> tuple[str, str, Path]:
    script, log = tmp_path / "night.py", tmp_path / "logs" / "night.log"
    script.write_text(PROGRAM)
    environ = os.environ | {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_LOGGING_TO_API_ENABLED": "0",
    }
    done = subprocess.run(
        [sys.executable, script, log, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout, done.stderr, log


def test_only_facts_reach_the_terminal_and_the_log_keeps_the_rest(tmp_path: Path) -> None:
    out, err, log = run(tmp_path)
    facts = out.splitlines()
    assert [line[8:] for line in facts[:2]] == [
        "  night       kept 7 of 900 rows",
        "  night       two lines",
    ]
    assert facts[2:] == ["after"]
    assert err == ""
    kept = log.read_text()
    for said in ("an engine speaks", "a library prints", "native code writes", "a library warns"):
        assert said in kept


def test_debug_turns_nothing_aside(tmp_path: Path) -> None:
    out, err, log = run(tmp_path, "--debug", "--quick")
    assert "a library prints" in out
    assert "native code writes" in err
    assert not log.exists()


def test_a_large_log_is_rolled_over(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "night.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * 5_000_001)
    run(tmp_path, "--quick")
    assert log.with_suffix(".1.log").stat().st_size == 5_000_001
    assert log.stat().st_size < 10_000
