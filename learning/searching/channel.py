"""What a fit in a worker and the coordinator tell each other while it runs, by two small files.

They lie beside the answers that the fit is to give, so whoever shares these shares the channel. The
worker adds a line an epoch to one; the other, empty, asks it to end after its next step.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from schemas.trials import FitEpoch


def tell_epoch(out: Path, epoch: FitEpoch) -> None:
    """Add an epoch to what the fit of these answers has told."""
    out.parent.mkdir(parents=True, exist_ok=True)
    # One write, behind a line break of its own: a line that a kill cut short spoils no other.
    line = f"\n{epoch.model_dump_json()}\n".encode()
    place = os.open(_epochs_file(out), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(place, line)
    finally:
        os.close(place)


def told_epochs(out: Path) -> tuple[FitEpoch, ...]:
    """All epochs so far, also of the runs before a kill; one that was told twice as told last."""
    try:
        lines = _epochs_file(out).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    epochs: list[FitEpoch] = []
    for line in lines:
        try:
            epoch = FitEpoch.model_validate_json(line)
        except ValidationError:  # none, or not yet whole
            continue
        # A fit that goes on, or begins anew, takes back what it had told from there on.
        epochs = [kept for kept in epochs if _place(kept) < _place(epoch)]
        epochs.append(epoch)
    return tuple(epochs)


def ask_to_end(out: Path) -> None:
    """Ask the fit of these answers to keep how far it came and end."""
    _ending_file(out).parent.mkdir(parents=True, exist_ok=True)
    _ending_file(out).touch()


def asked_to_end(out: Path) -> bool:
    """Whether the fit is to keep how far it came and end."""
    return _ending_file(out).exists()


def take_back(out: Path) -> None:
    """A fit that starts from now on is not asked to end."""
    _ending_file(out).unlink(missing_ok=True)


@dataclass
class Listener:
    """Hears each epoch of one fit once."""

    out: Path
    heard: tuple[FitEpoch, ...] = ()
    _size: int = field(default=-1, repr=False)

    def fresh(self) -> tuple[FitEpoch, ...]:
        """What was told since the last look."""
        try:
            size = _epochs_file(self.out).stat().st_size
        except FileNotFoundError:
            return ()
        if size == self._size:
            return ()
        before, self._size, self.heard = self.heard, size, told_epochs(self.out)
        return tuple(epoch for epoch in self.heard if epoch not in before)


def ending(out: Path) -> Callable[[], bool]:
    """What a fit asks between its steps."""
    return lambda: asked_to_end(out)


def _place(epoch: FitEpoch) -> tuple[int, int]:
    return epoch.member, epoch.epoch


def _epochs_file(out: Path) -> Path:
    return out.with_suffix(".epochs")


def _ending_file(out: Path) -> Path:
    return out.with_suffix(".end")
