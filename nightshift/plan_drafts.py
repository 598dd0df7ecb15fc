"""What `plan init` leaves: the file, and one screen of what was guessed and why."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from nightshift.cells import table
from schemas.faults import PlanError
from schemas.store import shown_name

if TYPE_CHECKING:
    from deployments.first_look import Drafted
    from learning.profiling.guesses import Guesses

MOST_SHOWN = 20
"""Columns of one table on the screen; the plan has them all."""


def write_plan(text: str, path: Path, force: bool) -> None:
    """In place at once; never over a plan that is there, unless asked to."""
    there = PlanError(
        f"{path} is there already; --force replaces it, --name or --output takes another place"
    )
    if path.exists() and not force:
        raise there
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as fault:
        raise PlanError(
            f"{path} can't be written ({fault.strerror}); --output takes another place"
        ) from fault


def drafted_told(made: "Drafted", path: Path, data: str) -> RenderableType:
    """What the columns seem to be, what was left out and why, and what to do next."""
    guesses = made.guesses
    parts: list[RenderableType] = [Text(f"{path}: a plan for {made.told}"), _features(guesses)]
    if guesses.left_out:
        parts.append(_left_out(guesses))
    parts += [_label(guesses), *_asked(guesses), Text("")]
    parts.append(Text(f"next:  nightshift plan check {path}\n       nightshift train {path}"))
    return Group(*parts)


def _features(guesses: "Guesses") -> RenderableType:
    told = table("column", "role", "seen")
    roles = (("key", guesses.key), ("row's time", guesses.time), ("weight", guesses.weight))
    for role, guess in roles:
        if guess is not None:
            told.add_row(Text(shown_name(guess.name)), role, Text(guess.why))
    for guess in guesses.features[:MOST_SHOWN]:
        role = "" if guess.column is None else guess.column.role
        told.add_row(Text(shown_name(guess.name)), role, Text(guess.why))
    if len(guesses.features) > MOST_SHOWN:
        told.add_row(f"and {len(guesses.features) - MOST_SHOWN:,} more", "", "")
    return told


def _left_out(guesses: "Guesses") -> RenderableType:
    told = table("left out", "why")
    for name, why in list(guesses.left_out.items())[:MOST_SHOWN]:
        told.add_row(Text(shown_name(name) or "(no name)"), Text(shown_name(why)))
    if len(guesses.left_out) > MOST_SHOWN:
        told.add_row(f"and {len(guesses.left_out) - MOST_SHOWN:,} more", "")
    return told


def _label(guesses: "Guesses") -> RenderableType:
    lines = []
    for each in guesses.answers:
        counts = [f"{name}: {n:,}" for name, n in zip(each.classes, each.counts, strict=True)]
        more = f", and {len(counts) - 8} more classes" if len(counts) > 8 else ""
        lines.append(f"label {each.name} ({guesses.label.kind}): {', '.join(counts[:8])}{more}")
    if guesses.aside_rows:
        why = "; ".join(f"{count:,} {told}" for told, count in guesses.set_aside.items())
        lines.append(f"{guesses.aside_rows:,} of {guesses.rows:,} rows will be set aside: {why}")
    if guesses.lowered_floor is not None:
        lines.append(
            f"{guesses.rows - guesses.aside_rows} rows are few: the plan lowers "
            f"dataset.floors.rows to {guesses.lowered_floor}, and any score says little"
        )
    return Text("\n".join(map(shown_name, lines)))


def _asked(guesses: "Guesses") -> list[RenderableType]:
    """What only a person can tell; the plan says where."""
    known = (*guesses.answers, guesses.key, guesses.time, *guesses.features)
    asked = [f"{shown_name(guess.name)}: {each}" for guess in known if guess for each in guess.asks]
    return [Text("\n".join(["please look at", *(f"  {each}" for each in asked)]))] if asked else []
