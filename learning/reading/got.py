"""What stands where something else was expected, so that parts of a file can be told together."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

SHOWN = 5
"""Most unknown labels that one message lists."""


@dataclass(frozen=True)
class Lengths:
    """Texts, told by their fewest and most characters."""

    least: int
    most: int

    def __str__(self) -> str:
        up_to = "up to " if self.least < self.most else ""
        return f"text of {up_to}{self.most:,} character{'s'[: self.most != 1]}"


@dataclass(frozen=True)
class Unknown:
    """The first distinct labels that are no class; labels may be shown."""

    labels: tuple[str, ...]

    def __str__(self) -> str:
        shown = [repr(label[:40]) for label in self.labels]
        return f"{', '.join(shown[:SHOWN])}{', ...' if len(shown) > SHOWN else ''}"


Got: TypeAlias = str | Lengths | Unknown


def merged(before: Got, now: Got) -> Got:
    """Of two parts of a file, for one rule."""
    match before, now:
        case Lengths(), Lengths():
            return Lengths(min(before.least, now.least), max(before.most, now.most))
        case Unknown(), Unknown():
            return Unknown(tuple(dict.fromkeys((*before.labels, *now.labels)))[: SHOWN + 1])
        case _:
            return before if before == now else "other numbers"


def kind(cells: "pd.Series[Any]") -> Got:
    """What the cells have in common, without their content."""
    if not pd.api.types.is_numeric_dtype(cells):
        lengths = cells.str.len()
        return Lengths(int(lengths.min()), int(lengths.max()))
    infinite = np.isinf(cells.to_numpy())
    return "infinite numbers" if infinite.all() else "other numbers"


def unknown(cells: "pd.Series[str]") -> Unknown:
    """Labels that are no class."""
    return Unknown(tuple(map(str, cells.unique()[: SHOWN + 1])))
