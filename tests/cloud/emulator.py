"""Cloud Storage in this process, kept to its contract, with the faults of a bad day on demand.

The emulator from PyPI stores and parses; what it leaves out is added here, as measured on Google's
own test bench: preconditions, pinned generations, pages, partial answers, any legal name, and
several requests at a time. Versions of an object that were replaced are not kept, and lists know
no delimiters: no store of ours asks for them.
"""

import hashlib
import itertools
import re
import socket
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import quote

from gcp_storage_emulator.handlers import buckets, objects
from gcp_storage_emulator.server import HANDLERS, Request, Response
from gcp_storage_emulator.storage import Storage

FOR_EVER = 1_000_000
BUCKET = "nights"
Operation = Literal["list", "get", "download", "insert", "upload", "delete", "*"]
Kind = Literal["status", "delay", "corrupt", "truncate", "reset", "lost response"]

_OPERATIONS = {
    objects.ls: "list",
    objects.get: "get",
    objects.download: "download",
    objects.insert: "insert",
    objects.upload_partial: "upload",
    objects.delete: "delete",
}
_ROUTES = [(re.compile(pattern), handlers) for pattern, handlers in HANDLERS]
_REASONS = {412: "conditionNotMet", 404: "notFound", 401: "authError", 403: "forbidden"}
_PAGE = 1000


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of an operation."""

    operation: Operation
    kind: Kind
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    name: str | None = None  # of the only object that it meets


@dataclass(frozen=True)
class Seen:
    """One answered request; a lost answer has the status that it would have told."""

    operation: str
    name: str
    status: int


@dataclass
class Emulator:
    """A running service: what is in it, what it was asked, and what goes wrong next."""

    url: str
    storage: "_Objects"
    faults: list[Fault] = field(default_factory=list)
    log: list[Seen] = field(default_factory=list)

    def put(self, name: str, content: bytes, bucket: str = BUCKET, **properties: Any) -> int:
        """As a producer would, without a request; the new generation."""
        resource = objects._make_object_resource(
            self.url, bucket, name, "application/octet-stream", str(len(content))
        )
        with self.storage.lock:
            made = objects._checksums(content, resource) | properties
            self.storage.create_file(bucket, name, content, made)
        return int(made["generation"])

    def content(self, name: str, bucket: str = BUCKET) -> bytes:
        found: bytes = self.storage.get_file(bucket, name)
        return found

    def names(self, bucket: str = BUCKET) -> list[str]:
        return sorted(self.storage.objects.get(bucket, {}))

    def seen(self, operation: str) -> list[Seen]:
        return [seen for seen in self.log if seen.operation == operation]

    def take_fault(self, operation: str, name: str) -> Fault | None:
        for fault in self.faults:
            meets = fault.operation in (operation, "*") and fault.name in (None, name)
            if meets and fault.times > 0:
                fault.times -= 1
                return fault
        return None


class _Objects(Storage):  # type: ignore[misc]
    """In memory, under any name, with generations that rise and names at hand in order."""

    def __init__(self) -> None:
        super().__init__(use_memory_fs=True)
        self.lock = threading.RLock()
        self._generations = itertools.count(time.time_ns() // 1000)
        self._order: dict[str, list[str]] = {}
        self.finished: dict[str, dict[str, Any]] = {}  # what became of upload sessions

    def create_file(
        self, bucket: str, name: str, content: bytes, resource: dict[str, Any], *upload: str
    ) -> None:
        resource |= {"generation": str(next(self._generations)), "metageneration": "1"}
        server = resource["mediaLink"].partition("/download/")[0]
        resource["mediaLink"] = (
            f"{server}/download/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
            f"?generation={resource['generation']}&alt=media"
        )
        super().create_file(bucket, name, content, resource, *upload)
        self.finished |= dict.fromkeys(upload, resource)
        self._order.pop(bucket, None)

    def add_to_resumable_upload(
        self, session: str, content: bytes, total_size: int | None = None, expected_start: int = 0
    ) -> bytes | None:
        """Bytes that came twice, since the first answer was lost, count once."""
        known = self.get_resumable_byte_count(session)
        fresh = content[max(known - expected_start, 0) :]
        whole: bytes | None = super().add_to_resumable_upload(session, fresh, total_size, known)
        return whole

    def delete_file(self, bucket: str, name: str) -> None:
        super().delete_file(bucket, name)
        self._order.pop(bucket, None)

    def live(self, bucket: str, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.objects.get(bucket, {}).get(name)
        return found

    def page(self, bucket: str, prefix: str, after: str, count: int) -> tuple[list[str], bool]:
        """Names behind `after`, and whether more follow."""
        order = self._order.setdefault(bucket, sorted(self.objects.get(bucket, {})))
        start = bisect_left(order, after + "\0" if after else prefix)
        names = order[start : start + count + 1]
        matching = [name for name in names if name.startswith(prefix)]
        return matching[:count], len(matching) > count

    def _object_path(self, bucket: str, name: str) -> str:
        return f"{bucket}/{hashlib.sha256(name.encode()).hexdigest()}"

    def _write_config_to_file(self) -> None:
        """Not the whole catalogue at each write: nobody reads it again."""


class _Answer(Response):  # type: ignore[misc]
    """An answer that can go wrong on its way."""

    fault: Fault | None = None

    def refuse(self, status: int) -> None:
        self.status = HTTPStatus(status)
        reason = _REASONS.get(status, "injected")
        told = {"code": status, "message": reason, "errors": [{"reason": reason}]}
        self.json({"error": told})

    @cached_property
    def body(self) -> bytes:
        return self._content.encode() if isinstance(self._content, str) else bytes(self._content)

    def close(self) -> None:
        kind = self.fault.kind if self.fault else "none"
        if kind in ("reset", "lost response"):
            self._cut()
            return
        body = self.body
        self._handler.send_response(int(self.status), self.status.phrase)
        for key, value in self._headers.items():
            self._handler.send_header(key, value)
        self._handler.send_header("Content-Length", str(len(body)))
        self._handler.end_headers()
        if kind == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind == "truncate":
            body = body[: len(body) // 2]
        self._handler.wfile.write(body)
        if kind == "truncate":
            self._cut()

    def _cut(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    emulator: Emulator

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def log_message(self, *_: object) -> None:
        """`Emulator.log` has it."""

    def _serve(self, method: str) -> None:
        request, answer = Request(self, method), _Answer(self)
        _ = request.data  # the body is taken off the connection before anything can go wrong
        handler = _route(request, method)
        if handler is None:
            answer.refuse(501)
            answer.close()
            return
        operation, name = _OPERATIONS.get(handler, "other"), _name(request)
        with self.emulator.storage.lock:
            fault = answer.fault = self.emulator.take_fault(operation, name)
        if fault is not None and fault.kind == "delay":
            time.sleep(fault.seconds)
        with self.emulator.storage.lock:
            if fault is not None and fault.kind == "status":
                answer.refuse(fault.status)
            elif fault is None or fault.kind != "reset":
                self._act(handler, operation, name, request, answer)
            self.emulator.log.append(Seen(operation, name, int(answer.status)))
        answer.close()

    def _act(
        self, handler: Any, operation: str, name: str, request: Request, answer: _Answer
    ) -> None:
        storage = self.emulator.storage
        bucket = request.params.get("bucket_name", "")
        if operation != "other" and bucket not in storage.buckets:
            return answer.refuse(404)
        if operation == "list":
            return answer.json(_listing(storage, bucket, request))
        if finished := storage.finished.get(_asked(request, "upload_id") or ""):
            return answer.json(finished)
        present = storage.live(bucket, name)
        if operation in ("get", "download", "delete") and not _is_pinned(request, present):
            return answer.refuse(404)
        if not _holds(request, present):
            return answer.refuse(412)
        handler(request, answer, storage)
        if operation == "download" and present is not None:
            _tell_headers(answer, present)
        return None


def _route(request: Request, method: str) -> Any:
    for pattern, handlers in _ROUTES:
        match = pattern.fullmatch(request.path)
        if match:
            request.set_match(match)
            return handlers.get(method)
    return None


def _asked(request: Request, key: str) -> str | None:
    values = request.query.get(key)
    return values[0] if values else None


def _name(request: Request) -> str:
    """The object that a request is about: in the path, the query, the body or the session's id."""
    if found := request.params.get("object_id") or _asked(request, "name"):
        return str(found)
    if session := _asked(request, "upload_id"):
        return session.partition(":")[2].rsplit(":", 3)[0]
    if isinstance(request.data, dict):
        return str(request.data.get("meta", request.data).get("name", ""))
    return ""


def _is_pinned(request: Request, present: dict[str, Any] | None) -> bool:
    wanted = _asked(request, "generation")
    return present is not None and wanted in (None, present["generation"])


def _holds(request: Request, present: dict[str, Any] | None) -> bool:
    generation = present["generation"] if present else "0"
    match, other = _asked(request, "ifGenerationMatch"), _asked(request, "ifGenerationNotMatch")
    return match in (None, generation) and other != generation


def _listing(storage: _Objects, bucket: str, request: Request) -> dict[str, Any]:
    count = min(int(_asked(request, "maxResults") or _PAGE), _PAGE)
    prefix, after = _asked(request, "prefix") or "", _asked(request, "pageToken") or ""
    names, more = storage.page(bucket, prefix, after, count)
    chosen = re.search(r"items\(([^)]*)\)", _asked(request, "fields") or "")
    items = [storage.objects[bucket][name] for name in names]
    if chosen:
        wanted = chosen[1].split(",")
        items = [{key: item[key] for key in wanted if key in item} for item in items]
    return {"kind": "storage#objects", "items": items} | (
        {"nextPageToken": names[-1]} if more else {}
    )


def _tell_headers(answer: _Answer, present: dict[str, Any]) -> None:
    answer["X-Goog-Generation"] = present["generation"]
    answer["X-Goog-Metageneration"] = present["metageneration"]
    answer["X-Goog-Stored-Content-Length"] = present["size"]
    encoding = present.get("contentEncoding")
    answer["X-Goog-Stored-Content-Encoding"] = encoding or "identity"
    if encoding:
        answer["Content-Encoding"] = encoding


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # sixteen clients at once are no flood
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hung up is the client's matter; it sees any other fault as a reset."""


@contextmanager
def emulated(bucket: str = BUCKET) -> Iterator[Emulator]:
    """A service with one empty bucket, for the length of the block."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    emulator = Emulator(f"http://127.0.0.1:{server.server_port}", _Objects())
    handler.emulator = emulator  # type: ignore[attr-defined]
    buckets.create_bucket(bucket, emulator.storage)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield emulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
