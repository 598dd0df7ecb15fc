"""Calls to Cloud Storage: one client a process, patience with passing faults, ours in their place.

No message quotes Google's own words: they hold addresses of upload sessions, and may hold tokens.
"""

import http.client
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

import requests
import urllib3
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage import Bucket, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.adapters import HTTPAdapter

from schemas.faults import AccessDenied, NightFailed, NightshiftError
from schemas.store import shown_name
from tasks.storage.outages import OUTAGES, emulated

DEADLINE_S = 120.0
"""How long we go on trying without getting any further."""

THREADS = 16
_ANSWER_S = 30.0
_PASSING_CODES = frozenset({408, 429, 500, 502, 503, 504})
_PASSING = (
    ConnectionError,
    http.client.HTTPException,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    TransportError,
    DataCorruption,
)
_FAULTS = (
    *_PASSING,
    GoogleAPICallError,
    GoogleAuthError,
    InvalidResponse,
    RetryError,
    requests.RequestException,
    OSError,
)
_CHANGES = ("write", "upload", "delete")
_DOUBT = " It may have been done all the same; nothing else changed."
_LOGIN = "Sign in with `gcloud auth application-default login`, or name a service account's key in "
_ROLES = (
    "Grant them roles/storage.objectViewer on the bucket of a source, roles/storage.objectUser on "
    "the bucket of NIGHTSHIFT_HOME"
)

Given = TypeVar("Given")


def bucket_named(name: str) -> Bucket:
    """A handle; nothing is asked yet."""
    return _client(os.getpid(), os.environ.get("STORAGE_EMULATOR_HOST", "")).bucket(name)


@lru_cache(maxsize=4)
def _client(_pid: int, _emulator: str) -> Client:
    """Neither pickled nor shared with a fork, whose connections would be ours too."""
    for noisy in ("google", "urllib3"):  # attempts that we tell at their end, in our own words
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="google")  # on quotas
        client = Client(project=None)
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=2 * THREADS)
    client._http.mount("https://", adapter)
    client._http.mount("http://", adapter)
    return client


class Patience:
    """One operation, tried again after passing faults for as long as it has not stood still.

    `uncertain` once a try has failed: it may have been carried out, and its answer lost.
    """

    def __init__(self, deadline_s: float, doing: str) -> None:
        self._deadline_s = deadline_s
        self._doing = doing
        self._began = time.monotonic()
        self._tries = 0
        self.timeout_s = min(_ANSWER_S, deadline_s)
        self.uncertain = False

    @property
    def retry(self) -> Retry:
        return Retry(
            predicate=_passes,
            initial=min(0.5, self._deadline_s / 20),
            maximum=min(10.0, self._deadline_s / 4),
            timeout=self._deadline_s,
            on_error=self._note,
        )

    def call(self, act: Callable[[], Given]) -> Given:
        given: Given = self.retry(act)()
        return given

    def _note(self, fault: Exception) -> None:
        self.uncertain = True
        self._tries += 1
        now = time.monotonic()
        if self._tries == 1:  # pages and parts that came before it had a deadline of their own
            self._began = max(self._began, now - self.timeout_s)
        waited_s = now - self._began
        OUTAGES.note(self._doing, _got(fault), self._tries, waited_s, self._deadline_s)


@contextmanager
def told(doing: str, name: str, uri: str) -> Iterator[None]:
    """Faults of network, service and credentials in our own words."""
    try:
        yield
    except _FAULTS as fault:
        raise _in_our_words(fault, doing, shown_name(name), uri) from None


def _in_our_words(fault: Exception, verb: str, name: str, uri: str) -> NightshiftError:
    doing = f"{verb} {name}"
    last = fault.cause if isinstance(fault, RetryError) and fault.cause else fault
    code = _code(last)
    if code == 403:
        return AccessDenied(
            f"Could not {doing} in {uri}: expected credentials with the right to, got HTTP 403, "
            f"forbidden. {_ROLES}; then start again."
        )
    if code == 401 or (isinstance(last, GoogleAuthError) and not isinstance(last, TransportError)):
        got = "HTTP 401" if code else type(last).__name__
        return AccessDenied(
            f"Could not {doing} in {uri}: expected valid credentials, got none or expired ones "
            f"({got}). {_LOGIN}GOOGLE_APPLICATION_CREDENTIALS; then start again."
        )
    if _passes(last):
        doubt = _DOUBT if verb in _CHANGES else ""
        return NightFailed(
            f"Could not {doing} in {uri}: expected an answer from Cloud Storage{emulated()}, got "
            f"{_got(last)} until the deadline.{doubt} Check the network and "
            f"status.cloud.google.com, then start again."
        )
    if code:
        return NightFailed(
            f"Could not {doing} in {uri}: expected Cloud Storage to accept it, got HTTP {code}. "
            f"Check the bucket's settings (retention, encryption, billing), then start again."
        )
    got = getattr(last, "strerror", None) or type(last).__name__
    return NightFailed(
        f"Could not {doing} in {uri}: expected a writable folder with free space for it here, got "
        f"{got}. Check permissions and space, then start again."
    )


def _code(fault: BaseException) -> int:
    """The HTTP status of a refusal, or 0: Google's layers keep it in different places."""
    response = getattr(fault, "response", None)
    code = getattr(fault, "code", None) or getattr(response, "status_code", None)
    return int(code) if isinstance(code, int) and code >= 400 else 0


def _got(fault: BaseException) -> str:
    code = _code(fault)
    return f"HTTP {code}" if code else type(fault).__name__


def _passes(fault: BaseException) -> bool:
    return isinstance(fault, _PASSING) or _code(fault) in _PASSING_CODES
