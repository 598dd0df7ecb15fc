"""The model families that a plan may tune: one model each, told apart by `kind`.

Defaults are search spaces measured to work on two cores; a plan overrides single knobs.
`first` lists points that the study tries before it samples: a cheap one, then a strong one.
`learning/classifiers.py` builds what is described here.
"""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from schemas.knobs import Knob, Range, Setting
from schemas.strict import Strict

UnitShare = Annotated[float, Field(gt=0, le=1)]
Leaves = Annotated[int, Field(ge=2)]
Bins = Annotated[int, Field(ge=2, le=65_535)]
Points = tuple[dict[str, Setting], ...]


class LogisticRegression(Strict):
    """Multinomial logistic regression, L2, lbfgs."""

    kind: Literal["logistic-regression"] = "logistic-regression"
    C: Knob[PositiveFloat] = Range(low=0.1, high=100.0, log=True)
    max_iter: PositiveInt = 300
    first: Points = ({"C": 1.0}, {"C": 10.0})


class LightGBM(Strict):
    """Gradient-boosted trees by histograms (Ke et al. 2017)."""

    kind: Literal["lightgbm"] = "lightgbm"
    rounds: Knob[PositiveInt] = Range(low=50, high=1500, log=True)
    learning_rate: Knob[PositiveFloat] = Range(low=0.03, high=0.3, log=True)
    num_leaves: Knob[Leaves] = Range(low=8, high=64, log=True)
    min_child_samples: Knob[PositiveInt] = Range(low=2, high=20, log=True)
    colsample_bytree: Knob[UnitShare] = Range(low=0.1, high=0.8)
    reg_lambda: Knob[PositiveFloat] = Range(low=1e-3, high=10.0, log=True)
    max_bin: Knob[Bins] = 63
    first: Points = (
        {"rounds": 100, "learning_rate": 0.1, "num_leaves": 15, "min_child_samples": 5,
         "colsample_bytree": 0.2, "reg_lambda": 0.01},
        {"rounds": 600, "learning_rate": 0.15, "num_leaves": 31, "min_child_samples": 5,
         "colsample_bytree": 0.2, "reg_lambda": 0.01},
    )  # fmt: skip


Classifier = Annotated[LogisticRegression | LightGBM, Field(discriminator="kind")]
