import os
import pickle
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nightshift.conversion import convert
from schemas.faults import DataRejected, PlanError

FRAME = pd.DataFrame({"size": [1.5, None], "said": ["é", "b"], "level": pd.Categorical(["x", "y"])})


class Runs:
    """What happens when it is unpickled."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.made = function, given

    def __reduce__(self) -> Any:
        return self.made


def pickled(folder: Path, content: Any) -> Path:
    path = folder / "rows.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        FRAME,
        FRAME.to_dict("records"),
        {name: FRAME[name].tolist() for name in FRAME},
        FRAME.set_index("size"),
    ],
    ids=["frame", "rows", "columns", "index"],
)
def test_pickled_rows_become_parquet(tmp_path: Path, content: Any) -> None:
    assert convert(pickled(tmp_path, content), tmp_path / "rows.parquet", trusted=True) == 2
    found = pd.read_parquet(tmp_path / "rows.parquet")
    assert set(found.columns) == {"size", "said", "level"}
    assert found["said"].tolist() == ["é", "b"]


def test_cells_of_several_kinds_become_text(tmp_path: Path) -> None:
    source = pickled(tmp_path, pd.DataFrame({"odd": [1, "a", None, {"b": 2}]}))
    convert(source, tmp_path / "rows.parquet", trusted=True)
    told = pd.read_parquet(tmp_path / "rows.parquet")["odd"].tolist()
    assert told[:2] == ["1", "a"]
    assert pd.isna(told[2])


def test_nothing_is_unpickled_before_it_is_trusted(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    source = pickled(tmp_path, Runs(os.mkdir, str(canary)))
    with pytest.raises(PlanError, match="run whatever code is in it"):
        convert(source, tmp_path / "rows.parquet", trusted=False)
    assert not canary.exists()


def test_the_process_that_unpickles_knows_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "key")
    seen = tmp_path / "seen"
    source = pickled(tmp_path, Runs(os.system, f"env > {seen}; pwd >> {seen}"))
    with pytest.raises(DataRejected, match="got something else"):
        convert(source, tmp_path / "rows.parquet", trusted=True)
    assert "SECRET" not in seen.read_text()
    assert str(Path.cwd()) not in seen.read_text().splitlines()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([1, 2, 3], "got something else. Pickle a frame"),
        ({}, "got something else. Pickle a frame"),
        ({"size": [1, 2, 3], "y": ["a", "b"]}, "lists of different lengths. Give each column one"),
        (Runs(os.kill, 0, signal.SIGKILL), "ended by SIGKILL"),
        (Runs(os._exit, 77), "ended by exit status 77"),
    ],
    ids=["numbers", "empty", "unequal", "killed", "left"],
)
def test_what_is_no_rows_or_ends_early_is_told(tmp_path: Path, content: Any, told: str) -> None:
    with pytest.raises(DataRejected, match=told):
        convert(pickled(tmp_path, content), tmp_path / "rows.parquet", trusted=True)
    assert not (tmp_path / "rows.parquet").exists()


def test_what_never_ends_is_ended(tmp_path: Path) -> None:
    source = pickled(tmp_path, Runs(time.sleep, 600))
    with pytest.raises(DataRejected, match=r"expected rows within 1\.5 s"):
        convert(source, tmp_path / "rows.parquet", trusted=True, timeout_s=1.5)
    assert not (tmp_path / "rows.parquet").exists()


def test_what_is_no_pickle_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.pkl").write_bytes(b"size,y\n1,a\n")
    with pytest.raises(DataRejected, match="can't unpickle"):
        convert(tmp_path / "rows.pkl", tmp_path / "rows.parquet", trusted=True)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_text("mine")
    with pytest.raises(PlanError, match="is there already"):
        convert(pickled(tmp_path, FRAME), tmp_path / "rows.parquet", trusted=True)
    assert (tmp_path / "rows.parquet").read_text() == "mine"
