"""Two registered versions side by side: what was set otherwise, and what that is worth on rows."""

from typing import Literal

from schemas.results import Interval
from schemas.strict import Strict

Attribution = Literal["attributable", "not attributable", "nothing differs", "unknown"]
"""A difference has one cause only where one group of settings differs."""

Mark = Literal["better", "worse", "within noise", "not measured"]


class SettingChange(Strict):
    """A setting that the two do not share; empty where one of them has none of that name."""

    group: str
    name: str
    first: str
    second: str


class FigureChange(Strict):
    """One figure of both versions on the same rows; `difference` is the second minus the first.

    `target` and `of_class` are empty for figures of all. `noise` is the larger of the two bootstrap
    standard errors of the figure on these rows. A figure that the rows can't give is None.
    """

    figure: str
    target: str = ""
    of_class: str = ""
    first: float | None
    second: float | None
    difference: Interval | None = None
    noise: float | None = None
    mark: Mark


class Comparison(Strict):
    """`night` is the run whose holdout answered; `excluded` of its rows a version was trained on.

    `groups` are those that differ, in order.
    """

    plan: str
    first: int
    second: int
    first_model: str
    second_model: str
    night: str
    rows: int
    excluded: int
    objective: str
    confidence: float
    resamples: int
    attribution: Attribution
    groups: tuple[str, ...]
    changes: tuple[SettingChange, ...]
    figures: tuple[FigureChange, ...]
    notes: tuple[str, ...] = ()
