"""What a night concludes: scorecards and the verdict."""

from typing import Literal, Self

from pydantic import model_validator

from schemas.strict import Strict

Decision = Literal["PROMOTE", "HOLD", "INSUFFICIENT EVIDENCE"]


class Interval(Strict):
    """A figure with the bounds of its bootstrap interval."""

    value: float
    low: float
    high: float


class ClassScore(Strict):
    """One class on the holdout; a figure that its support can't give is None, never 0."""

    name: str
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None


class Scorecard(Strict):
    """One model on the holdout. `confusion[i][j]`: rows of class i decided as j.

    The identities (mean class F1 = macro-F1, support-weighted recall = accuracy) are checked on
    construction: a card whose figures disagree can't exist.
    """

    rows: int
    macro_f1: Interval
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    brier: float
    ece: float
    roc_auc: float | None
    average_precision: float | None
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    latency_ms: float | None = None

    @model_validator(mode="after")
    def _figures_agree(self) -> Self:
        seen = [c for c in self.classes if c.f1 is not None]
        mean_f1 = sum(c.f1 or 0.0 for c in seen) / len(seen) if seen else 0.0
        if abs(mean_f1 - self.macro_f1.value) > 1e-9:
            raise ValueError(f"mean class F1 {mean_f1} is not macro-F1 {self.macro_f1.value}")
        weighted = sum((c.recall or 0.0) * c.support for c in self.classes) / max(self.rows, 1)
        if abs(weighted - self.accuracy) > 1e-9:
            raise ValueError(f"support-weighted recall {weighted} is not accuracy {self.accuracy}")
        if sum(map(sum, self.confusion)) != self.rows:
            raise ValueError(f"confusion sums to {sum(map(sum, self.confusion))}, not {self.rows}")
        return self


class ClassChange(Strict):
    """A class's F1, challenger minus reference; `more_rows` is set where support is too little."""

    name: str
    f1: Interval
    more_rows: int | None = None


class Verdict(Strict):
    """What the night decided and why. `reference` is who the challenger was measured against."""

    decision: Decision
    reference: str
    reasons: tuple[str, ...]
    difference: Interval | None = None
    class_changes: tuple[ClassChange, ...] = ()
