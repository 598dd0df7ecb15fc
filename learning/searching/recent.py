"""What was made last stays at hand, as long as it is not too large."""

from collections.abc import Callable
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Made = TypeVar("Made")


class Recent(Generic[Asked, Made]):
    """The last `most` things that were made, fewer where they are of more than `most_bytes`.

    The newest is always kept. Room is made beforehand, for another of the newest one's size: a
    machine that holds one matrix of several gigabytes may not hold two.
    """

    def __init__(self, most: int, most_bytes: int, size: Callable[[Made], int]) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._size = size
        self._kept: dict[Asked, Made] = {}

    def get(self, asked: Asked, make: Callable[[], Made]) -> Made:
        """What was asked for, made only if it is not at hand."""
        if asked in self._kept:
            self._kept[asked] = self._kept.pop(asked)  # the newest stands last
        else:
            self._make_room()
            self._kept[asked] = make()
        return self._kept[asked]

    def clear(self) -> None:
        """Forget all of it."""
        self._kept.clear()

    def _make_room(self) -> None:
        sizes = [self._size(made) for made in self._kept.values()]
        newest = sizes[-1] if sizes else 0
        while self._kept and (
            len(self._kept) >= self._most or sum(sizes) + newest > self._most_bytes
        ):
            del self._kept[next(iter(self._kept))]
            del sizes[0]
