"""What the parts of a plan, each right in itself, may not say together."""

from collections import Counter
from typing import TYPE_CHECKING

from schemas.answers import ROW_NUMBER, answer_names
from schemas.classifiers import LogisticRegression
from schemas.dataset import EmbeddingColumn, TextColumn
from schemas.knobs import Range, open_knobs
from schemas.label import SingleLabel, class_text
from schemas.objectives import AveragePrecision, Cost, FBeta
from schemas.readers import reader_faults

if TYPE_CHECKING:
    from schemas.plan import Plan  # it asks this module whether it stands


def contradictions(plan: "Plan") -> list[str]:
    """Each as `path: expected, got`."""
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
    if plan.split.by == "time" and dataset.time is None:
        faults.append("split.by: 'time' needs dataset.time, the column with each row's time")
    families = Counter(family.classifier.kind for family in plan.families)
    methods = Counter(method.kind for method in plan.imbalance)
    for place, kinds in (("families", families), ("imbalance", methods)):
        twice = [kind for kind, times in kinds.items() if times > 1]
        faults.extend(f"{place}: {kind} stands more than once; keep one" for kind in twice)
    faults += [*_answer_faults(plan), *_objective_faults(plan), *_vector_faults(plan)]
    faults += [*_solver_faults(plan), *_grid_faults(plan)]
    return [*faults, *reader_faults(plan)]


def _answer_faults(plan: "Plan") -> list[str]:
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


def _role_faults(plan: "Plan") -> list[str]:
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


def _objective_faults(plan: "Plan") -> list[str]:
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


def _vector_faults(plan: "Plan") -> list[str]:
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
            continue
        made = given + texts * (text.embedding.dimension if text.embedding else 0)
        if made + texts * text.max_features != vector:
            faults.append(
                f"{path}.vector: expected {made + texts * text.max_features} ({made} of "
                f"embeddings and {texts} x {text.max_features} words), got {vector}"
            )
    return faults


def _solver_faults(plan: "Plan") -> list[str]:
    """A settled pair that no fit takes; of choices, one that fails leaves the others."""
    return [
        f"families.{place}.classifier.penalty: l1 expected the solver liblinear or saga, got "
        "lbfgs; name one of them as solver, or use l2"
        for place, family in enumerate(plan.families)
        if isinstance(family.classifier, LogisticRegression)
        and family.classifier.penalty == "l1"
        and family.classifier.solver == "lbfgs"
    ]


def _grid_faults(plan: "Plan") -> list[str]:
    """Ranges of numbers, of which a grid has no end; whole numbers and choices can be counted."""
    if plan.search.method != "grid":
        return []
    places = {}
    if not all(family.classifier.reads_text for family in plan.families):
        places = {f"imbalance.{n}": open_knobs(each) for n, each in enumerate(plan.imbalance)}
    for place, family in enumerate(plan.families):
        places[f"families.{place}.classifier"] = open_knobs(family.classifier)
        if not family.classifier.reads_text:
            places[f"families.{place}.features"] = open_knobs(family.features)
    return [
        f"{place}.{path}: search.method grid expected choices such as [{knob.low}, {knob.high}], "
        "got a range of numbers; list the choices, or search by tpe or random"
        for place, knobs in places.items()
        for path, knob in knobs.items()
        if isinstance(knob, Range) and not isinstance(knob.low, int)
    ]
