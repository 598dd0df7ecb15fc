"""How messages count and list, so that each stays short and none holds a cell."""

from collections.abc import Sequence


def amount(count: int, one: str, several: str = "") -> str:
    """A number of things, as people write it.

    >>> amount(1, "row"), amount(2_000, "more row"), amount(0, "class", "classes")
    ('1 row', '2,000 more rows', '0 classes')
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def first_few(places: Sequence[int], most: int = 5, noun: str = "row") -> str:
    """Row or line numbers for a message.

    >>> first_few([4, 9]), first_few([1, 2, 3], most=2)
    ('rows 4, 9', 'rows 1, 2, ...')
    """
    shown = ", ".join(map(str, places[:most]))
    return f"{noun}{'s' if len(places) > 1 else ''} {shown}{', ...' if len(places) > most else ''}"


def cut(name: str, most: int = 40) -> str:
    """A name from a file, for a message: what is longer may be data.

    >>> cut("size"), cut("my secret", most=6)
    ('size', 'my ...')
    """
    return name if len(name) <= most else f"{name[: most - 3]}..."


def quoted(names: Sequence[str], most: int = 20) -> str:
    """Names of columns for a message.

    >>> quoted(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
