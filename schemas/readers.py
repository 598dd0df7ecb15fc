"""What a plan may not say of families that read the text themselves."""

import difflib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from schemas.dataset import TextColumn
from schemas.features import Features
from schemas.transformers import Transformer

if TYPE_CHECKING:
    from schemas.plan import Plan  # it asks this module whether it stands


def reader_faults(plan: "Plan") -> list[str]:
    """Each as `path: expected, got`."""
    faults: list[str] = []
    readers = [family.classifier.reads_text for family in plan.families]
    if all(readers) and plan.imbalance != type(plan).model_fields["imbalance"].default:
        faults.append(
            "imbalance: expected a family that uses these methods, got only families that read "
            "the text themselves; remove it, and say loss and sampling of their classifier"
        )
    for place, family in enumerate(plan.families):
        if isinstance(family.classifier, Transformer):
            path = f"families.{place}"
            if family.features != Features():
                faults.append(
                    f"{path}.features: a transformer reads the text columns itself; remove them"
                )
            faults.extend(_text_faults(plan, path))
            faults.extend(_task_faults(plan, family.classifier, f"{path}.classifier"))
    return faults


def _text_faults(plan: "Plan", path: str) -> Iterator[str]:
    if not any(isinstance(column, TextColumn) for column in plan.dataset.columns.values()):
        yield (
            f"{path}.classifier: a transformer expected a text column to read, got none; name one "
            "under dataset.columns, or remove this family"
        )


def _task_faults(plan: "Plan", spec: Transformer, path: str) -> Iterator[str]:
    """Labels and classes that the plan does not have."""
    classes = {target.name: target.class_texts for target in plan.targets}
    told = {
        "tasks": {label: (task.class_multipliers, "class_multipliers.")
                  for label, task in spec.tasks.items()},
        "sampling.boosts": {label: (boosts, "") for label, boosts in spec.sampling.boosts.items()},
    }  # fmt: skip
    for place, labels in told.items():
        for label, (by_class, below) in labels.items():
            if label not in classes:
                yield f"{path}.{place}.{label}: {_expected('labels', classes, label)}"
                continue
            for text in by_class:
                if text not in classes[label]:
                    where = f"{path}.{place}.{label}.{below}{text}"
                    yield f"{where}: {_expected('classes', classes[label], text)}"


def _expected(what: str, known: Iterable[str], got: str) -> str:
    names = list(known)
    near = difflib.get_close_matches(got, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"expected one of the {what} {', '.join(names)}, got {got!r}{hint}"
