"""What validation found in one object: the rule, how often, where; never a cell."""

from schemas.strict import Strict

MOST_PLACES = 100
"""Rows or offsets that one finding lists; `count` has them all."""


class Finding(Strict):
    """One rule that one object breaks, in some rows or as a whole.

    `object_name` is empty where the rule is of all objects together, `column` where it is of the
    whole file. `count` is of rows, 0 where the object
    is refused as a whole. `rows` are the first row numbers (from 1, without the header) and
    `offsets` the first byte offsets (from 0) where bytes are no text of the plan's encoding.
    """

    object_name: str
    column: str = ""
    expected: str
    got: str
    count: int = 0
    rows: tuple[int, ...] = ()
    offsets: tuple[int, ...] = ()
    todo: str = ""

    @property
    def reason(self) -> str:
        """Column and rule: equal findings of several objects have the same."""
        return f"column {self.column!r}: expected {self.expected}" if self.column else self.got
