import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prefect.logging import disable_run_logger
from prefect.states import Failed

from schemas.dataset import Dataset, NumberColumn
from schemas.faults import DataRejected, NightFailed, ObjectMissing
from schemas.manifest import Changes, Manifest
from schemas.store import ObjectRef, Store
from tasks import scanning
from tasks.scanning import changes, look, scan
from tasks.storage import open_store


def dataset(**named: Any) -> Dataset:
    return Dataset(**({"source": "drops", "columns": {"x": NumberColumn()}} | named))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "drops"
    folder.mkdir()
    put(folder, "day-1.csv", "day-2.csv.gz")
    return folder


@pytest.fixture
def store(source: Path) -> Store:
    return open_store(str(source))


def put(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def names(store: Store, wanted: Dataset) -> list[str]:
    return [ref.name for ref in look(store, wanted).manifest.objects]


def test_a_scan_finds_what_matches_and_can_be_read(store: Store, source: Path) -> None:
    put(source, "day-notes.txt", "other-1.csv")
    found = look(store, dataset(pattern="day*"))
    assert [ref.name for ref in found.manifest.objects] == ["day-1.csv", "day-2.csv.gz"]
    assert (found.waiting, found.overlooked) == ((), ("day-notes.txt",))


def test_the_digest_is_of_content_not_of_times_or_places(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for ref in store.list():
        store.download(ref, copy / ref.name)
    before = scan(store, dataset()).digest
    assert scan(open_store(str(copy)), dataset(source="elsewhere")).digest == before
    put(copy, "day-1.csv", text="y")
    assert scan(open_store(str(copy)), dataset()).digest != before


def test_an_empty_folder_is_rejected_data(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt")
    with pytest.raises(DataRejected, match=r"at least one object in .* got none; 1 of other kinds"):
        scan(open_store(str(tmp_path)), dataset())


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match="Expected a folder of objects"):
        scan(open_store(str(tmp_path / "none")), dataset())


def test_hostile_names_in_a_source_are_refused_by_name(store: Store, source: Path) -> None:
    put(source, "day\u202evsc.csv")
    told = r"'day\\u202evsc.csv' has a control or direction"
    with pytest.raises(DataRejected, match=told) as fault:
        scan(store, dataset())
    (finding,) = fault.value.findings
    assert finding.object_name == "day\\u202evsc.csv"


@pytest.mark.parametrize("name", ["model.pkl", "a/b.Pickle", "rows.joblib", "rows.pkl.gz"])
def test_a_pickle_is_refused_by_its_name_with_the_way_out(
    store: Store, source: Path, name: str
) -> None:
    put(source, name)
    with pytest.raises(DataRejected, match=r"data convert --trusted FILE` makes Parquet") as fault:
        scan(store, dataset())
    assert [finding.object_name for finding in fault.value.findings] == [name]
    assert repr(name)[1:-1] in str(fault.value)


def test_a_pickle_that_the_pattern_leaves_out_is_nobodys_matter(store: Store, source: Path) -> None:
    put(source, "model.pkl")
    assert names(store, dataset(pattern="*.csv")) == ["day-1.csv"]


def test_a_folder_without_its_marker_waits(store: Store, source: Path) -> None:
    put(source, "a/1.csv", "a/_SUCCESS", "b/2.csv", "a/below/3.csv")
    found = look(store, dataset(marker="_SUCCESS", pattern="*/*.csv"))
    assert [ref.name for ref in found.manifest.objects] == ["a/1.csv"]
    assert found.waiting == ("a/below/3.csv", "b/2.csv")
    assert found.overlooked == ()


def test_a_marker_at_the_top_is_for_the_top_alone(store: Store, source: Path) -> None:
    put(source, "_SUCCESS", "a/1.csv")
    assert names(store, dataset(marker="_SUCCESS")) == ["day-1.csv", "day-2.csv.gz"]


def test_a_marker_alone_brings_nothing_and_is_never_data(tmp_path: Path) -> None:
    put(tmp_path, "a/done.csv")
    found = look(open_store(str(tmp_path)), dataset(marker="done.csv"))
    assert found == scanning.Listing(Manifest(source="drops", objects=()))


def test_what_waits_is_told_and_no_fault_of_the_data(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "get_run_logger", logging.getLogger)
    with caplog.at_level(logging.INFO):
        found = scanning.scan_source.fn(store, dataset(marker="_SUCCESS"))
    assert found.manifest.objects == ()
    assert "2 wait for '_SUCCESS' in their folder: day-1.csv, day-2.csv.gz" in caplog.text
    with pytest.raises(DataRejected, match=r"got none; 2 wait for '_SUCCESS'"):
        scan(store, dataset(marker="_SUCCESS"))


@pytest.mark.parametrize("marker", ["", "a/_SUCCESS", ".done"])
def test_a_marker_is_a_plain_name(marker: str) -> None:
    with pytest.raises(ValueError, match="expected the plain name of an object, such as _SUCCESS"):
        dataset(marker=marker)


def test_everything_is_new_to_the_first_night(store: Store) -> None:
    assert changes(scan(store, dataset()), None).new == ("day-1.csv", "day-2.csv.gz")


def test_changes_are_of_content(store: Store, source: Path) -> None:
    put(source, "old.csv")
    before = scan(store, dataset())
    (source / "old.csv").unlink()
    put(source, "day-1.csv", "day-3.csv", text="y")
    (source / "day-2.csv.gz").touch()
    news = changes(scan(store, dataset()), before)
    assert news == Changes(new=("day-3.csv",), changed=("day-1.csv",), vanished=("old.csv",))
    assert changes(before, before) == Changes()


def test_what_waits_again_has_not_vanished(store: Store, source: Path) -> None:
    put(source, "a/1.csv", "a/_SUCCESS", "_SUCCESS")
    marked = dataset(marker="_SUCCESS")
    before = scan(store, marked)
    (source / "a" / "_SUCCESS").unlink()
    found = look(store, marked)
    assert found.waiting == ("a/1.csv",)
    assert changes(found.manifest, before, found.waiting) == Changes()


@dataclass
class Listed:
    """A source whose listings are counted."""

    refs: list[ObjectRef]
    uri: str = "counted"
    listings: list[str] = field(default_factory=list)

    def list(self, prefix: str = "") -> Iterator[ObjectRef]:
        self.listings.append(prefix)
        yield from self.refs


def test_one_look_lists_the_source_once() -> None:
    crc = base64.b64encode(bytes(4)).decode()
    refs = [ObjectRef(name=f"{n}.csv", generation=1, size=1, crc32c=crc) for n in range(3)]
    store = Listed(refs)
    with disable_run_logger():
        found = scanning.scan_source.fn(store, dataset())  # type: ignore[arg-type]
    assert len(found.manifest.objects) == 3
    assert store.listings == [""]


@pytest.mark.parametrize(("fault", "again"), [(NightFailed, True), (DataRejected, False)])
def test_only_faults_that_may_pass_are_tried_again(fault: type[Exception], again: bool) -> None:
    again_if = scanning.scan_source.retry_condition_fn
    assert again_if is not None
    assert again_if(scanning.scan_source, None, Failed(data=fault("x"))) is again
