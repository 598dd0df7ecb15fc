"""The errors that a user meets, one for each exit code; each says expected, got, where, what to do.

Anything else that escapes is a defect of ours: told by kind and place, with its stack trace only
after `--debug`.
"""

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pydantic takes its time, and `--help` needs none of it
    from schemas.findings import Finding


class NightshiftError(Exception):
    """The family of all faults that are told to the user without a stack trace."""

    exit_code = 4


class PlanError(NightshiftError):
    """The plan or the arguments are wrong: nothing was read, nothing was tried."""

    exit_code = 2


class DataRejected(NightshiftError):
    """The data can't be trained on: the champion stays and the night is recorded.

    `findings` says it rule by rule, for the validation report; empty where there is no object.
    """

    exit_code = 3

    def __init__(self, told: str, findings: "Sequence[Finding]" = ()) -> None:
        super().__init__(told)
        self.findings = tuple(findings)


class NightFailed(NightshiftError):
    """The night could not be finished: the champion stays and the next start resumes it."""


class AccessDenied(NightshiftError):
    """Credentials are missing, expired or without the right to: trying again changes nothing."""


class SourceChanged(NightFailed):
    """An object was replaced or removed after it was listed: what was read is thrown away."""


class ModelRefused(NightshiftError):
    """A stored model is missing, changed or not of a kind that we load."""


class EncoderMissing(NightshiftError):
    """The pretrained weights of a transformer are not here, or not of a kind that we load."""


class FitInterrupted(NightshiftError):
    """A fit was asked to end: how far it came is kept, and the same fit goes on from there."""


class StoreConflict(NightshiftError):
    """Somebody else wrote the object first: the precondition of a write did not hold."""


class NightClaimed(StoreConflict):
    """A live run works on the same plan and data right now."""


class ObjectMissing(NightshiftError):
    """There is no object of that name (and generation)."""


class BucketMissing(ObjectMissing):
    """The bucket itself: unlike a folder, a first night does not make it."""


def may_pass(fault: object) -> bool:
    """Whether trying again may help: bad data stays bad; a disk or a mount may come back.

    >>> may_pass(NightFailed("no such mount")), may_pass(DataRejected("no such column"))
    (True, False)
    """
    return isinstance(fault, NightFailed)


def kind_and_place(defect: BaseException) -> str:
    """What may be told of a defect of ours; not its words, which may quote a cell of the data.

    >>> kind_and_place(KeyError("a cell"))
    'KeyError'
    """
    frames = traceback.extract_tb(defect.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(defect).__name__}{place}"
