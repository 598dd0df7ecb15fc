"""Figures, settings and names as people read them, on a page, in a table, in a terminal."""

import html
from collections.abc import Iterable, Mapping

from schemas.knobs import Setting
from schemas.results import Interval


def figure(value: float | None) -> str:
    """Four digits; a dash where there is no figure.

    >>> figure(0.5), figure(None)
    ('0.5000', '-')
    """
    return "-" if value is None else f"{value:.4f}"


def interval(value: Interval | None, signed: bool = False) -> str:
    """The value and its bounds; a dash where there is none."""
    return "-" if value is None else value.text(signed)


def setting_text(setting: Setting) -> str:
    """Of a number four digits that say something.

    >>> setting_text(0.000123456), setting_text("l1")
    ('0.0001235', 'l1')
    """
    return f"{setting:.4g}" if isinstance(setting, float) else str(setting)


def escaped(text: str) -> str:
    """No markup, where a page may be shown as HTML.

    Quotes end nothing outside of a tag, and the page is also read as it is.

    >>> escaped("F1 of '<b>'")
    "F1 of '&lt;b&gt;'"
    """
    return html.escape(text, quote=False)


def escaped_rows(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """A table without markup, in its head neither: that may name a class."""
    return [{escaped(name): escaped(cell) for name, cell in row.items()} for row in rows]
