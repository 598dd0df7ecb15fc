"""The one configuration of every model in this room."""

from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

T = TypeVar("T")


class Strict(BaseModel):
    """A frozen value that refuses unknown fields and non-finite numbers."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True
    )


def _some(items: T) -> T:
    if not items:
        raise ValueError("expected at least one entry, got none")
    return items


NonEmpty = AfterValidator(_some)
"""Unlike `min_length`, silent about a tuple whose entries are themselves at fault."""


def untold(tag: str, kind: str) -> BeforeValidator:
    """A union's member where the YAML leaves its tag out."""

    def told(raw: Any) -> Any:
        return {tag: kind, **raw} if isinstance(raw, dict) and tag not in raw else raw

    return BeforeValidator(told)
