"""A plan: everything that one night needs to know, and the only place for settings."""

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.contradictions import contradictions
from schemas.dataset import Dataset, TextColumn
from schemas.features import Features, TextEmbedding
from schemas.knobs import Range
from schemas.label import Label, Target
from schemas.label import targets as targets_of
from schemas.objectives import MacroF1, Objective
from schemas.samplers import ClassWeights, Imbalance, NoResampling, RandomUndersampling, Smote
from schemas.strict import NonEmpty, Strict, untold

HoldoutShare = Annotated[float, Field(gt=0, lt=0.9)]


class HashSplit(Strict):
    """A row's side is a hash of its group key: stable for ever, blind to file order and date."""

    by: Literal["hash"] = "hash"
    holdout_share: HoldoutShare = 0.2
    salt: str = ""


class TimeSplit(Strict):
    """The latest groups (by first appearance in `dataset.time`) are the holdout."""

    by: Literal["time"] = "time"
    holdout_share: HoldoutShare = 0.2


Split = Annotated[Annotated[HashSplit | TimeSplit, Field(discriminator="by")], untold("by", "hash")]


class Family(Strict):
    """A classifier with the features that it is searched over."""

    classifier: Classifier
    features: Features = Features()


CalibrationMethod = Literal["auto", "temperature", "sigmoid", "isotonic", "none"]
SearchMethod = Literal["tpe", "random", "grid", "none"]


class Search(Strict):
    """How the open knobs are settled, and how long that may take.

    `method`: `tpe` learns from earlier trials, `random` draws them, `grid` tries every combination
    of choices, `none` fits the first choice (or the middle of a range) of each knob. `validation`:
    each row is scored once (`k-fold`), or each of the `folds` splits draws its own
    `validation_share` of the groups (`shuffle`). `budget_minutes` is the whole night's, judging
    included. `workers` defaults to the cores.
    """

    method: SearchMethod = "tpe"
    budget_minutes: PositiveFloat = 30.0
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    validation: Literal["k-fold", "shuffle"] = "k-fold"
    validation_share: Annotated[float, Field(gt=0, lt=0.9)] = 0.2
    trials: PositiveInt = 100
    workers: PositiveInt | None = None
    warm_start: Annotated[int, Field(ge=0)] = 3
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Gate(Strict):
    """What a challenger must show on the holdout before it replaces the champion.

    `max_class_drop`: no class may lose more F1 than this, by the lower bound of its difference.
    `max_task_drop`: of several labels on a row, none may lose more of the objective.
    `max_ece_increase`: most that the calibration error may grow, of the arg max and of any class.
    `max_latency_ms`: most time a row may take in a batch of at most 1,000.
    """

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Annotated[int, Field(ge=200)] = 2000
    max_class_drop: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_task_drop: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_ece_increase: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_latency_ms: PositiveFloat = 100.0


NAME = r"[a-z][a-z0-9_-]{0,62}"
NAME_TOLD = "a small letter, then at most 62 small letters, digits, '-' and '_'"
"""It becomes the name of folders, objects and registered models."""


def _plain_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(f"expected {NAME_TOLD}, got {name[:70]!r}")
    return name


class Plan(Strict):
    """Everything one night needs for one data set; unknown or unused settings are refused."""

    name: Annotated[str, AfterValidator(_plain_name)]
    enabled: bool = False
    dataset: Dataset
    label: Label
    split: Split = HashSplit()
    imbalance: Annotated[tuple[Imbalance, ...], NonEmpty] = (
        NoResampling(),
        ClassWeights(exponent=Range(low=0.0, high=1.0)),
        RandomUndersampling(),
        Smote(),
    )
    families: Annotated[tuple[Family, ...], NonEmpty] = (
        Family(classifier=LogisticRegression()),
        Family(classifier=LightGBM()),
    )
    objective: Objective = MacroF1()
    calibration: CalibrationMethod = "auto"
    search: Search = Search()
    gate: Gate = Gate()

    @property
    def digest(self) -> str:
        """Sixteen hex digits that change with any setting that changes what is learned.

        So not with the source's place, the budget or the number of workers.
        """
        same = self.model_dump_json(
            exclude={
                "enabled": True,
                "dataset": {"source"},
                "search": {"budget_minutes", "workers"},
            }
        )
        return hashlib.sha256(same.encode()).hexdigest()[:16]

    @property
    def targets(self) -> tuple[Target, ...]:
        """What a row is asked, in the plan's order: one label, several, or many of yes and no."""
        return targets_of(self.label)

    @property
    def embeddings(self) -> tuple[TextEmbedding, ...]:
        """By which encoders its families have their texts read, each once."""
        if not any(isinstance(each, TextColumn) for each in self.dataset.columns.values()):
            return ()
        named = [f.features.text.embedding for f in self.families if not f.classifier.reads_text]
        return tuple(dict.fromkeys(each for each in named if each is not None))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        faults = contradictions(self)
        if faults:
            raise ValueError("\n".join(faults))
        return self
