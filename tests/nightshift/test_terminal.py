import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    logging.getLogger("tasks.storage.outages").warning("no answer")
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
    assert [line[8:] for line in facts[:3]] == [
        "  night       kept 7 of 900 rows",
        "  night       two lines",
        "  night       no answer",
    ]
    assert facts[3:] == ["after"]
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


# A night that ends as its arguments say once Ctrl-C has come: cleaning up for some seconds, which
# turns the interrupt into another fault, with a thread that would keep an ordinary exit waiting.
INTERRUPTED = """
import os, sys, threading, time
from pathlib import Path
from nightshift.terminal import Interrupt, facts_only
end_s, cleaning_s = map(float, sys.argv[2:4])
interrupt = Interrupt(end_s)
with facts_only(Path(sys.argv[1])), interrupt:
    threading.Thread(target=time.sleep, args=(30,)).start()
    try:
        Path(sys.argv[1]).with_name("ready").touch()
        time.sleep(30)
    finally:
        Path(sys.argv[1]).with_name("cleaning").touch()
        time.sleep(cleaning_s)
        os.write(2, b"noise")
        Path(sys.argv[1]).with_name("clean").touch()
        raise ValueError("what became of the interrupt")
"""
LINE = "nightshift: interrupted; the next run resumes\n"


def interrupt(
    tmp_path: Path,
    end_s: float,
    cleaning_s: float,
    times: int,
    number: signal.Signals = signal.SIGINT,
) -> tuple[float, bool]:
    """Seconds from the last signal to the end, and whether the night could clean up."""
    command = [sys.executable, "-c", INTERRUPTED, tmp_path / "log", str(end_s), str(cleaning_s)]
    night = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for stage in ("ready", "cleaning")[:times]:
        while not (tmp_path / stage).exists():
            assert night.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
        night.send_signal(number)
    started = time.monotonic()
    assert night.communicate(timeout=20) == ("", LINE)
    assert night.returncode == 128 + number
    return time.monotonic() - started, (tmp_path / "clean").exists()


@pytest.mark.parametrize(
    ("end_s", "cleaning_s", "times", "clean"),
    [(10, 0.2, 1, True), (0.5, 20, 1, False), (10, 20, 2, False)],
    ids=["in order", "too slow to wait for", "asked twice"],
)
def test_an_interrupt_ends_the_program_soon_with_one_line(
    tmp_path: Path, end_s: float, cleaning_s: float, times: int, clean: bool
) -> None:
    seconds, cleaned = interrupt(tmp_path, end_s, cleaning_s, times)
    assert seconds < 5
    assert cleaned is clean


def test_a_termination_ends_the_program_as_an_interrupt_does(tmp_path: Path) -> None:
    seconds, cleaned = interrupt(tmp_path, 10, 0.2, 1, signal.SIGTERM)
    assert seconds < 5
    assert cleaned


def test_a_program_that_was_told_to_ignore_interrupts_still_does(tmp_path: Path) -> None:
    program = (
        "import os, signal\nfrom nightshift.terminal import Interrupt\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "with Interrupt(): os.kill(os.getpid(), signal.SIGINT)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
