"""Which columns of a feature matrix are what: all that a sampler needs to know of features."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """`levels`: one half-open range of one-hot columns (first, one past the last) a category.

    `flags`: columns that hold one of two values: booleans, and marks of missing cells.
    """

    columns: int
    levels: tuple[tuple[int, int], ...] = ()
    flags: tuple[int, ...] = ()
