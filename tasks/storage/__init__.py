"""The border to files: a local folder or a bucket, behind one interface.

`local` is the folder, `bucket` Cloud Storage, `calls` its client, patience and faults, `files` the
whole files that both leave behind, `memory` what need not be read twice. Google's libraries are
imported where a bucket is opened: a local night does not pay for them.
"""

import re
from dataclasses import replace
from pathlib import Path

from schemas.faults import PlanError
from schemas.store import Store, name_fault
from tasks.storage.local import LocalStore

__all__ = ["LocalStore", "open_store"]

BUCKET = "gs"
_BUCKET_NAME = re.compile(r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]")


def open_store(
    uri: str,
    memory: Path | None = None,
    deadline_s: float | None = None,  # how long a bucket may stand still, if less than usual
) -> Store:
    """The store at a folder path, a `file://` URI or `gs://bucket/prefix`; looking makes nothing.

    In the folder `memory` it keeps what need not be read again; all of that may be lost.
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme == BUCKET:
        return _open_bucket(uri, rest, memory, deadline_s)
    if not uri or "\0" in uri or (separator and scheme != "file"):
        raise PlanError(
            f"Expected the path of a local folder or gs://bucket/prefix, got {uri!r}. Other places "
            f"can't be read: copy the objects to a folder or a bucket and name that."
        )
    root = Path(rest if separator else uri).expanduser().absolute()
    return LocalStore(root, memory=memory)


def _open_bucket(uri: str, place: str, memory: Path | None, deadline_s: float | None) -> Store:
    bucket, _, prefix = place.partition("/")
    prefix = prefix.strip("/")
    if not _BUCKET_NAME.fullmatch(bucket) or (prefix and name_fault(prefix)):
        wrong = name_fault(prefix) if _BUCKET_NAME.fullmatch(bucket) else "no bucket's name in it"
        raise PlanError(
            f"Expected gs://bucket/prefix with a plain prefix, got {uri!r}, which has {wrong}. "
            f"`gcloud storage ls` shows the buckets there are."
        )
    from tasks.storage.bucket import BucketStore

    store = BucketStore(bucket, prefix, memory=memory)
    return store if deadline_s is None else replace(store, deadline_s=deadline_s)
