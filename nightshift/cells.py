"""The cells that tables of the terminal are made of."""

from typing import assert_never

from rich import box
from rich.table import Table
from rich.text import Text

from schemas.ledger import Outcome, Record
from schemas.results import Interval


def table(*columns: str) -> Table:
    """Empty; a name may hold a class, so it is never markup."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(Text(column))
    return made


def outcome_text(outcome: Outcome) -> Text:
    """Coloured by what it asks of a person."""
    match outcome:
        case "promoted":
            style = "bold green"
        case "held" | "insufficient-evidence" | "rolled-back":
            style = "yellow"
        case "rejected-data" | "failed":
            style = "bold red"
        case "skipped":
            style = "dim"
        case _:
            assert_never(outcome)
    return Text(outcome, style=style)


def duration(record: Record) -> str:
    """How long the night took."""
    seconds = round((record.ended_at - record.started_at).total_seconds())
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def score_of(record: Record, role: str) -> Interval | None:
    """By the objective of that night; records of before there were others have macro-F1 only."""
    for name in (f"{role}_score", f"{role}_macro_f1"):
        value = record.figures.get(name)
        if value is not None:
            low, high = (record.figures.get(f"{name}_{end}", value) for end in ("low", "high"))
            return Interval(value=value, low=low, high=high)
    return None
