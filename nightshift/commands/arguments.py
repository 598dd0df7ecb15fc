"""What several commands take."""

from typing import Annotated

import typer

PlanName = Annotated[
    str, typer.Argument(metavar="PLAN", help="A plan's name, or the path of its YAML file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
