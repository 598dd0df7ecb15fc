"""A comparison of two versions as a person reads it: what was set otherwise, and what it did."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from learning.judging.comparing import expected_by_chance
from learning.reading.wording import amount
from learning.reports.texts import figure, interval
from nightshift.cells import table
from schemas.comparison import Comparison, FigureChange, Mark

_STYLES: dict[Mark, str] = {
    "better": "green",
    "worse": "red",
    "within noise": "dim",
    "not measured": "yellow",
}


def comparison_told(compared: Comparison) -> RenderableType:
    """The settings that differ, whether they explain anything, then every figure."""
    title = Text.assemble(
        (compared.plan, "bold"),
        f": version {compared.second} ({compared.second_model}) against version {compared.first} "
        f"({compared.first_model})",
    )
    work = Text(
        f"  {amount(compared.rows, 'holdout row')} of night {compared.night}"
        + (
            f", {compared.excluded:,} set aside that one was trained on"
            if compared.excluded
            else ", none of which either was trained on"
        )
        + f"; {compared.confidence:.0%} intervals of {compared.resamples:,} paired resamples",
        style="dim",
    )
    settings = [_settings(compared)] if compared.changes else []
    notes = [Text(f"  {note}", style="yellow") for note in compared.notes]
    cause = Text(f"  {_cause(compared)}", style="bold")
    chance = Text(f"  {_chance(compared)}", style="dim")
    parts: list[RenderableType] = [
        title,
        work,
        *notes,
        *settings,
        cause,
        Text(),
        _figures(compared),
        chance,
    ]
    return Group(Text(), *parts, Text())


def _cause(compared: Comparison) -> str:
    match compared.attribution:
        case "nothing differs":
            return "Nothing differs in settings or data: what differs in figures is chance."
        case "unknown":
            return "Not attributable: the settings of a version are not known."
        case "attributable":
            return f"Only {compared.groups[0]} differs: what differs in figures comes of it."
        case "not attributable":
            *most, last = compared.groups
            return (
                f"Not attributable: {', '.join(most)} and {last} differ at once, and nobody can "
                "tell which of them did it. Change one group at a time."
            )


def _settings(compared: Comparison) -> Table:
    first, second = compared.first, compared.second
    told = table("group", "setting", f"version {first}", f"version {second}")
    for change in compared.changes:
        cells = (change.group, change.name, change.first or "-", change.second or "-")
        told.add_row(*(Text(cell) for cell in cells))
    return told


def _figures(compared: Comparison) -> Table:
    head = (f"version {compared.first}", f"version {compared.second}", "difference", "noise", "")
    told = table("figure", *head)
    for change in compared.figures:
        told.add_row(
            Text(_named(change)),
            figure(change.first),
            figure(change.second),
            interval(change.difference, signed=True),
            figure(change.noise),
            Text(change.mark, style=_STYLES[change.mark]),
        )
    return told


def _named(change: FigureChange) -> str:
    of = " ".join(part for part in (change.target, change.of_class) if part)
    return f"{change.figure} of {of}" if of else change.figure


def _chance(compared: Comparison) -> str:
    expected = expected_by_chance(compared.figures, compared.confidence)
    return (
        "noise: what chance does to the figure itself on these rows (one bootstrap standard "
        "error); no smaller difference is called better or worse. Were both worth the same, about "
        f"{expected:.1f} of these intervals would leave out 0 by chance"
    )
