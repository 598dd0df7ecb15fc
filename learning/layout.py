"""Which columns of a feature matrix are what: all that a sampler needs to know of features."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """`levels` are the one-hot columns of each category, from the first up to the last but one."""

    columns: int
    levels: tuple[tuple[int, int], ...] = ()
