"""A file that can't be read as rows: the message for people, and the same as a finding."""

from collections.abc import Sequence

from schemas.faults import DataRejected
from schemas.findings import MOST_PLACES, Finding


def refused(
    name: str,  # of the object
    expected: str,
    got: str,  # without any cell
    todo: str,  # sentences that end in a full stop
    *,
    rows: Sequence[int] = (),  # from 1
    offsets: Sequence[int] = (),
) -> DataRejected:
    """The rejection of a file as a whole, to be raised."""
    finding = Finding(
        object_name=name,
        expected=expected,
        got=got,
        rows=tuple(rows[:MOST_PLACES]),
        offsets=tuple(offsets[:MOST_PLACES]),
        todo=todo,
    )
    return DataRejected(f"{name}: expected {expected}, got {got}. {todo}", (finding,))
