"""What is predicted: the label kind is a property of the plan."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.strict import Strict, untold

ClassValue = bool | int | float | str


def class_text(label: ClassValue) -> str:
    """The one text form of a class, in every table, file and metric name."""
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def _distinct(classes: tuple[ClassValue, ...]) -> tuple[ClassValue, ...]:
    texts = [class_text(label) for label in classes]
    if len(texts) < 2:
        got = f"only {texts[0]!r}" if texts else "none"
        raise ValueError(f"expected at least two classes, got {got}")
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise ValueError(f"classes must differ, got {', '.join(twice)} more than once")
    return classes


Classes = Annotated[tuple[ClassValue, ...], AfterValidator(_distinct)]


class SingleLabel(Strict):
    """One label a row, of two or more classes, in the order that tables show them."""

    kind: Literal["single"] = "single"
    column: str
    classes: Classes


class MultiTaskLabel(Strict):
    """Several labels on one row, each with its own classes."""

    kind: Literal["multi-task"] = "multi-task"
    columns: dict[str, Classes] = Field(min_length=2)


class MultiLabel(Strict):
    """Any number of labels on one row, one 0/1 column each."""

    kind: Literal["multi-label"] = "multi-label"
    columns: tuple[str, ...] = Field(min_length=2)


Label = Annotated[
    Annotated[SingleLabel | MultiTaskLabel | MultiLabel, Field(discriminator="kind")],
    untold("kind", "single"),
]
