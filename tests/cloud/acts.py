"""What a store can be asked to do, each with the operation of Cloud Storage that it takes."""

from collections.abc import Callable
from pathlib import Path

from schemas.store import ABSENT, ObjectRef, Store
from tests.cloud.emulator import Operation

DEADLINE_S = 0.3
"""For stores that give up soon."""

Act = Callable[[Store, Path], object]


def listed(store: Store, name: str) -> ObjectRef:
    (ref,) = (ref for ref in store.list() if ref.name == name)
    return ref


def write_new(store: Store, folder: Path) -> object:
    return store.write("new", b"content", ABSENT)


def upload_new(store: Store, folder: Path) -> object:
    (folder / "file").write_bytes(b"content")
    return store.upload(folder / "file", "new")


def download_old(store: Store, folder: Path) -> object:
    return store.download(listed(store, "old"), folder / "copies" / "old")


ACTS: dict[str, tuple[Operation, Act]] = {
    "list": ("list", lambda store, _: list(store.list())),
    "read": ("download", lambda store, _: store.read("old")),
    "download": ("download", download_old),
    "write": ("insert", write_new),
    "upload": ("insert", upload_new),
    "delete": ("delete", lambda store, _: store.delete("old", store.read("old")[1])),
}
