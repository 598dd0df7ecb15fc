"""What a person reads when a night is over: outcome, why, figures, what can be done next."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from learning.reading.wording import amount
from learning.reports.texts import figure, interval
from nightshift.cells import duration, outcome_text, score_of, table
from schemas.ledger import Record
from schemas.night import BASELINE
from schemas.results import ClassChange, Verdict

ROLES = ("challenger", "champion", "finalist", "baseline")
MOST_LINES = 12
"""Of targets or classes; of a hundred labels those that lost most are shown."""


def night_summary(record: Record) -> RenderableType:
    """The record of one attempt, also where nothing was trained."""
    title = Text.assemble((record.plan, "bold"), ": ", outcome_text(record.outcome))
    title.append(_headline(record))
    parts: list[RenderableType] = [Text(), title]
    parts += [Text(f"  {line}") for reason in record.reasons for line in reason.splitlines()]
    parts += [
        Text(f"  {amount(count, 'row')} in quarantine: {fault}", style="yellow")
        for fault, count in record.quarantined.items()
    ]
    if any(score_of(record, role) for role in ROLES):
        parts += [_work(record), Text(), _figures(record)]
    if _targets(record):
        parts += [Text(), _target_scores(record)]
    if record.verdict is not None and _tells_more(record.verdict):
        parts += [Text(), _class_changes(record.verdict)]
    return Group(*parts, Text())


def _headline(record: Record) -> str:
    after = record.champion_after
    if record.outcome == "promoted":
        return f", version {after} is the champion ({duration(record)})"
    stays = f"; version {after} stays the champion" if after is not None else ""
    return f" ({duration(record)}){stays}"


def _work(record: Record) -> Text:
    """What the night did, in one line."""
    figures = record.figures
    told = [
        f"{amount(round(figures[name]), one)}{rest}"
        for name, one, rest in (
            ("train_rows", "row", " to train on"),
            ("holdout_rows", "row", " to judge on"),
            ("trials", "trial", ""),
        )
        if name in figures
    ]
    return Text(f"  {', '.join(told)}", style="dim")


def _figures(record: Record) -> Table:
    told = table("model", f"{record.objective} on the holdout", "interval")
    for role in _roles(record):
        score = score_of(record, role)
        if score is not None:
            bounds = f"{figure(score.low)} to {figure(score.high)}"
            told.add_row(_named(role, record), figure(score.value), bounds)
    return told


def _roles(record: Record) -> list[str]:
    """Whose figures stand there; a baseline that contends is told once, as challenger."""
    twice = record.contender == BASELINE
    return [
        role
        for role in ROLES
        if score_of(record, role) is not None and not (role == "baseline" and twice)
    ]


def _named(role: str, record: Record) -> str:
    match role:
        case "challenger" if record.contender:
            return f"challenger: {record.contender}"
        case "finalist":
            return "best of the search, not proven better"
        case _:
            return role


def _targets(record: Record) -> list[str]:
    """The names of the targets, where there are several."""
    ends = [name for name in record.figures if name.endswith("_score")]
    names = (name.removeprefix("challenger_").removesuffix("_score") for name in ends)
    return [name for name in names if f"challenger_{name}_score" in record.figures]


def _target_scores(record: Record) -> Table:
    """A line a target: what each model reaches, and the change against the reference."""
    changes = record.verdict.target_changes if record.verdict else ()
    change_of = {change.name: change.score for change in changes}
    names = _targets(record)
    if len(names) > MOST_LINES:
        names.sort(key=lambda name: change_of[name].value if name in change_of else 0.0)
    roles = _roles(record)
    against = [f"against {record.verdict.reference}"] if record.verdict and changes else []
    told = table("target", *roles, *against)
    for name in names[:MOST_LINES]:
        figures = [figure(record.figures.get(f"{role}_{name}_score")) for role in roles]
        change = [interval(change_of.get(name), signed=True)] if against else []
        told.add_row(Text(name), *figures, *change)
    _tell_rest(told, len(names))
    return told


def _tells_more(verdict: Verdict) -> bool:
    """Whether classes say what their targets have not: a label that is there or not has one class
    that counts, and its F1 may be the whole score.
    """
    told = {(change.name, change.score) for change in verdict.target_changes}
    return any(
        change.more_rows or (change.target, change.f1) not in told
        for change in verdict.class_changes
    )


def _class_changes(verdict: Verdict) -> Table:
    changes: list[ClassChange] = list(verdict.class_changes)
    several = len({change.target for change in changes}) > 1
    if len(changes) > MOST_LINES:
        changes.sort(key=lambda change: change.f1.value)
    heads = (["target"] if several else []) + ["class", f"F1 against {verdict.reference}"]
    told = table(*heads, "more rows")
    for change in changes[:MOST_LINES]:
        more = "" if change.more_rows is None else f"about {change.more_rows:,}"
        names = [Text(change.target)] if several else []
        told.add_row(*names, Text(change.name), change.f1.text(signed=True), more)
    _tell_rest(told, len(changes))
    return told


def _tell_rest(told: Table, all_lines: int) -> None:
    if all_lines > MOST_LINES:
        # The night's page is capped too; of many classes only the files have every line.
        told.caption = f"{all_lines - MOST_LINES} more: all stand in metrics.json of the MLflow run"
