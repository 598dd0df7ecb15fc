"""What commands print: records as tables for people, or as JSON for programs."""

import json
import sys
from collections.abc import Sequence
from typing import assert_never

from pydantic import BaseModel
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.ledger import BAD_PLAN, Champion, Outcome, Record, Version
from schemas.night import BASELINE
from schemas.results import Interval

PIPE_WIDTH = 100_000  # columns where no terminal bounds them: nothing is cut or wrapped
ROLES = ("challenger", "champion", "finalist", "baseline")


def show(told: RenderableType, error: bool = False) -> None:
    """Print to standard output (or error), coloured only on a terminal."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    Console(file=stream, width=width, highlight=False).print(told)


def show_json(records: Sequence[BaseModel]) -> None:
    """A JSON list; field names are those of the schemas."""
    sys.stdout.write(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
    sys.stdout.write("\n")


def exit_code(record: Record) -> int:
    """0 done or skipped, 2 bad plan, 3 data rejected, 4 failed."""
    match record.outcome:
        case "failed":
            return 2 if record.note == BAD_PLAN else 4
        case "rejected-data":
            return 3
        case "skipped" | "held" | "insufficient-evidence" | "promoted" | "rolled-back":
            return 0
    assert_never(record.outcome)


def nights_table(records: Sequence[Record]) -> Table:
    """One line a night; times are UTC. Only a terminal cuts the reasons."""
    table = _table("started (UTC)", "plan", "outcome", "champion", "new", "macro-F1", "took", "why")
    for record in records:
        table.add_row(
            record.started_at.strftime("%Y-%m-%d %H:%M"),
            record.plan,
            _outcome(record.outcome),
            _champion(record),
            str(len(record.changes.new) + len(record.changes.changed)),
            _figure(record.figures.get("challenger_macro_f1")),
            _duration(record),
            Text(_why(record), overflow="ellipsis", no_wrap=True),
        )
    return table


def versions_table(versions: Sequence[Version], champion: Champion | None) -> Table:
    """One line a version; the champion is marked."""
    table = _table("version", "", "model", "macro-F1", "holdout rows", "created (UTC)", "sha256")
    for version in versions:
        answers = champion is not None and champion.version == version.number
        table.add_row(
            str(version.number),
            Text("champion", style="green") if answers else "",
            version.family,
            _interval(version.score),
            f"{version.holdout_rows:,}",
            version.created_at.strftime("%Y-%m-%d %H:%M"),
            version.digest[:12],
        )
    return table


def night_summary(record: Record) -> RenderableType:
    """What a person reads when a night is over: outcome, why, figures, what can be done next."""
    title = Text.assemble((record.plan, "bold"), ": ", _outcome(record.outcome))
    title.append(_headline(record))
    parts: list[RenderableType] = [Text(), title]
    parts += [Text(f"  {line}") for reason in record.reasons for line in reason.splitlines()]
    if any(f"{role}_macro_f1" in record.figures for role in ROLES):
        parts += [_work(record), Text(), _figures(record)]
    if record.verdict is not None and record.verdict.class_changes:
        parts += [Text(), _class_changes(record)]
    return Group(*parts, Text())


def _headline(record: Record) -> str:
    after = record.champion_after
    if record.outcome == "promoted":
        return f", version {after} is the champion ({_duration(record)})"
    stays = f"; version {after} stays the champion" if after is not None else ""
    return f" ({_duration(record)}){stays}"


def _figures(record: Record) -> Table:
    figures = record.figures
    table = _table("model", "macro-F1 on the holdout", "interval")
    is_baseline = record.contender == BASELINE
    for role in ROLES:
        score = figures.get(f"{role}_macro_f1")
        if score is not None and not (role == "baseline" and is_baseline):
            low, high = figures.get(f"{role}_macro_f1_low"), figures.get(f"{role}_macro_f1_high")
            known = low is not None and high is not None
            bounds = f"{_figure(low)} to {_figure(high)}" if known else ""
            table.add_row(_named(role, record), _figure(score), bounds)
    return table


def _named(role: str, record: Record) -> str:
    match role:
        case "challenger" if record.contender:
            return f"challenger: {record.contender}"
        case "finalist":
            return "best of the search, not proven better"
        case _:
            return role


def _work(record: Record) -> Text:
    """What the night did, in one line."""
    figures = record.figures
    told = [
        f"{figures[name]:,.0f} {what}"
        for name, what in (
            ("train_rows", "rows to train on"),
            ("holdout_rows", "to judge on"),
            ("trials", "trials"),
        )
        if name in figures
    ]
    return Text(f"  {', '.join(told)}", style="dim")


def _class_changes(record: Record) -> Table:
    verdict = record.verdict
    table = _table("class", f"F1 against {verdict.reference}" if verdict else "F1", "more rows")
    for change in verdict.class_changes if verdict else ():
        more = "" if change.more_rows is None else f"about {change.more_rows:,}"
        table.add_row(Text(change.name), _interval(change.f1, signed=True), more)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _outcome(outcome: Outcome) -> Text:
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


def _champion(record: Record) -> str:
    before, after = record.champion_before, record.champion_after
    if before == after:
        return "-" if after is None else str(after)
    return f"{'-' if before is None else before} -> {'-' if after is None else after}"


def _why(record: Record) -> str:
    """All reasons, in one line; a terminal shows how they begin."""
    told = record.reasons or (record.note,)
    return " ".join(line.strip() for reason in told for line in reason.splitlines())


def _duration(record: Record) -> str:
    seconds = round((record.ended_at - record.started_at).total_seconds())
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _interval(figure: Interval | None, signed: bool = False) -> str:
    if figure is None:
        return "-"
    form = "+.4f" if signed else ".4f"
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def _figure(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"
