"""The few shapes that a page is made of; every word in them is escaped here, once."""

from collections.abc import Iterable, Mapping, Sequence

from learning.reports.texts import escaped

MOST_LINES = 30
"""Of a table with a line a class; nobody reads a thousand."""


def heading(text: str, level: int = 2) -> str:
    """One line: a name may hold line breaks."""
    return f"{'#' * level} {escaped(' '.join(text.split()))}"


def bullets(lines: Iterable[str]) -> str:
    """One line each; nothing where there are none."""
    return "\n".join(f"- {escaped(line)}" for line in lines)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """The first row's keys are the header; all rows have the same keys."""
    if not rows:
        return "(nothing)"
    lines = [_line(rows[0]), f"|{'---|' * len(rows[0])}"]
    lines += [_line(row.values()) for row in rows]
    return "\n".join(lines)


def capped(rows: Sequence[tuple[float, Mapping[str, str]]], rest: str) -> str:
    """A table of the `MOST_LINES` rows of least rank, in their order; below, how many have no line.

    `rest` says where those are.
    """
    by_rank = sorted(range(len(rows)), key=lambda place: rows[place][0])
    told = table([rows[place][1] for place in sorted(by_rank[:MOST_LINES])])
    left = len(rows) - MOST_LINES
    return f"{told}\n\n{left:,} more: {escaped(rest)}" if left > 0 else told


def _line(cells: Iterable[str]) -> str:
    # A class may be named with a bar or a line break, which would end its cell.
    told = (escaped(" ".join(cell.replace("|", "/").split())) for cell in cells)
    return f"| {' | '.join(told)} |"
