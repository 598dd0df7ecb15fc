"""Nouns as objects of a store: how they are written, and read where they may be damaged."""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.faults import BucketMissing, ObjectMissing
from schemas.store import ABSENT, Store

Noun = TypeVar("Noun", bound=BaseModel)


def stored_names(store: Store, prefix: str) -> list[str]:
    """Nothing where the folder itself does not exist yet: the first night is no fault."""
    try:
        return [ref.name for ref in store.list(prefix)]
    except BucketMissing:
        raise
    except ObjectMissing:
        return []


def all_stored(store: Store, prefix: str, noun: type[Noun]) -> Iterator[tuple[str, Noun | None]]:
    """By name, with None for what can't be read; of a bucket read together, and only once."""
    try:
        for ref, content in store.contents(prefix):
            yield ref.name, _parsed(content, noun)
    except BucketMissing:
        raise
    except ObjectMissing:
        return


def stored(
    store: Store,
    name: str,
    noun: type[Noun],
    of_later: bool = False,  # fields that only a later release knows are passed over
) -> tuple[Noun | None, int]:
    """`(None, 0)` if there is no such object, `(None, generation)` if it can't be read."""
    try:
        content, generation = store.read(name)
    except ObjectMissing:
        return None, ABSENT
    return _parsed(content, noun, of_later), generation


def as_json(noun: BaseModel) -> bytes:
    """For people to read, too."""
    return noun.model_dump_json(indent=1).encode()


def _parsed(content: bytes, noun: type[Noun], of_later: bool = False) -> Noun | None:
    try:
        return noun.model_validate_json(content, extra="ignore" if of_later else None)
    except ValidationError:
        return None
