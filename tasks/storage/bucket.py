"""A prefix of a Cloud Storage bucket as a store: generations and preconditions are the service's.

Every read is pinned to a generation and its checksum recomputed here; `chunk_size` downloads and
`blob.open("rb")` are banned, since they give damaged bytes without a word. Every write names the
generation that it replaces. An answer that is lost after our own write is recognised by content.
"""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from google.api_core.exceptions import NotFound, PreconditionFailed, RetryError
from google.cloud.storage import Blob

from schemas.faults import BucketMissing, DataRejected, NightFailed, ObjectMissing
from schemas.store import ABSENT, ObjectRef, shown_name
from tasks.storage.calls import DEADLINE_S, THREADS, Patience, bucket_named, told
from tasks.storage.files import (
    Passage,
    changed,
    copied,
    flush,
    missing,
    outrun,
    refuse_hostile,
    taken,
    temporary,
)
from tasks.storage.memory import Memory, Remembered

FIELDS = "items(name,generation,size,crc32c,contentEncoding),nextPageToken"
_UPLOAD_BYTES = 8 << 20  # a part of an upload: what memory holds of it
_DAMAGED_TRIES = 3


@dataclass(frozen=True)
class BucketStore:
    """Travels between threads and tasks as what it is: two names, no connection."""

    bucket: str
    prefix: str = ""
    deadline_s: float = DEADLINE_S
    memory: Path | None = None

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    def list(self, prefix: str = "") -> Iterator[ObjectRef]:
        """Every object by name, but dotfiles and the placeholders that consoles make of folders."""
        patience, root = self._patience("list", prefix or "the objects"), self._root
        with told("list", prefix or "the objects", self.uri), self._of_bucket():
            for blob in bucket_named(self.bucket).list_blobs(
                prefix=root + prefix,
                fields=FIELDS,
                timeout=patience.timeout_s,
                retry=patience.retry,
            ):
                name = blob.name[len(root) :]
                if not _unseen(name):
                    yield _ref(name, blob)

    def contents(self, prefix: str = "") -> Iterator[tuple[ObjectRef, bytes]]:
        """Generations never change, so what was read once is remembered; the rest comes at once."""
        refs = list(self.list(prefix))
        memory = None if self.memory is None else Memory(self.memory, self.uri)
        known = memory.recall(prefix) if memory else {}
        marks = {ref.name: str(ref.generation) for ref in refs}
        facts = {name: kept for name, kept in known.items() if marks.get(name) == kept.mark}
        fresh = [ref for ref in refs if ref.name not in facts]
        for ref, content in zip(fresh, self._read_all(fresh), strict=True):
            if content is not None:
                facts[ref.name] = Remembered(marks[ref.name], content)
        if memory and facts != known:
            memory.keep(prefix, facts)
        return ((ref, facts[ref.name].fact) for ref in refs if ref.name in facts)

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        key, patience = self._key(name), self._patience("read", name)

        def whole() -> tuple[bytes, Blob]:
            # A new handle a try: the client leaves resumed downloads unchecked.
            blob = bucket_named(self.bucket).blob(key, generation=generation)
            return blob.download_as_bytes(
                raw_download=True, checksum="crc32c", timeout=patience.timeout_s, retry=None
            ), blob

        with told("read", name, self.uri):
            try:
                content, blob = patience.call(whole)
            except NotFound:
                raise self._gone(name) from None
        self._refuse_encoded(name, blob.content_encoding or "")
        return content, int(blob.generation)

    def download(self, ref: ObjectRef, to: Path) -> None:
        """Goes on where a connection broke, and begins anew where the checksum is wrong."""
        self._refuse_encoded(ref.name, ref.content_encoding)
        self._refuse_unchecked(ref)
        with told("download", ref.name, self.uri):
            to.parent.mkdir(parents=True, exist_ok=True)
            with temporary(to.parent) as (part, sink):
                for _ in range(_DAMAGED_TRIES):
                    sink.seek(0)
                    sink.truncate()
                    passage = Passage(sink)
                    self._pull(ref, passage)
                    if (passage.crc32c, passage.size) == (ref.crc32c, ref.size):
                        flush(sink)
                        part.replace(to)
                        return
        raise NightFailed(
            f"Could not download {shown_name(ref.name)} from {self.uri}: expected {ref.size} bytes "
            f"with the checksum that was listed, got others {_DAMAGED_TRIES} times. They are "
            f"damaged on their way: check proxies and network, then start again."
        )

    @contextmanager
    def opened(self, ref: ObjectRef, scratch: Path) -> Iterator[Path]:
        """A copy in `scratch`, gone after the block."""
        copy = scratch / f"{uuid.uuid4().hex}.object"
        try:
            self.download(ref, copy)
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def write(self, name: str, content: bytes, if_generation: int) -> int:
        blob, patience = self._writable(name), self._patience("write", name)
        with told("write", name, self.uri), self._of_bucket():
            try:
                blob.upload_from_string(
                    content,
                    content_type="application/octet-stream",
                    if_generation_match=if_generation,
                    checksum="crc32c",
                    timeout=patience.timeout_s,
                    retry=patience.retry,
                )
            except PreconditionFailed:
                present = self._look(name)
                if patience.uncertain and self._is_ours(name, present, content, if_generation):
                    return _generation(present)
                raise outrun(name, self.uri, if_generation, _generation(present)) from None
        return _generation(blob)

    def upload(self, path: Path, name: str) -> int:
        """Twice the same bytes is one object: a repeated upload after a crash succeeds."""
        blob, patience = self._writable(name), self._patience("upload", name)
        with told("upload", name, self.uri), self._of_bucket(), path.open("rb") as source:
            checksum, size = copied(source, None)
            source.seek(0)
            try:
                blob.upload_from_file(
                    source,
                    size=size,
                    content_type="application/octet-stream",
                    if_generation_match=ABSENT,
                    checksum="crc32c",
                    timeout=patience.timeout_s,
                    retry=patience.retry,
                )
            except PreconditionFailed:
                blob = self._look(name)
        if blob is None:
            raise outrun(name, self.uri, ABSENT, ABSENT)  # there a moment ago, and gone again
        if (blob.crc32c, blob.size) != (checksum, size):
            raise taken(name, self.uri, blob.size)
        return _generation(blob)

    def delete(self, name: str, if_generation: int) -> None:
        blob, patience = self._writable(name), self._patience("delete", name)
        with told("delete", name, self.uri):
            try:
                blob.delete(
                    if_generation_match=if_generation,
                    timeout=patience.timeout_s,
                    retry=patience.retry,
                )
            except NotFound:
                return
            except PreconditionFailed:
                present = self._look(name)
                if present is not None:
                    got = _generation(present)
                    raise outrun(name, self.uri, if_generation, got) from None

    @property
    def _root(self) -> str:
        """What all our names in the bucket begin with."""
        return f"{self.prefix}/" if self.prefix else ""

    def _patience(self, verb: str, name: str) -> Patience:
        return Patience(self.deadline_s, f"{verb} {shown_name(name)} in {self.uri}")

    def _key(self, name: str) -> str:
        refuse_hostile(name, self.uri)
        return self._root + name

    def _writable(self, name: str) -> Blob:
        key = self._key(name)
        with told("write", name, self.uri):
            return bucket_named(self.bucket).blob(key, chunk_size=_UPLOAD_BYTES)

    def _look(self, name: str) -> Blob | None:
        patience = self._patience("look at", name)
        return bucket_named(self.bucket).get_blob(
            self._key(name), timeout=patience.timeout_s, retry=patience.retry
        )

    def _is_ours(self, name: str, present: Blob | None, content: bytes, replaced: int) -> bool:
        """Newer than what was to be replaced, and our very bytes: it was our own lost write."""
        if present is None or _generation(present) <= replaced or present.size != len(content):
            return False
        try:
            return self.read(name, _generation(present))[0] == content
        except ObjectMissing:
            return False

    def _pull(self, ref: ObjectRef, passage: Passage) -> None:
        """Every byte that arrives gives the deadline anew."""
        blob = bucket_named(self.bucket).blob(self._key(ref.name), generation=ref.generation)
        patience = self._patience("download", ref.name)

        def on() -> None:
            if passage.size == 0 or passage.size < ref.size:
                blob.download_to_file(
                    passage,
                    start=passage.size or None,
                    raw_download=True,
                    checksum=None,  # the client leaves resumed downloads unchecked: we do it
                    timeout=patience.timeout_s,
                    retry=None,
                )

        while True:
            before = passage.size
            try:
                return patience.call(on)
            except NotFound:
                raise self._gone(ref.name) from None
            except RetryError:
                if passage.size == before:
                    raise

    def _read_all(self, refs: Sequence[ObjectRef]) -> Sequence[bytes | None]:
        def pinned(ref: ObjectRef) -> bytes | None:
            with suppress(ObjectMissing):
                return self.read(ref.name, ref.generation)[0]
            return None

        with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as pool:
            return list(pool.map(pinned, refs))

    def _gone(self, name: str) -> ObjectMissing:
        return missing(name, self.uri) if self._look(name) is None else changed(name, self.uri)

    @contextmanager
    def _of_bucket(self) -> Iterator[None]:
        """For calls that can miss nothing but the bucket itself."""
        try:
            yield
        except NotFound:
            raise BucketMissing(
                f"Expected a bucket {self.bucket!r} for {self.uri}, got none of that name. Correct "
                f"the name, or create it: `gcloud storage buckets create gs://{self.bucket}`."
            ) from None

    def _refuse_encoded(self, name: str, encoding: str) -> None:
        if encoding not in ("", "identity"):
            raise DataRejected(
                f"Expected object {shown_name(name)} of {self.uri} to be stored as it is, got "
                f"Content-Encoding {shown_name(encoding)!r}: what is downloaded would not be what "
                f"was listed. Upload it again without (`gcloud storage cp` without -Z or -z); a "
                f"file that ends in .gz is read as it is."
            )

    def _refuse_unchecked(self, ref: ObjectRef) -> None:
        if not ref.crc32c:
            raise DataRejected(
                f"Expected object {shown_name(ref.name)} of {self.uri} to be listed with its "
                f"crc32c, got none, as under a customer-supplied encryption key. Store it under a "
                f"key that Cloud Storage manages."
            )


def _unseen(name: str) -> bool:
    """Dotfiles, and what stands for an empty folder. `..` is seen, so that it is refused."""
    if not name or name.endswith("/"):
        return True
    if "/." not in name and not name.startswith("."):
        return False
    return any(part.startswith(".") and part.strip(".") for part in name.split("/"))


def _ref(name: str, blob: Blob) -> ObjectRef:
    return ObjectRef(
        name=name,
        generation=blob.generation,
        size=blob.size,
        crc32c=blob.crc32c or "",
        content_encoding=blob.content_encoding or "",
    )


def _generation(blob: Blob | None) -> int:
    return ABSENT if blob is None else int(blob.generation)
