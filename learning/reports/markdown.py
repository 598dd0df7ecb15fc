"""The few shapes that a page is made of; every word in them is escaped here, once."""

import html
from collections.abc import Iterable, Mapping, Sequence

from schemas.results import Interval


def heading(text: str, level: int = 2) -> str:
    """One line: a name may hold line breaks."""
    return f"{'#' * level} {_escaped(' '.join(text.split()))}"


def bullets(lines: Iterable[str]) -> str:
    """One line each; nothing where there are none."""
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """The first row's keys are the header; all rows have the same keys."""
    if not rows:
        return "(nothing)"
    lines = [_line(rows[0]), f"|{'---|' * len(rows[0])}"]
    lines += [_line(row.values()) for row in rows]
    return "\n".join(lines)


def figure(value: float | None) -> str:
    """Four digits; a dash where there is no figure."""
    return "-" if value is None else f"{value:.4f}"


def interval(value: Interval | None, form: str = ".4f") -> str:
    """The value and its bounds."""
    if value is None:
        return "-"
    return f"{value.value:{form}} ({value.low:{form}} to {value.high:{form}})"


def _line(cells: Iterable[str]) -> str:
    # A class may be named with a bar or a line break, which would end its cell.
    told = (_escaped(" ".join(cell.replace("|", "/").split())) for cell in cells)
    return f"| {' | '.join(told)} |"


def _escaped(text: str) -> str:
    # Quotes end nothing outside of a tag, and the page is also read as it is.
    return html.escape(text, quote=False)
