"""A pickle is told by its content, and never run."""

import bz2
import gzip
import io
import lzma
import pickle
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from learning.reading.files import read_file
from learning.reading.pickles import strange
from schemas.faults import DataRejected

FRAME = pd.DataFrame({"a": range(3_000), "b": ["x", "y", "z"] * 1_000})


class Canary:
    """Touches a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz", "day.jsonl.gz", "day.parquet"])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_is_refused_and_not_run(
    tmp_path: Path, name: str, protocol: int
) -> None:
    canary, path = tmp_path / "canary", tmp_path / "object"
    content = pickle.dumps([Canary(canary), "a", 1], protocol)
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(DataRejected, match=r"a pickle.*convert --trusted FILE\.pkl") as refusal:
        read_file(path, name)
    assert refusal.value.findings[0].got == "a pickle"
    assert not canary.exists()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "thing", [[1], {"a": [1]}, ("x", None), FRAME, {"k": {1: 2.5}}, list(range(90_000))], ids=type
)
def test_things_of_every_kind_are_told_as_pickles(thing: object, protocol: int) -> None:
    assert strange(pickle.dumps(thing, protocol)) == "a pickle"


@pytest.mark.parametrize("protocol", range(2))
@pytest.mark.parametrize("length", [70_000, 2_000_000])
def test_an_old_pickle_may_begin_with_a_long_text(length: int, protocol: int) -> None:
    for thing in (["x" * length], {"x" * length: 1}):
        assert strange(pickle.dumps(thing, protocol)) == "a pickle"
    called = b"cos\nsystem\n(S'" + b"x" * length + b"'\ntR."
    assert strange(called) == "a pickle"


@pytest.mark.parametrize(
    "text",
    [
        "Value,label\n1.5,2\n",
        "class\n" + "cat\ncow\n" * 20_000,
        "V1\nV2\nV3\n" * 20_000,
        "x^2,y\n1,2\n",
        "cat\ncow\n" * 200_000,
        "(a,b)\n" + "1,2\n" * 400_000,
        "Name\nIan\nFay\n",
        "cost,label\n5,1\n" * 20_000,
        '{"a": 1}\n',
        "(a,b)\n1,2\n",
        "I,F,S\n1,2,3\n.\n",
        "a\\b,c\n1,2\n",
    ],
)
def test_text_is_no_pickle(text: str) -> None:
    assert strange(text.encode()) == ""


def _npz() -> bytes:
    sink = io.BytesIO()
    np.savez(sink, a=np.arange(3))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zlib.compress(pickle.dumps(FRAME)), "zlib data"),
        (bz2.compress(pickle.dumps([1])), "bzip2 data"),
        (lzma.compress(pickle.dumps([1])), "xz data"),
        (_npz(), "a ZIP archive"),
        (gzip.compress(b"a,b\n1,2\n"), "does not end in .gz"),
    ],
    ids=["zlib", "bz2", "xz", "npz", "gzip"],
)
def test_packed_data_under_a_plain_name_is_told_as_what_it_is(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "object"
    path.write_bytes(content)
    with pytest.raises(DataRejected, match=f"got .*{kind}"):
        read_file(path, "day.csv")
