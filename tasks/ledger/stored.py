"""Nouns as objects of a store: how they are written, and read where they may be damaged."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.faults import ObjectMissing
from schemas.store import ABSENT, Store

Noun = TypeVar("Noun", bound=BaseModel)


def stored_names(store: Store, prefix: str) -> list[str]:
    """Nothing where the store itself does not exist yet: the first night is no fault."""
    try:
        return [ref.name for ref in store.list(prefix)]
    except ObjectMissing:
        return []


def stored(store: Store, name: str, noun: type[Noun]) -> tuple[Noun | None, int]:
    """`(None, 0)` if there is no such object, `(None, generation)` if it can't be read."""
    try:
        content, generation = store.read(name)
    except ObjectMissing:
        return None, ABSENT
    try:
        return noun.model_validate_json(content), generation
    except ValidationError:
        return None, generation


def as_json(noun: BaseModel) -> bytes:
    """For people to read, too."""
    return noun.model_dump_json(indent=1).encode()
