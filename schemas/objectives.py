"""What a plan wants its decisions to be good at: one model a kind, told apart by `kind`.

Trials are ranked by it, decision offsets climb it, and the gate compares champion and challenger
by it. Higher is better for all of them. `learning/deciding/objectives.py` computes what is
described here.
"""

from typing import Annotated, Any, Literal, assert_never

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat

from schemas.label import ClassValue, class_text
from schemas.strict import Strict


class MacroF1(Strict):
    """Mean F1 of the counted classes of each target; of several targets, their mean."""

    kind: Literal["macro-f1"] = "macro-f1"


class FBeta(Strict):
    """F-beta of one class, for one label a row; above 1, `beta` favours recall."""

    kind: Literal["f-beta"] = "f-beta"
    of: ClassValue
    beta: PositiveFloat = 1.0


class AveragePrecision(Strict):
    """Area under the precision-recall curve, of one class or, where none is named, of the rarer
    of two and the mean of more. It ranks rows; decisions still climb macro-F1.
    """

    kind: Literal["average-precision"] = "average-precision"
    of: ClassValue | None = None


class BalancedAccuracy(Strict):
    """Mean recall of the classes."""

    kind: Literal["balanced-accuracy"] = "balanced-accuracy"


class Cost(Strict):
    """Minus the mean cost a row, for one label a row: `costs[true][decided]`, by class text.

    What is not listed costs 0 where it is right and 1 where it is wrong.
    """

    kind: Literal["cost"] = "cost"
    costs: dict[str, dict[str, NonNegativeFloat]] = Field(min_length=1)


def _kind(raw: Any) -> Any:
    return {"kind": raw} if isinstance(raw, str) else raw


Objective = Annotated[
    Annotated[
        MacroF1 | FBeta | AveragePrecision | BalancedAccuracy | Cost, Field(discriminator="kind")
    ],
    BeforeValidator(_kind),
]
"""`objective: balanced-accuracy` is short for `objective: {kind: balanced-accuracy}`."""


def objective_name(objective: Objective) -> str:
    """As tables and messages call its figure.

    >>> objective_name(MacroF1()), objective_name(FBeta(of="yes", beta=2))
    ('macro-F1', "F2 of 'yes'")
    """
    match objective:
        case MacroF1():
            return "macro-F1"
        case FBeta(of=of, beta=beta):
            return f"F{beta:g} of '{class_text(of)}'"
        case AveragePrecision(of=of):
            return "PR-AUC" if of is None else f"PR-AUC of '{class_text(of)}'"
        case BalancedAccuracy():
            return "balanced accuracy"
        case Cost():
            return "minus cost a row"
        case _:
            assert_never(objective)
