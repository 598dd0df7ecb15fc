"""A plan: everything that one night needs to know, and the only place for settings."""

import hashlib
import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from schemas.answers import ROW_NUMBER, answer_names
from schemas.classifiers import Classifier, LightGBM, LogisticRegression
from schemas.dataset import Dataset, EmbeddingColumn, TextColumn
from schemas.features import Features
from schemas.knobs import Range, open_knobs
from schemas.label import Label, SingleLabel, Target, class_text
from schemas.label import targets as targets_of
from schemas.objectives import AveragePrecision, Cost, FBeta, MacroF1, Objective
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

    @model_validator(mode="after")
    def _columns_have_one_meaning(self) -> Self:
        faults = _column_faults(self)
        if faults:
            raise ValueError("\n".join(faults))
        return self


def _column_faults(plan: Plan) -> list[str]:
    """Contradictions between dataset, label, split and objective, as `path: expected, got`."""
    dataset, faults = plan.dataset, []
    for target in plan.targets:
        if target.name in dataset.columns:
            faults.append(
                f"dataset.columns.{target.name}: the label can't be a feature too; remove it"
            )
        if target.name in dataset.ignore:
            faults.append(f"dataset.ignore.{target.name}: the label can't be ignored; remove it")
    faults.extend(
        f"dataset.ignore.{column}: a feature can't be ignored too; keep one"
        for column in sorted(set(dataset.columns) & set(dataset.ignore))
    )
    faults.extend(_role_faults(plan))
    if isinstance(plan.split, TimeSplit) and dataset.time is None:
        faults.append("split.by: 'time' needs dataset.time, the column with each row's time")
    families = Counter(family.classifier.kind for family in plan.families)
    methods = Counter(method.kind for method in plan.imbalance)
    for place, kinds in (("families", families), ("imbalance", methods)):
        twice = [kind for kind, times in kinds.items() if times > 1]
        faults.extend(f"{place}: {kind} stands more than once; keep one" for kind in twice)
    faults += [*_answer_faults(plan), *_objective_faults(plan), *_vector_faults(plan)]
    return [*faults, *_solver_faults(plan), *_grid_faults(plan)]


def _answer_faults(plan: Plan) -> list[str]:
    """Names that would stand over two columns of the answers; the first is the key or a number."""
    names, key = Counter(answer_names(plan.targets)), plan.dataset.key
    path = "label.column" if isinstance(plan.label, SingleLabel) else "label.columns"
    faults = [
        f"{path}: expected labels and classes that name each column of the answers once, got "
        f"{name!r} more than once; rename one"
        for name, times in names.items()
        if times > 1
    ]
    if ROW_NUMBER in names:
        faults.append(
            f"{path}: expected another name than {ROW_NUMBER!r}, which numbers the answers, "
            f"got {ROW_NUMBER!r}; rename the label"
        )
    if key is not None and (key in names or key in {target.name for target in plan.targets}):
        faults.append(
            "dataset.key: expected another name than that of a label or of a column of the "
            f"answers, got {key!r}; rename the column, or name another key"
        )
    return faults


def _role_faults(plan: Plan) -> list[str]:
    """Key, time and weight are no labels, are read, and are each of a column of their own.

    A key may be a feature, and one row an instant has its time as key.
    """
    dataset, faults = plan.dataset, []
    labels = {target.name for target in plan.targets}
    roles = {"key": dataset.key, "time": dataset.time, "weight": dataset.weight}
    for role, name in roles.items():
        if name is None:
            continue
        if name in labels and role != "key":  # of a key it is told with the answers' names
            faults.append(f"dataset.{role}: the label {name} can't be the {role} too; name another")
        if name in dataset.ignore:
            faults.append(f"dataset.ignore.{name}: the {role} can't be ignored; remove it")
        if name in dataset.columns and role != "key":
            faults.append(f"dataset.columns.{name}: the {role} can't be a feature too; remove it")
        if name == dataset.weight and role != "weight":
            faults.append(
                f"dataset.weight: the {role} {name} can't be the weight too; name another"
            )
    return faults


def _objective_faults(plan: Plan) -> list[str]:
    """An objective that names classes is of one label a row, and of classes that it has."""
    match plan.objective:
        case FBeta(of=of):
            named = {"of": class_text(of)}
        case AveragePrecision(of=of) if of is not None:
            named = {"of": class_text(of)}
        case Cost(costs=costs):
            named = {f"costs.{true}": true for true in costs}
            named |= {f"costs.{true}.{text}": text for true, row in costs.items() for text in row}
        case _:
            return []
    if not isinstance(plan.label, SingleLabel):
        return [f"objective.kind: {plan.objective.kind} needs one label a row; expected macro-f1"]
    texts = plan.targets[0].class_texts
    return [
        f"objective.{path}: expected one of the classes {', '.join(texts)}, got {text}"
        for path, text in named.items()
        if text not in texts
    ]


def _vector_faults(plan: Plan) -> list[str]:
    """Whether embeddings and the most word n-grams make the width that the features state."""
    columns = plan.dataset.columns.values()
    given = sum(column.dimension for column in columns if isinstance(column, EmbeddingColumn))
    texts = sum(isinstance(column, TextColumn) for column in columns)
    faults = []
    for place, family in enumerate(plan.families):
        text, vector = family.features.text, family.features.vector
        if vector is None:
            continue
        path = f"families.{place}.features"
        if not (isinstance(text.max_features, int) and text.words is True):
            faults.append(f"{path}.text: features.vector needs words and one max_features")
        elif given + texts * text.max_features != vector:
            faults.append(
                f"{path}.vector: expected {given + texts * text.max_features} ({given} of "
                f"embeddings and {texts} x {text.max_features} words), got {vector}"
            )
    return faults


def _solver_faults(plan: Plan) -> list[str]:
    """A settled pair that no fit takes; of choices, one that fails leaves the others."""
    return [
        f"families.{place}.classifier.penalty: l1 expected the solver liblinear or saga, got "
        "lbfgs; name one of them as solver, or use l2"
        for place, family in enumerate(plan.families)
        if isinstance(family.classifier, LogisticRegression)
        and family.classifier.penalty == "l1"
        and family.classifier.solver == "lbfgs"
    ]


def _grid_faults(plan: Plan) -> list[str]:
    """Ranges of numbers, of which a grid has no end; whole numbers and choices can be counted."""
    if plan.search.method != "grid":
        return []
    places = {f"imbalance.{place}": open_knobs(each) for place, each in enumerate(plan.imbalance)}
    for place, family in enumerate(plan.families):
        places[f"families.{place}.classifier"] = open_knobs(family.classifier)
        places[f"families.{place}.features"] = open_knobs(family.features)
    return [
        f"{place}.{path}: search.method grid expected choices such as [{knob.low}, {knob.high}], "
        "got a range of numbers; list the choices, or search by tpe or random"
        for place, knobs in places.items()
        for path, knob in knobs.items()
        if isinstance(knob, Range) and not isinstance(knob.low, int)
    ]
