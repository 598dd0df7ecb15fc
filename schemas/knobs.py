"""A knob: one value, a range to search, or a list of choices."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Self, TypeGuard, TypeVar

from pydantic import BaseModel, Discriminator, Tag, model_validator
from typing_extensions import TypeAliasType

from schemas.strict import NonEmpty, Strict

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)
Setting = bool | int | float | str | None


class Range(Strict, Generic[T]):
    """An interval to search, both ends included."""

    low: T
    high: T
    log: bool = False

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        low, high = float(str(self.low)), float(str(self.high))
        if low >= high:
            raise ValueError(f"low must be below high, got low={self.low} and high={self.high}")
        if self.log and low <= 0:
            raise ValueError(f"a log range needs low > 0, got low={self.low}")
        return self


def _shape(raw: object) -> str:
    if isinstance(raw, dict | Range):
        return "range"
    return "choices" if isinstance(raw, list | tuple) else "value"


Knob = TypeAliasType(
    "Knob",
    Annotated[
        Annotated[T, Tag("value")]
        | Annotated[Range[T], Tag("range")]
        | Annotated[tuple[T, ...], NonEmpty, Tag("choices")],
        Discriminator(_shape),
    ],
    type_params=(T,),
)
"""`depth: Knob[PositiveInt]` takes `6`, `{low: 2, high: 8, log: true}` or `[2, 4, 8]`."""

OpenKnob = Range[Any] | tuple[Setting, ...]


def value(knob: T | Range[T] | tuple[T, ...]) -> T:
    """The setting of a settled knob; an open one here is a fault of the caller."""
    if isinstance(knob, Range | tuple):
        raise TypeError(f"expected a settled knob, got {knob!r}; settle() the model first")
    return knob


def open_knobs(model: BaseModel) -> dict[str, OpenKnob]:
    """Every range and list of choices in a model, by dotted path.

    Tuples of models or of points are no knobs.
    """
    found: dict[str, OpenKnob] = {}
    for name in type(model).model_fields:
        inner = getattr(model, name)
        if isinstance(inner, Range):
            found[name] = inner
        elif isinstance(inner, BaseModel):
            found |= {f"{name}.{path}": knob for path, knob in open_knobs(inner).items()}
        elif _is_choices(inner):
            found[name] = inner
    return found


def _is_choices(inner: object) -> TypeGuard[tuple[Setting, ...]]:
    if not isinstance(inner, tuple) or not inner:  # no choice at all: an empty list of points
        return False
    return not any(isinstance(x, BaseModel | dict) for x in inner)


def setting_paths(model: BaseModel) -> list[str]:
    """Everything that can be set in a model, knob or not, by dotted path."""
    found = []
    for name in type(model).model_fields:
        inner = getattr(model, name)
        if isinstance(inner, BaseModel) and not isinstance(inner, Range):
            found += [f"{name}.{path}" for path in setting_paths(inner)]
        else:
            found.append(name)
    return found


def settle(model: Model, settings: Mapping[str, Setting]) -> Model:
    """The model with the knobs at these dotted paths replaced, validated again."""
    raw = model.model_dump()
    for path, setting in settings.items():
        *parents, leaf = path.split(".")
        place = raw
        for parent in parents:
            place = place[parent]
        if leaf not in place:
            raise KeyError(f"{type(model).__name__} has no knob {path!r}")
        place[leaf] = setting
    return type(model).model_validate(raw)
