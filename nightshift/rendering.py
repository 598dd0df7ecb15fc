"""What commands print: records as tables for people, or as JSON for programs.

`summary` tells one night.
"""

import json
import sys
from collections.abc import Sequence
from typing import assert_never

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from learning.reports.texts import figure, interval
from nightshift.cells import duration, outcome_text, score_of, table
from schemas.ledger import BAD_PLAN, Champion, Record, Version
from schemas.manifest import Changes

PIPE_WIDTH = 100_000  # columns where no terminal bounds them: nothing is cut or wrapped


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


def _arrived(changes: Changes) -> str:
    """Objects that were new; how many others had changed or gone, where any had."""
    others = {"changed": changes.n_changed, "gone": changes.n_vanished}
    told = [f"{count:,} {what}" for what, count in others.items() if count]
    return ", ".join([f"{changes.n_new:,}", *told])


def nights_table(records: Sequence[Record]) -> Table:
    """One line a night; times are UTC. Only a terminal cuts the reasons."""
    told = table("started (UTC)", "plan", "outcome", "champion", "new", "score", "took", "why")
    for record in records:
        told.add_row(
            record.started_at.strftime("%Y-%m-%d %H:%M"),
            record.plan,
            outcome_text(record.outcome),
            _champion(record),
            _arrived(record.changes),
            _score(record),
            duration(record),
            Text(_why(record), overflow="ellipsis", no_wrap=True),
        )
    return told


def versions_table(versions: Sequence[Version], champion: Champion | None) -> Table:
    """One line a version; the champion is marked."""
    told = table("version", "", "model", "score", "holdout rows", "created (UTC)", "sha256")
    for version in versions:
        answers = champion is not None and champion.version == version.number
        told.add_row(
            str(version.number),
            Text("champion", style="green") if answers else "",
            version.family,
            interval(version.score),
            f"{version.holdout_rows:,}",
            version.created_at.strftime("%Y-%m-%d %H:%M"),
            version.digest[:12],
        )
    return told


def _score(record: Record) -> Text:
    """The challenger's; by what, where it is not macro-F1."""
    score = score_of(record, "challenger")
    by = "" if record.objective == "macro-F1" else f" {record.objective}"
    return Text("-" if score is None else f"{figure(score.value)}{by}")


def _champion(record: Record) -> str:
    before, after = record.champion_before, record.champion_after
    if before == after:
        return "-" if after is None else str(after)
    return f"{'-' if before is None else before} -> {'-' if after is None else after}"


def _why(record: Record) -> str:
    """All reasons, in one line; a terminal shows how they begin."""
    told = record.reasons or (record.note,)
    return " ".join(line.strip() for reason in told for line in reason.splitlines())
