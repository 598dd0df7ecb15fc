"""One recipe and its one-factor changes, on equal folds: what is asked, what each is worth."""

from typing import Literal

from schemas.results import Interval
from schemas.strict import Strict
from schemas.trials import Candidate

Standing = Literal["base", "better", "worse", "within noise", "undecided", "failed"]
"""Against the base; `undecided` where no second repeat says how much folds and seeds matter."""


class Variant(Strict):
    """A settled recipe that differs from the base by one factor; the base differs by none.

    `factor` is `imbalance` or the dotted path of a knob.
    """

    name: str
    factor: str = ""
    setting: str = ""
    candidate: Candidate


class VariantClass(Strict):
    """One class's figures, means over the repeats; None where no repeat has them."""

    target: str
    name: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None


class VariantScore(Strict):
    """What a variant was worth out of fold, over `repeats` assignments of the rows to folds.

    `score` is of the plan's objective with cross-fitted offsets, `plain_score` without them, both
    means over the repeats; all other figures are with offsets. `difference` is the score minus the
    base's on the same rows and repeats. A failed variant says why in `note` and has no figure.
    """

    variant: Variant
    standing: Standing
    repeats: int = 0
    score: Interval | None = None
    plain_score: float | None = None
    difference: Interval | None = None
    repeat_scores: tuple[float, ...] = ()
    accuracy: float | None = None
    macro_f1: float | None = None
    classes: tuple[VariantClass, ...] = ()
    seconds: float = 0.0
    note: str = ""


class VariantTable(Strict):
    """The base and its variants, in the order in which they were asked."""

    plan: str
    family: str
    objective: str
    rows: int
    folds: int
    repeats: int
    seed: int
    confidence: float
    scores: tuple[VariantScore, ...]
    mlflow_run: str = ""
    mlflow_link: str = ""
