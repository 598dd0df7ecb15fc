"""Files of odd kinds: each gives a plan that a check accepts, or a fault that says what to do."""

import fnmatch
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deployments import first_look
from deployments.first_look import drafted
from deployments.plans import load_plan
from deployments.samples import check_sample
from schemas.dataset import Caps
from schemas.faults import DataRejected, NightshiftError, PlanError
from schemas.plan import Plan
from schemas.store import ABSENT
from tasks.storage import open_store
from tests.cloud.emulator import BUCKET, Emulator

ROWS = 120
RANDOM = np.random.default_rng(0)
WORDS = np.array(["red", "green", "blue", "small", "large", "old", "new", "house", "tree"])


def said(words: int = 6) -> str:
    return " ".join(RANDOM.choice(WORDS, words))


def csv(*columns: Sequence[object], header: str, **quoting: str) -> bytes:
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header, *lines, ""]).encode(**quoting)


N = range(ROWS)
AB = ["a" if n % 3 else "b" for n in N]
SIZE = RANDOM.normal(3, 1, ROWS).round(3).tolist()


def parquet(**columns: object) -> Callable[[Path], object]:
    return lambda path: pq.write_table(pa.table(columns), path)


def jsonl(rows: Sequence[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


GOOD: dict[str, tuple[str, bytes | Callable[[Path], object]]] = {
    "text-alone": ("t.csv", csv([said() for n in N], AB, header="said,y")),
    "bom": ("t.csv", b"\xef\xbb\xbf" + csv(SIZE, AB, header="size,y")),
    "unicode-headers": ("t.csv", csv(SIZE, SIZE, AB, header="größe µ,日本 語: [x] #1,y")),
    "yaml-headers": ("t.csv", csv(SIZE, SIZE, SIZE, AB, header="no,'1': {a},- x,y")),
    "empty-header": ("t.csv", csv(N, SIZE, AB, header=",size,y")),
    "spaces-in-headers": ("t.csv", csv(SIZE, AB, header=" size ,y")),
    "pandas-index": ("t.csv", csv(N, SIZE, AB, header="Unnamed: 0,size,y")),
    "yes-and-no": ("t.csv", csv(SIZE, ["no" if n % 3 else "yes" for n in N], header="size,y")),
    "float-classes": ("t.csv", csv(SIZE, [float(n % 2) for n in N], header="size,y")),
    "spaced-classes": (
        "t.csv",
        csv(SIZE, [" yes " if n % 2 else " no " for n in N], header="size,y"),
    ),
    "mixed-truths": ("t.csv", csv(SIZE, ["True", "false", "FALSE"] * 40, header="size,y")),
    "codes-as-classes": ("t.csv", csv(SIZE, ["01", "02", "10"] * 40, header="size,y")),
    "null-as-a-class": ("t.csv", csv(SIZE, ["null", "NA", "~"] * 40, header="size,y")),
    "colon-classes": ("t.csv", csv(SIZE, ["a: b", "#c", "[d"] * 40, header="size,y")),
    "labels-missing": (
        "t.csv",
        csv(SIZE, ["" if n % 10 == 0 else n % 2 for n in N], header="size,y"),
    ),
    "most-labels-missing": (
        "t.csv",
        csv([*SIZE] * 4, ["" if n % 5 else n % 2 for n in range(480)], header="size,y"),
    ),
    "a-rare-class": ("t.csv", csv(SIZE, ["c", *AB[1:]], header="size,y")),
    "a-misspelt-class": ("t.csv", csv(SIZE, ["A ", *AB[1:]], header="size,y")),
    "mixed-cells": (
        "t.csv",
        csv(SIZE, [n if n % 2 else f"x{n % 3}" for n in N], AB, header="size,odd,y"),
    ),
    "few-bad-numbers": ("t.csv", csv(["?", *SIZE[1:]], AB, header="size,y")),
    "infinite": ("t.csv", csv(["inf", *SIZE[1:]], AB, header="size,y")),
    "decimal-commas": (
        "t.csv",
        csv([f'"{n},5"' for n in N], SIZE, AB, header="odd,size,y"),
    ),
    "thousands": ("t.csv", csv([f'"{n},000"' for n in N], SIZE, AB, header="odd,size,y")),
    "percent": ("t.csv", csv([f"{n} %" for n in N], SIZE, AB, header="odd,size,y")),
    "empty-column": ("t.csv", csv([""] * ROWS, SIZE, AB, header="none,size,y")),
    "constant": ("t.csv", csv([1] * ROWS, SIZE, AB, header="one,size,y")),
    "big-ids": ("t.csv", csv([2**60 + n for n in N], SIZE, AB, header="tweet_id,size,y")),
    "ids-that-repeat": (
        "t.csv",
        csv([f"u{n // 2}" for n in N], SIZE, AB, header="user_id,size,y"),
    ),
    "names-alone": ("t.csv", csv([f"{said(1)}{n}" for n in N], AB, header="name,y")),
    "thousand-columns": (
        "t.csv",
        csv(*([SIZE] * 1000), AB, header=",".join([*(f"c{n}" for n in range(1000)), "y"])),
    ),
    "quoted-newlines": (
        "t.csv",
        csv([f'"{said()}\n{said()}, ""x"""' for n in N], AB, header="said,y"),
    ),
    "crlf": ("t.csv", csv(SIZE, AB, header="size,y").replace(b"\n", b"\r\n")),
    "gz": ("t.csv.gz", gzip.compress(csv(SIZE, AB, header="size,y"))),
    "chinese": (
        "t.csv",
        csv(["".join(RANDOM.choice([*"天地玄黃宇宙洪荒"], 9)) for _ in N], AB, header="文,y"),
    ),
    "iso-without-offset": (
        "t.csv",
        csv([f"2026-01-{1 + n % 28:02} 10:00:00" for n in N], SIZE, AB, header="at,size,y"),
    ),
    "day-first": (
        "t.csv",
        csv([f"{1 + n % 28}/01/2026" for n in N], SIZE, AB, header="at,size,y"),
    ),
    "month-names": (
        "t.csv",
        csv([f"{1 + n % 28:02} Jan 2026" for n in N], SIZE, AB, header="at,size,y"),
    ),
    "date-and-clock": (
        "t.csv",
        csv([f"2026-01-{1 + n % 28:02}" for n in N], ["10:00"] * 60 + ["11:30"] * 60, SIZE, AB,
            header="day,clock,size,y"),
    ),
    "embedding-as-text": (
        "t.csv",
        csv([f'"[{n}, {n % 7}.5, -1e-3]"' for n in N], AB, header="vector,y"),
    ),
    "lines": ("t.jsonl", jsonl([{"size": SIZE[n], "y": n % 2} for n in N])),
    "lines-that-lack-keys": (
        "t.jsonl",
        jsonl([{"size": SIZE[n], "y": n % 2} | ({"more": "x"} if n % 2 else {}) for n in N]),
    ),
    "lines-with-objects": (
        "t.jsonl",
        jsonl([{"size": SIZE[n], "inner": {"a": n}, "y": AB[n]} for n in N]),
    ),
    "lines-with-lists": (
        "t.jsonl",
        jsonl([{"v": [n, n % 3, 1], "odd": [1] * (n % 4), "y": AB[n]} for n in N]),
    ),
    "parquet-of-kinds": (
        "t.parquet",
        parquet(
            flag=[n % 2 == 0 for n in N],
            size=SIZE,
            whole=list(N),
            level=pa.array([f"l{n % 4}" for n in N]).dictionary_encode(),
            at=pa.array(N, pa.timestamp("s")),
            zoned=pa.array(N, pa.timestamp("s", "UTC")),
            day=pa.array(N, pa.date32()),
            clock=pa.array(N, pa.time32("s")),
            raw=[b"x"] * ROWS,
            vector=[[float(n), 1.0] for n in N],
            inner=[{"a": n} for n in N],
            y=[n % 3 for n in N],
        ),
    ),
    "pandas-parquet": (
        "t.parquet",
        lambda path: pd.DataFrame({"size": SIZE, "y": [n % 2 == 0 for n in N]}, index=[*"ab"] * 60)
        .to_parquet(path),
    ),
    "odd-file-name": ("Größe [1] (final).csv", csv(SIZE, AB, header="size,y")),
}  # fmt: skip

BAD: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("t.csv", b"", "got an empty file"),
    "header-only": ("t.csv", b"size,y\n", "got a header and no rows"),
    "label-alone": ("t.csv", csv(AB, header="y"), "there is no other column"),
    "two-rows": ("t.csv", b"size,y\n1,a\n2,b\n", "Name a column of classes|at least 6 rows each"),
    "one-class": ("t.csv", csv(SIZE, ["a"] * ROWS, header="size,y"), "expected two classes"),
    "no-label": ("t.csv", csv(SIZE, AB, header="size,Y "), "got 'y'\\. Did you mean 'Y '"),
    "labels-empty": ("t.csv", csv(SIZE, [""] * ROWS, header="size,y"), "120 empty cells"),
    "a-measure-as-label": ("t.csv", csv(AB, SIZE, header="size,y"), "Name a column of classes"),
    "many-spellings": (
        "t.csv",
        csv(SIZE, ["yes", "Yes", "no"] * 40, header="size,y"),
        "expected each class in one spelling",
    ),
    "names-twice": (
        "t.csv",
        csv(SIZE, SIZE, AB, header="x,x,y"),
        r"more than once .*\(columns 1, 2\)",
    ),
    "semicolons": ("t.csv", b"size;y\n1;a\n", "separated by ';'"),
    "ragged": ("t.csv", b"size,y\n1,a\n1,2,b\n", "expected 2 cells in each row, got 3"),
    "only-ids": ("t.csv", csv(N, AB, header="id,y"), "got none that can be a feature"),
    "binary": ("t.csv", bytes(range(256)) * 9, "got another encoding"),
    "torn-gz": ("t.csv.gz", gzip.compress(csv(SIZE, AB, header="size,y"))[:-20], "end early"),
    "tabs-by-name": ("t.tsv", b"size\ty\n1\ta\n", "write it with commas"),
    "json": ("t.json", b"[]", "JSON object on a line of its own"),
    "excel": ("t.xlsx", b"PK", "export the sheet as CSV"),
}


@dataclass(frozen=True)
class Made:
    plan: Plan
    text: str


def made(folder: Path, name: str, content: bytes | Callable[[Path], object], *labels: str) -> Made:
    path = folder / "data" / name
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    text = drafted(str(path), labels or ("y",), folder).text
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return Made(load_plan(str(folder / "plan.yaml")), text)


@pytest.mark.parametrize("case", GOOD)
def test_a_plan_of_any_sensible_file_passes_the_check(tmp_path: Path, case: str) -> None:
    plan = made(tmp_path, *GOOD[case]).plan
    sample = check_sample(plan, tmp_path / "scratch")
    assert sample.rows > 0
    assert plan.dataset.columns


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_makes_no_plan_says_what_to_do(tmp_path: Path, case: str) -> None:
    name, content, told = BAD[case]
    with pytest.raises(NightshiftError, match=told) as fault:
        made(tmp_path, name, content)
    assert isinstance(fault.value, PlanError | DataRejected)


def test_a_cap_met_before_there_is_a_plan_says_how_to_come_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = csv(["x" * (Caps().cell_chars + 1), *AB[1:]], AB, header="said,y")
    way_out = "There is no plan to say so yet: make one from a smaller file"
    with pytest.raises(
        DataRejected, match=rf"more in row 1\. .*dataset.caps.cell_chars.*{way_out}"
    ):
        made(tmp_path, "t.csv", long)
    monkeypatch.setattr(first_look, "Caps", lambda: Caps(object_bytes=10))
    with pytest.raises(DataRejected, match=f"at most 10 bytes, got.*object_bytes.*{way_out}"):
        made(tmp_path, "t.csv", csv(SIZE, AB, header="size,y"))


def test_a_folder_of_drops_gives_one_plan_of_all(tmp_path: Path) -> None:
    for day in range(8):
        content = csv(SIZE, ["ab"[n % 2] if day else "a" for n in N], header="size,y")
        (tmp_path / "drops").mkdir(exist_ok=True)
        (tmp_path / "drops" / f"{day}.csv").write_bytes(content)
    (tmp_path / "drops" / "notes.txt").write_text("none")
    made = drafted(str(tmp_path / "drops"), ["y"], tmp_path)
    assert made.name == "drops"
    assert made.guesses.label.classes == ("a", "b")
    (tmp_path / "plan.yaml").write_text(made.text)
    plan = load_plan(str(tmp_path / "plan.yaml"))
    assert (plan.dataset.source, plan.dataset.pattern) == (str(tmp_path / "drops"), "*.csv")


def test_objects_in_a_bucket_are_looked_at_too(tmp_path: Path, cloud: Emulator) -> None:
    place = f"gs://{BUCKET}/drops"
    open_store(place).write("day.csv", csv(SIZE, AB, header="size,y"), ABSENT)
    for data in (place, f"{place}/day.csv"):
        text = drafted(data, ["y"], tmp_path).text
        (tmp_path / "plan.yaml").write_text(text)
        plan = load_plan(str(tmp_path / "plan.yaml"))
        assert plan.dataset.source == place
        assert check_sample(plan, tmp_path / "scratch").rows == ROWS


def test_the_pattern_is_of_the_file_and_its_drops_but_of_no_neighbour(tmp_path: Path) -> None:
    rows = csv(SIZE, AB, header="size,y")
    alone = made(tmp_path, "rows.csv", rows).plan.dataset.pattern
    drops = ("rows.csv", "rows-2026-01-31.csv")
    assert all(fnmatch.fnmatchcase(name, alone) for name in drops)
    others = ("rows_test.csv", "test_rows.csv", "rows2.csv", "rows.csv.gz")
    assert not any(fnmatch.fnmatchcase(name, alone) for name in others)
    (tmp_path / "data" / "rows-old.csv").write_bytes(b"other\n1\n")
    assert made(tmp_path, "rows.csv", rows).plan.dataset.pattern == "rows.csv"


def test_no_cell_of_a_feature_stands_in_the_plan(tmp_path: Path) -> None:
    texts = [f"zebra {said()}" for n in N]
    rows = csv(texts, ["quokka", "walrus"] * 60, AB, header="said,level,y")
    text = made(tmp_path, "rows.csv", rows).text
    assert not any(word in text for word in ("zebra", "quokka", "walrus"))


def test_what_is_ambiguous_is_asked_in_the_plan(tmp_path: Path) -> None:
    rows = csv([f"0{1 + n % 9}/01/2026" for n in N], SIZE, AB, header="at,size,y")
    made_plan = made(tmp_path, "rows.csv", rows)
    assert made_plan.plan.dataset.time_format == "%d/%m/%Y"
    assert "# Is it day before month? If not, the format is '%m/%d/%Y'." in made_plan.text
    assert "# Which time zone is it? UTC is a guess." in made_plan.text


@pytest.mark.parametrize("share", [0.003, 0.02, 0.7])
def test_the_plan_leaves_room_for_the_rows_that_are_set_aside_now(
    tmp_path: Path, share: float
) -> None:
    labels = ["" if n < share * 1000 else "ab"[n % 2] for n in range(1000)]
    made_plan = made(tmp_path, "rows.csv", csv(RANDOM.random(1000), labels, header="size,y"))
    assert made_plan.plan.dataset.quarantine.max_share > share
    assert f"{round(share * 1000):,} of 1,000 rows are set aside" in made_plan.text
    assert check_sample(made_plan.plan, tmp_path / "scratch").rows == round(1000 - share * 1000)


@pytest.mark.parametrize("rows", [20, 25, 30, 33, 34, 40])
def test_a_plan_of_few_rows_lowers_the_floor_and_says_so(tmp_path: Path, rows: int) -> None:
    labels = ["ab"[n % 2] for n in range(rows)]
    made_plan = made(tmp_path, "rows.csv", csv(SIZE[:rows], labels, header="size,y"))
    lowered = made_plan.plan.dataset.floors.rows
    assert lowered == (rows // 2 if rows < 34 else 20)
    assert (f"{rows} rows are few" in made_plan.text) == (rows < 34)
    assert check_sample(made_plan.plan, tmp_path / "scratch").rows == rows


def test_names_are_searched_by_their_characters(tmp_path: Path) -> None:
    name, content = GOOD["names-alone"]
    plan = made(tmp_path, name, content).plan
    assert all(family.features.text.characters is True for family in plan.families)
