"""`nightshift simulate`: data that arrives day by day, from a file that has it all."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nightshift.commands.arguments import PlanName
from nightshift.commands.plans import counts_told


def simulate(
    plan: PlanName,
    file: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="Labelled rows, as the plan reads them.")
    ],
    days: Annotated[int, typer.Option(min=1, max=3660, help="Drops, one a day.")],
    start: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Of the first drop; by default that of its rows."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="By default the plan's own source.")
    ] = None,
    only_next: Annotated[
        bool, typer.Option("--next", help="Deal one more drop only: the first that is not there.")
    ] = False,
) -> None:
    """Deal a labelled file out as dated drops: by the plan's time column, or evenly."""
    from deployments.plans import load_plan
    from deployments.simulation import deal
    from learning.reading.wording import amount

    loaded = load_plan(plan)
    new = 0
    for drop in deal(loaded, file, days, start.date() if start else None, to, only_next):
        new += not drop.there
        told = "there already" if drop.there else f"dealt {counts_told(drop.class_rows)}"
        typer.echo(f"{drop.name}: {amount(drop.rows, 'row')}, {told}")
    if only_next and not new:
        typer.echo(f"all of {amount(days, 'drop')} there: no more rows to deal")
    place = loaded.dataset.source if to is None else to
    source = f" --source {to}" if to is not None else ""
    typer.echo(f"{new} new in {place}; next: nightshift train {plan}{source}")
