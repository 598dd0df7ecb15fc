"""What is wrong with the data of a night, for its owner: a page that is read, and tables of all.

Names of objects and columns are chosen by producers: on the page nothing in them is markup, and a
table opened in a spreadsheet runs nothing.
"""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from learning.reading.quarantine import ADVICE
from learning.reading.wording import amount
from learning.reports.texts import escaped
from schemas.findings import Finding
from schemas.store import shown_name
from schemas.validation import Validation

MOST_LINES = 100
"""Findings that the page lists; what broke most rows comes first."""

MOST_PLACES = 10
"""Row numbers or offsets of one line of the page."""

LONGEST = 300
"""Characters of one cell of the page."""

ALL = "all objects together"
_MARKUP = re.compile(r"([\\`*_\[\]~|!#])")


def validation_page(told: Validation, file: str) -> str:
    """GitHub Markdown; `file` is where every finding stands."""
    parts = [f"# {_plain(told.plan)}: {_headline(told)}"]
    if told.rejected:
        parts += ["The champion stays as it is. The next night reads the source again."]
        parts += [_plain(line) for line in _some(told.rejected.splitlines())]
    if told.findings:
        parts += [_table(told.findings)]
    more = len(told.findings) - MOST_LINES
    rest = f"{more:,} more findings, and all" if more > 0 else "All"
    parts += [f"{rest} row numbers that were kept, stand in {_plain(file)}"]
    return "\n\n".join(parts) + "\n"


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """A line each, for a spreadsheet."""
    return pd.DataFrame(
        [
            {
                "object": shown_name(finding.object_name) or ALL,
                "column": shown_name(finding.column),
                "expected": finding.expected,
                "got": finding.got,
                "rows": finding.count,
                "row_numbers": _spaced(finding.rows),
                "byte_offsets": _spaced(finding.offsets),
                "what_to_do": finding.todo or ADVICE,
            }
            for finding in findings
        ]
    )


def _headline(told: Validation) -> str:
    if told.rejected:
        return "data rejected"
    aside = sum(finding.count for finding in told.findings)
    found = (
        f"{amount(aside, 'fault')} in rows that were set aside" if aside else "nothing set aside"
    )
    return f"{found}; {amount(told.rows, 'valid row')} of {amount(told.objects, 'object')}"


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"{amount(more, 'more line')}"] if more > 0 else [])]


def _table(findings: Sequence[Finding]) -> str:
    first = sorted(findings, key=lambda finding: -finding.count)[:MOST_LINES]
    heads = ("object", "column", "expected", "got", "rows", "where", "what to do")
    lines = [_line(heads), f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(_line(_cells(finding)) for finding in first)])


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        _plain(finding.object_name or ALL),
        _plain(finding.column) or "-",
        _plain(finding.expected),
        _plain(finding.got),
        f"{finding.count:,}" if finding.count else "-",
        _where(finding),
        _plain(finding.todo or ADVICE),
    )


def _where(finding: Finding) -> str:
    if finding.offsets:
        return f"bytes {_first(finding.offsets, len(finding.offsets))}"
    if finding.rows:
        return f"rows {_first(finding.rows, finding.count)}"
    return "as a whole"


def _first(places: Sequence[int], count: int) -> str:
    shown = places[:MOST_PLACES]
    return ", ".join(map(str, shown)) + (", ..." if count > len(shown) else "")


def _spaced(places: Iterable[int]) -> str:
    return " ".join(map(str, places))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """One line in which nothing is markup, cut where nobody would read on."""
    line = shown_name(" ".join(text.split()))
    cut = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    return _MARKUP.sub(r"\\\1", escaped(cut))
