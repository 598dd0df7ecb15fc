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

    def text(self, signed: bool = False) -> str:
        """The value and its bounds; a difference is `signed`.

        >>> Interval(value=0.5, low=0.25, high=0.75).text()
        '0.5000 (0.2500 to 0.7500)'
        >>> Interval(value=0.5, low=-0.25, high=0.75).text(signed=True)
        '+0.5000 (-0.2500 to +0.7500)'
        """
        form = "+.4f" if signed else ".4f"
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"


class ClassScore(Strict):
    """One class on the holdout; a figure that its support can't give is None, never 0.

    Against all other classes: of `rows` rows `hits` are true positives, `predicted - hits` false
    positives and `support - hits` false negatives.
    """

    name: str
    support: int
    predicted: int
    hits: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    roc_auc: float | None


class WithinScore(Strict):
    """A class of one target in those rows alone whose class of another target is `given_class`.

    A figure that the rows can't give is None.
    """

    target: str
    given: str
    given_class: str
    name: str
    support: int
    predicted: int
    hits: int
    precision: float | None
    recall: float | None
    f1: float | None


class RedFlag(Strict):
    """What a person should look at before believing a model: the figure, and what to do."""

    kind: Literal["overfitting", "oscillating loss", "class at zero", "precision and recall apart"]
    told: str


class TargetScore(Strict):
    """One target on the holdout. `confusion[i][j]`: rows of class i decided as j.

    `counted` are the classes whose F1 make `macro_f1`. `ece` is the calibration error of the arg
    max, `class_ece` that of the counted class whose own probability is furthest off. The identities
    (mean counted class F1 = macro-F1, support-weighted recall = accuracy) are checked on
    construction: a card whose figures disagree can't exist.
    """

    name: str
    rows: int
    counted: tuple[int, ...]
    score: Interval
    macro_f1: float
    macro_precision: float
    macro_recall: float
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    brier: float
    ece: float
    class_ece: float
    roc_auc: float | None
    average_precision: float | None
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def is_flag(self) -> bool:
        """As `Target.is_flag`: one of many labels."""
        return self.counted == (1,)

    @model_validator(mode="after")
    def _figures_agree(self) -> Self:
        f1s = [self.classes[c].f1 for c in self.counted]
        seen = [f1 for f1 in f1s if f1 is not None]
        mean_f1 = sum(seen) / len(seen) if seen else 0.0
        if abs(mean_f1 - self.macro_f1) > 1e-9:
            raise ValueError(f"mean class F1 {mean_f1} is not macro-F1 {self.macro_f1}")
        weighted = sum((c.recall or 0.0) * c.support for c in self.classes) / max(self.rows, 1)
        if abs(weighted - self.accuracy) > 1e-9:
            raise ValueError(f"support-weighted recall {weighted} is not accuracy {self.accuracy}")
        if sum(map(sum, self.confusion)) != self.rows:
            raise ValueError(f"confusion sums to {sum(map(sum, self.confusion))}, not {self.rows}")
        return self


class Scorecard(Strict):
    """One model on the holdout: `score` by the plan's objective, and each target's own card.

    `macro_f1` is the mean of the targets' (checked); `exact_match` the share of rows of which
    every target was decided right, where there are several.
    """

    rows: int
    score: Interval
    macro_f1: Interval
    exact_match: float | None = None
    targets: tuple[TargetScore, ...]
    latency_ms: float | None = None

    @model_validator(mode="after")
    def _targets_agree(self) -> Self:
        mean = sum(target.macro_f1 for target in self.targets) / len(self.targets)
        if abs(mean - self.macro_f1.value) > 1e-9:
            raise ValueError(f"mean macro-F1 of targets {mean} is not {self.macro_f1.value}")
        return self


class ClassChange(Strict):
    """A class's F1, challenger minus reference; `more_rows` is set where support is too little.

    `target` is empty in the ledger of nights before a row could have several labels.
    """

    target: str = ""
    name: str
    f1: Interval
    more_rows: int | None = None


class TargetChange(Strict):
    """A target's score by the objective, challenger minus reference."""

    name: str
    score: Interval


class Verdict(Strict):
    """What the night decided and why. `reference` is who the challenger was measured against;
    `difference` is of the plan's objective. `target_changes` where there are several targets.
    """

    decision: Decision
    reference: str
    reasons: tuple[str, ...]
    difference: Interval | None = None
    target_changes: tuple[TargetChange, ...] = ()
    class_changes: tuple[ClassChange, ...] = ()
