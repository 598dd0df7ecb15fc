"""A plan: everything that one night needs to know, and the only place for settings."""

import hashlib
import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.dataset import Dataset
from schemas.features import Features
from schemas.knobs import Range
from schemas.label import ClassValue, Label, SingleLabel, class_text
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


class Search(Strict):
    """How the open knobs are settled, and how long that may take.

    `budget_minutes` is the whole night's, judging included. `workers` defaults to the cores.
    """

    budget_minutes: PositiveFloat = 30.0
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    trials: PositiveInt = 100
    workers: PositiveInt | None = None
    warm_start: Annotated[int, Field(ge=0)] = 3
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Gate(Strict):
    """What a challenger must show on the holdout before it replaces the champion.

    `max_class_drop`: no class may lose more F1 than this, by the lower bound of its difference.
    `max_ece_increase`: most that the expected calibration error may grow.
    `max_latency_ms`: most time a row may take in a batch of at most 1,000.
    """

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Annotated[int, Field(ge=200)] = 2000
    max_class_drop: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_ece_increase: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_latency_ms: PositiveFloat = 100.0


def _plain_name(name: str) -> str:
    """It becomes the name of folders, objects and registered models."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name):
        raise ValueError(
            "expected a small letter, then at most 62 small letters, digits, '-' and '_', "
            f"got {name[:70]!r}"
        )
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
    def class_values(self) -> tuple[ClassValue, ...]:
        """The classes as the data writes them, in the plan's order."""
        if not isinstance(self.label, SingleLabel):
            raise TypeError(f"expected a single label, got {self.label.kind}")
        return self.label.classes

    @property
    def class_texts(self) -> tuple[str, ...]:
        """The classes as tables, files and metrics name them, in the plan's order."""
        return tuple(class_text(label) for label in self.class_values)

    @model_validator(mode="after")
    def _columns_have_one_meaning(self) -> Self:
        faults = _column_faults(self)
        if faults:
            raise ValueError("\n".join(faults))
        return self


def _column_faults(plan: Plan) -> list[str]:
    """Contradictions between dataset, label and split, each as `path: expected, got`."""
    dataset, faults = plan.dataset, []
    labels = (
        (plan.label.column,) if isinstance(plan.label, SingleLabel) else tuple(plan.label.columns)
    )
    for column in labels:
        if column in dataset.columns:
            faults.append(f"dataset.columns.{column}: the label can't be a feature too; remove it")
        if column in dataset.ignore:
            faults.append(f"dataset.ignore.{column}: the label can't be ignored; remove it")
    faults.extend(
        f"dataset.ignore.{column}: a feature can't be ignored too; keep one"
        for column in sorted(set(dataset.columns) & set(dataset.ignore))
    )
    if dataset.time is not None and dataset.time in dataset.columns:
        faults.append(f"dataset.columns.{dataset.time}: the time can't be a feature too; remove it")
    if isinstance(plan.split, TimeSplit) and dataset.time is None:
        faults.append("split.by: 'time' needs dataset.time, the column with each row's time")
    families = Counter(family.classifier.kind for family in plan.families)
    methods = Counter(method.kind for method in plan.imbalance)
    for place, kinds in (("families", families), ("imbalance", methods)):
        twice = [kind for kind, times in kinds.items() if times > 1]
        faults.extend(f"{place}: {kind} stands more than once; keep one" for kind in twice)
    if not isinstance(plan.label, SingleLabel):
        faults.append(f"label.kind: '{plan.label.kind}' is not trained yet; expected 'single'")
    return faults
