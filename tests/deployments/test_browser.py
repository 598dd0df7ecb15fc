"""What a person sees: pages rendered by a real browser, with the network of nobody else."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.deployments.served import Served, eventually

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=1400,1000", "--virtual-time-budget=20000",
)  # fmt: skip
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs chromium (apt-get install chromium)"
)
pytestmark = [pytest.mark.browser, pytest.mark.server, needs_chromium]


def browse(profile: Path, *arguments: str) -> str:
    """Standard output of one headless visit, with a profile of its own."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def finished_run(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    deployment = served.deploy_sleeper("seen", "nightshift")
    run = served.start_run(deployment, 0, tmp_path_factory.mktemp("seen") / "told")
    eventually(lambda: served.state(run) == "Completed", 90)
    return run


def test_the_page_of_a_run_shows_how_it_ended(
    served: Served, finished_run: str, tmp_path: Path
) -> None:
    page = f"{served.api_url.removesuffix('/api')}/runs/flow-run/{finished_run}"
    seen = browse(tmp_path / "profile", "--dump-dom", page)
    assert "sleeper" in seen
    assert "Completed" in seen


def test_the_page_of_a_run_can_be_pictured(
    served: Served, finished_run: str, tmp_path: Path
) -> None:
    page = f"{served.api_url.removesuffix('/api')}/runs/flow-run/{finished_run}"
    picture = tmp_path / "page.png"
    browse(tmp_path / "profile", f"--screenshot={picture}", page)
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1400, 1000)
    assert len(content) > 20_000, "an empty page compresses to less"


def test_mlflow_shows_its_experiments(served: Served, tmp_path: Path) -> None:
    page = next(line.split()[1] for line in served.said if line.startswith("MLflow"))
    assert "MLflow" in browse(tmp_path / "profile", "--dump-dom", page)
