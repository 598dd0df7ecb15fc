"""One page a night, rendered from its record alone: nothing on it is retyped."""

from collections.abc import Iterator

from learning.reading.wording import amount
from learning.reports.markdown import MOST_LINES, bullets, capped, heading, table
from learning.reports.methods import methods_table
from learning.reports.recipes import recipe_lines
from learning.reports.red_flags import red_flags
from learning.reports.scores import found
from learning.reports.texts import interval
from learning.reports.trials import leaderboard, told_studies
from learning.reports.within import within_tables
from schemas.night import Night

MOST_OBJECTS = 10
"""Of each kind of change, by name; the ledger's record names more."""


def headline(night: Night) -> str:
    """The night in one line."""
    judgement = night.judgement
    return (
        f"{judgement.verdict.decision}: {judgement.contender}, {night.objective} "
        f"{interval(judgement.cards['challenger'].score)} on "
        f"{amount(judgement.rows, 'holdout row')}"
    )


def page(night: Night) -> str:
    """What was new, what was tried, what was found, and why this verdict; GitHub Markdown."""
    below = {*night.rows.notes, *(move.note for move in night.moves)}
    notes = [note for note in night.notes if note not in below]
    seconds = [
        {"stage": stage, "seconds": f"{spent:.1f}"} for stage, spent in night.stage_seconds.items()
    ]
    return "\n\n".join(
        [
            heading(f"{night.plan}: {headline(night)}", level=1),
            heading("Why this verdict"),
            bullets([*night.judgement.verdict.reasons, *night.judgement.notes, *notes]),
            *_flags(night),
            _champions(night),
            heading("What contends"),
            bullets(recipe_lines(night)),
            heading("What was new"),
            bullets(_news(night)),
            capped(list(_shares(night)), "see train_counts and holdout_counts in night.json"),
            *_drift(night),
            heading("What was tried"),
            methods_table(night),
            table(leaderboard(night.studies, night.objective)),
            bullets(told_studies(night.studies)),
            heading("What was found"),
            found(night),
            *within_tables(night),
            heading("Where the time went"),
            table(seconds),
        ]
    )


def _flags(night: Night) -> Iterator[str]:
    """What to look at before believing the contender; most nights nothing."""
    if flags := [flag.told for flag in red_flags(night)]:
        more = len(flags) - MOST_LINES
        rest = [f"{more} more: see red_flags.json"] if more > 0 else []
        yield heading("Red flags")
        yield bullets([*flags[:MOST_LINES], *rest])


def _champions(night: Night) -> str:
    before, after = night.champion_before, night.champion_after
    link = f" [This night in MLflow]({night.mlflow_link})." if night.mlflow_link else ""
    if before == after:
        return f"Champion: {_version(after)}, unchanged.{link}"
    return f"Champion: {_version(after)}, before {_version(before)}.{link}"


def _version(number: int | None) -> str:
    return "none" if number is None else f"version {number}"


def _news(night: Night) -> Iterator[str]:
    changes, rows = night.changes, night.rows
    yield f"{amount(night.objects, 'object')}: {changes.told} since the last finished night"
    for kind, names, count in (
        ("new", changes.new, changes.n_new),
        ("changed", changes.changed, changes.n_changed),
        ("vanished", changes.vanished, changes.n_vanished),
    ):
        if names:
            more = count - len(names[:MOST_OBJECTS])
            yield f"{kind}: {', '.join(names[:MOST_OBJECTS])}" + (
                f" and {more:,} more" if more else ""
            )
    yield f"{amount(rows.n_train, 'row')} to train on, {rows.n_holdout} in the holdout"
    yield from (
        f"{amount(count, 'row')} dropped: {rule}" for rule, count in rows.dropped.items() if count
    )
    yield from (
        f"{amount(count, 'row')} in quarantine: {fault}"
        for fault, count in rows.quarantined.items()
        if count
    )
    if night.findings:
        yield night.findings
    if night.judgement.excluded:
        yield (
            f"{amount(night.judgement.excluded, 'holdout row')} set aside: "
            "a judged model was trained on their group"
        )
    yield from rows.notes


def _drift(night: Night) -> Iterator[str]:
    """What of the rows that arrived is far from the last accepted night; most nights nothing."""
    if night.moves:
        rows = [
            {
                "drift of": m.figure,
                "last accepted night": m.accepted,
                "arrived": m.arrived,
                "in": m.where,
            }
            for m in night.moves
        ]
        yield capped([(0.0, row) for row in rows], "see moves in night.json")


def _shares(night: Night) -> Iterator[tuple[float, dict[str, str]]]:
    """How common each class that counts is, on both sides of the split; the rarest rank first."""
    rows, several = night.rows, len(night.targets) > 1
    for place, target in enumerate(night.targets):
        for c in target.counted:
            train = rows.train_counts[place][c]
            share: dict[str, str] = {"target": target.name} if several else {}
            yield (
                train,
                share
                | {
                    "class": target.class_texts[c],
                    "train": str(train),
                    "share": f"{train / max(1, rows.n_train):.1%}",
                    "holdout": str(rows.holdout_counts[place][c]),
                },
            )
