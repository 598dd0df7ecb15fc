"""What is predicted: the label kind is a property of the plan."""

from typing import Annotated, Literal, assert_never

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


def _different(columns: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(f"labels must differ, got {', '.join(twice)} more than once")
    return columns


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
    columns: Annotated[tuple[str, ...], AfterValidator(_different)] = Field(min_length=2)


Label = Annotated[
    Annotated[SingleLabel | MultiTaskLabel | MultiLabel, Field(discriminator="kind")],
    untold("kind", "single"),
]


class Target(Strict):
    """One question about a row: a label column, its classes, and which of them count.

    `counted` are the classes, by index, whose figures make the target's score: all of them, or of
    one of many labels class 1 alone.
    """

    name: str
    class_values: Classes
    counted: tuple[int, ...]

    @property
    def class_texts(self) -> tuple[str, ...]:
        """The classes as tables, files and metrics name them."""
        return tuple(class_text(value) for value in self.class_values)

    @property
    def classes(self) -> int:
        return len(self.class_values)

    @property
    def is_flag(self) -> bool:
        """Whether it is one of many labels, each of which a row has or has not."""
        return self.counted == (1,)


def targets(label: Label) -> tuple[Target, ...]:
    """What a model of this label answers, in the plan's order: each target by a classifier.

    >>> [target.counted for target in targets(MultiLabel(columns=("sad", "calm")))]
    [(1,), (1,)]
    """
    match label:
        case SingleLabel(column=column, classes=classes):
            return (_whole(column, classes),)
        case MultiTaskLabel(columns=columns):
            return tuple(_whole(column, classes) for column, classes in columns.items())
        case MultiLabel(columns=columns):
            return tuple(
                Target(name=column, class_values=(0, 1), counted=(1,)) for column in columns
            )
        case _:
            assert_never(label)


def _whole(column: str, classes: tuple[ClassValue, ...]) -> Target:
    return Target(name=column, class_values=classes, counted=tuple(range(len(classes))))
