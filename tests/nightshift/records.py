"""Records of nights made by hand, and what a terminal shows of them."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType

from schemas.ledger import Record

START = datetime(2026, 1, 2, 2, 0, tzinfo=UTC)


def record(**facts) -> Record:
    facts = {
        "plan": "quickstart",
        "outcome": "promoted",
        "run_id": "abc",
        "started_at": START,
        "ended_at": START + timedelta(seconds=75),
        "reasons": ("macro-F1 rose",),
        "plan_digest": "d",
        "code_version": "1",
        **facts,
    }
    return Record(**facts)


def printed(told: RenderableType) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(told)
    return console.export_text()
