"""A plan's YAML from guesses: short, each guess with its evidence beside it, easy to overrule."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from learning.profiling.classes import Answers
from learning.profiling.guesses import Guesses
from learning.profiling.roles import Guess
from learning.reading.wording import amount
from schemas.dataset import (
    BooleanColumn,
    CategoryColumn,
    Column,
    EmbeddingColumn,
    Floors,
    NumberColumn,
    Quarantine,
    TextColumn,
    TimeColumn,
)
from schemas.label import ClassValue, MultiLabel, MultiTaskLabel, SingleLabel

WIDTH = 100
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ .+()/-]+[A-Za-z0-9_]+)*\Z")
_WORDS = frozenset(["yes", "no", "on", "off", "true", "false", "null", "y", "n", "none", "nan"])


@dataclass(frozen=True)
class Place:
    """Where the rows are, as the plan says it; `told` says what was looked at."""

    name: str
    source: str
    pattern: str
    encoding: str
    told: str
    about_pattern: str


def draft(place: Place, guesses: Guesses) -> str:
    """The whole file; no cell of a text, no level, but the classes."""
    parts = [
        _head(place),
        _dataset(place, guesses),
        _label(guesses),
        _split(guesses),
        _families(guesses),
    ]
    return "\n".join("\n".join(part) + "\n" for part in map(list, parts) if part)


def yaml_text(text: str) -> str:
    """Plain where no reader of YAML could take it for anything else, in quotes otherwise.

    >>> yaml_text("Air temperature"), yaml_text("no"), yaml_text("1")
    ('Air temperature', '"no"', '"1"')
    """
    if _BARE.match(text) and text.lower() not in _WORDS:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return quoted.strip()


def _head(place: Place) -> Iterator[str]:
    yield from _comment(
        f"Guessed from {place.told}. Every guess can be overruled: a column is a feature under "
        "`columns`, or stands under `ignore` with the reason."
    )
    yield f"name: {yaml_text(place.name)}"


def _dataset(place: Place, guesses: Guesses) -> Iterator[str]:
    yield "dataset:"
    yield f"  source: {yaml_text(place.source)}"
    yield from _comment(place.about_pattern, indent=2)
    yield f"  pattern: {yaml_text(place.pattern)}"
    yield from _encoding(place.encoding)
    for role, guess in (("key", guesses.key), ("weight", guesses.weight)):
        if guess is not None:
            yield from _noted(f"  {role}: {yaml_text(guess.name)}", guess, indent=2)
    if guesses.time is not None:
        yield from _row_time(guesses.time)
    yield "  columns:"
    for guess in guesses.features:
        yield from _noted(f"    {yaml_text(guess.name)}: {_role(guess.column)}", guess, indent=4)
    if guesses.left_out:
        yield "  ignore:"
        for name, why in guesses.left_out.items():
            yield f"    {yaml_text(name)}: {yaml_text(why)}"
    yield from _quarantine(guesses)
    yield from _floors(guesses)


def _encoding(encoding: str) -> Iterator[str]:
    if encoding == "utf-8":
        return
    if not encoding.startswith("utf"):
        yield "  # It is not UTF-8; this is a guess: look at letters beyond A to Z."
    yield f"  encoding: {encoding}"


def _row_time(guess: Guess) -> Iterator[str]:
    yield from _comment(
        "When each row happened. Not a feature; to have its hour and weekday as features, move it "
        "to columns with the role time.",
        indent=2,
    )
    yield from _noted(f"  time: {yaml_text(guess.name)}", guess, indent=2)
    column = guess.column
    if isinstance(column, TimeColumn) and column.format is not None:
        yield f"  time_format: {yaml_text(column.format)}"
    if isinstance(column, TimeColumn) and column.zone is not None:
        yield f"  time_zone: {yaml_text(column.zone)}"


def _role(column: Column | None) -> str:
    match column:
        case EmbeddingColumn(dimension=dimension):
            return f"{{role: embedding, dimension: {dimension}}}"
        case TimeColumn(format=form, zone=zone):
            told = {"format": form, "zone": zone}
            parts = [f"{key}: {yaml_text(value)}" for key, value in told.items() if value]
            return f"{{role: time, {', '.join(parts)}}}" if parts else "time"
        case TextColumn(max_chars=most) if most != TextColumn().max_chars:
            return f"{{role: text, max_chars: {most}}}"
        case TextColumn() | NumberColumn() | CategoryColumn() | BooleanColumn():
            return column.role
        case None:
            raise AssertionError("a column without a role is no feature")


def _noted(line: str, guess: Guess, indent: int) -> Iterator[str]:
    """The evidence behind it; what is asked stands before it."""
    for asked in guess.asks:
        yield from _comment(f"{asked[0].upper()}{asked[1:]}.", indent)
    bad = 0 if guess.bad is None else int(guess.bad.sum())
    told = f"{guess.why}; rows set aside for it: {bad:,}" if bad else guess.why
    noted = f"{line}  # {told}"
    if len(noted) <= WIDTH:
        yield noted
    else:
        yield from _comment(f"{told[0].upper()}{told[1:]}.", indent)
        yield line


def _quarantine(guesses: Guesses) -> Iterator[str]:
    """Room for as many rows as break the schema now, and half as many again."""
    if not guesses.aside_rows:
        return
    share = guesses.aside_rows / guesses.rows
    told = "; ".join(f"{count:,} {why}" for why, count in guesses.set_aside.items())
    yield from _comment(
        f"{guesses.aside_rows:,} of {guesses.rows:,} rows are set aside: {told}.", indent=2
    )
    if share <= Quarantine().max_share / 2:
        yield "  # Fewer than the share that is allowed where nothing is said, 1 %."
        return
    room = min(math.ceil(share * 150 + 0.5) / 100, round((1 + share) / 2, 4))
    yield f"  quarantine: {{max_share: {room:g}}}"


def _floors(guesses: Guesses) -> Iterator[str]:
    if guesses.lowered_floor is None:
        return
    yield from _comment(
        f"{guesses.rows - guesses.aside_rows} rows are few: a night would refuse fewer than "
        f"{Floors().rows} to train on. What is learned of so few says little; take this out when "
        "there are more.",
        indent=2,
    )
    yield f"  floors: {{rows: {guesses.lowered_floor}}}"


def _label(guesses: Guesses) -> Iterator[str]:
    yield "label:"
    match guesses.label:
        case SingleLabel(column=column):
            [only] = guesses.answers
            yield from _about_classes(only, indent=2)
            yield f"  column: {yaml_text(column)}"
            yield from _classes("  classes: ", only)
        case MultiTaskLabel():
            yield "  kind: multi-task  # several labels on each row, each with its own classes"
            yield "  columns:"
            for each in guesses.answers:
                yield from _about_classes(each, indent=4)
                yield from _classes(f"    {yaml_text(each.name)}: ", each)
        case MultiLabel(columns=columns):
            yield from _comment(
                "Any number of these on a row: each is 0 or 1. Where each is a question of its own "
                f"with two answers, write kind: multi-task, and {{{yaml_text(columns[0])}: [0, 1],"
                " ...} as columns.",
                indent=2,
            )
            yield "  kind: multi-label"
            yield "  columns:"
            for each in guesses.answers:
                yield f"    - {yaml_text(each.name)}  # {amount(each.counts[1], 'row')} with it"


def _about_classes(label: Answers, indent: int) -> Iterator[str]:
    rows = " / ".join(f"{count:,}" for count in label.counts[:8])
    more = " / ..." if len(label.counts) > 8 else ""
    told = [f"{rows}{more} rows."]
    if label.missing:
        told.append(f"Rows without a label, which are set aside: {label.missing:,}.")
    for each, why in ((label.rare, "too few rows to learn"), (label.misspelt, "other spellings")):
        if each:
            names = ", ".join(
                f"{name[:40]!r} ({count:,})" for name, count in list(each.items())[:5]
            )
            more = f" and {len(each) - 5} more" if len(each) > 5 else ""
            told.append(f"Left out as {why}: {names}{more}.")
    told += [f"{asked[0].upper()}{asked[1:]}." for asked in label.asks]
    yield from _comment(" ".join(told), indent)


def _classes(start: str, label: Answers) -> Iterator[str]:
    written = [_class(each) for each in label.classes]
    line = f"{start}[{', '.join(written)}]"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{start}["
    indent = " " * (len(start) - len(start.lstrip()) + 2)
    line = indent
    for each in written:
        if len(line) + len(each) > WIDTH - 2 and line.strip():
            yield line.rstrip()
            line = indent
        line += f"{each}, "
    yield f"{line.rstrip()}"
    yield f"{indent[2:]}]"


def _class(value: ClassValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return yaml_text(value)


def _split(guesses: Guesses) -> Iterator[str]:
    if guesses.time is None:
        return
    yield from _comment(
        "A hash of each case decides which fifth of the rows judges. If what matters is tomorrow's "
        "rows from those before, let the latest judge:"
    )
    yield "# split: {by: time}"


def _families(guesses: Guesses) -> Iterator[str]:
    """Words say little of a name, or of texts without spaces between words."""
    if not guesses.unspaced:
        return
    yield "# Texts of one word, or without spaces between words: parts of words say more here."
    yield "families:"
    for kind in ("logistic-regression", "lightgbm"):
        yield f"  - classifier: {{kind: {kind}}}"
        yield "    features: {text: {characters: true}}"


def _comment(text: str, indent: int = 0) -> Sequence[str]:
    """Lines of at most `WIDTH`, with a `#` each."""
    lines, line = [], " " * indent + "#"
    for word in " ".join(text.split()).split(" "):
        if len(line) + 1 + len(word) > WIDTH and line.strip() != "#":
            lines.append(line)
            line = " " * indent + "#"
        line += f" {word}"
    return [*lines, line]
