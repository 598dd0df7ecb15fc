"""From a plan's name or file to a `Plan`, with every fault told at once.

A relative `dataset.source`, or folder of an encoder, starts at the folder of a plan that is given
by its path, and at the current directory for the plans shipped in this folder; `--source` starts at
the current directory. Anything with `://` in it is left as it is.
"""

import difflib
import math
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from deployments.plan_faults import checkable_tree, point_faults, validation_faults, worded
from deployments.strict_yaml import Document, frozen, read_yaml
from schemas.classifiers import Classifier, suited
from schemas.dataset import TextColumn
from schemas.faults import PlanError
from schemas.features import Features
from schemas.plan import Plan
from schemas.transformers import Encoder, Transformer

SHIPPED = Path(__file__).resolve().parent / "plans"
YAML = (".yaml", ".yml")


def load_plan(
    name_or_path: str,
    source: str | None = None,  # folder or URI in the place of dataset.source
    budget_minutes: float | None = None,  # in the place of search.budget_minutes
) -> Plan:
    """The plan of that name under `deployments/plans`, or in that YAML file anywhere.

    Its `dataset.source` is absolute, its classifiers are suited to its columns. Faults are one
    `PlanError` with a line for each.
    """
    path = plan_path(name_or_path)
    plan = _validated(read_yaml(path), path)
    dataset = plan.dataset.model_copy(update={"source": _absolute(plan, path, source)})
    search = plan.search
    if budget_minutes is not None:
        if not (math.isfinite(budget_minutes) and budget_minutes > 0):
            raise PlanError(f"budget minutes: expected a number above 0, got {budget_minutes}")
        search = search.model_copy(update={"budget_minutes": float(budget_minutes)})
    text = any(isinstance(column, TextColumn) for column in plan.dataset.columns.values())
    families = tuple(
        family.model_copy(
            update={
                "classifier": _at_hand(suited(family.classifier, text=text), path),
                "features": _with_encoder_at_hand(family.features, path),
            }
        )
        for family in plan.families
    )
    return plan.model_copy(update={"dataset": dataset, "search": search, "families": families})


def checkable_part(name_or_path: str, source: str | None = None) -> Plan | None:
    """What a faulty plan says of its data, to look at them all the same; None where it says too
    little. Columns that are at fault are let be.
    """
    try:
        path = plan_path(name_or_path)
        part = Plan.model_validate(frozen(checkable_tree(read_yaml(path).tree)), strict=True)
    except (PlanError, ValidationError):
        return None
    dataset = part.dataset.model_copy(update={"source": _absolute(part, path, source)})
    return part.model_copy(update={"dataset": dataset})


def shipped_names() -> tuple[str, ...]:
    """The plans under `deployments/plans`, enabled or not, by name."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def enabled_names() -> tuple[str, ...]:
    """The plans that every night runs.

    One that can't be read as YAML counts as enabled: the night has to tell, not to pass over it.
    """
    return tuple(name for name in shipped_names() if _says_enabled(SHIPPED / f"{name}.yaml"))


def is_path(name_or_path: str) -> bool:
    """Whether PLAN is the place of a file; without an ending or a folder it is a name.

    >>> is_path("spam"), is_path("spam.yaml"), is_path("plans/spam")
    (False, True, True)
    """
    return name_or_path.endswith(YAML) or os.sep in name_or_path or "/" in name_or_path


def plan_path_exists(name_or_path: str) -> bool:
    """Whether there is such a plan at all, good or bad."""
    try:
        return plan_path(name_or_path).is_file()
    except PlanError:
        return False


def plan_path(name_or_path: str) -> Path:
    """Where a plan stands; a bare name is looked up among the shipped ones."""
    if is_path(name_or_path):
        return Path(name_or_path)
    names = shipped_names()
    if name_or_path in names:
        return SHIPPED / f"{name_or_path}.yaml"
    raise no_plan(name_or_path)


def no_plan(name: str, others: Iterable[str] = ()) -> PlanError:
    """There is no such plan among the shipped and the `others`, which are known elsewhere."""
    names = sorted({*shipped_names(), *others})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return PlanError(
        f"There is no plan {name!r} under deployments/plans{hint}"
        f" Expected one of {', '.join(names)}, or the path of a YAML file"
    )


def _validated(document: Document, path: Path) -> Plan:
    """Strict: a number in quotes is text, and text is no number."""
    try:
        plan = Plan.model_validate(frozen(document.tree), strict=True)
    except ValidationError as fault:
        raise PlanError(worded(document, validation_faults(document.tree, fault))) from None
    faults = point_faults(plan)
    if path.resolve().parent == SHIPPED and plan.name != path.stem:
        faults.append(
            (("name",), f"expected {path.stem!r} as the file is called, got {plan.name!r}")
        )
    if faults:
        raise PlanError(worded(document, faults))
    return plan


def _absolute(plan: Plan, path: Path, source: str | None) -> str:
    place = plan.dataset.source if source is None else source
    if "://" in place:
        return place
    base = _beside(path) if source is None else Path.cwd()
    return os.path.normpath(base / Path(place).expanduser())


def _at_hand(classifier: Classifier, path: Path) -> Classifier:
    """With the place of an encoder's folder absolute, as a source's."""
    if not isinstance(classifier, Transformer):
        return classifier
    return classifier.model_copy(update={"encoder": _placed(classifier.encoder, path)})


def _with_encoder_at_hand(features: Features, path: Path) -> Features:
    if (embedding := features.text.embedding) is None:
        return features
    there = embedding.model_copy(update={"encoder": _placed(embedding.encoder, path)})
    text = features.text.model_copy(update={"embedding": there})
    return features.model_copy(update={"text": text})


def _placed(encoder: Encoder, path: Path) -> Encoder:
    if not encoder.is_folder:
        return encoder
    folder = os.path.normpath(_beside(path) / Path(encoder.model).expanduser())
    return encoder.model_copy(update={"model": folder})


def _beside(path: Path) -> Path:
    """Where relative places of a plan start."""
    own = path.resolve().parent
    return Path.cwd() if own == SHIPPED else own


def _says_enabled(path: Path) -> bool:
    try:
        tree = read_yaml(path).tree
    except PlanError:
        return True
    return isinstance(tree, dict) and tree.get("enabled", False) is not False
