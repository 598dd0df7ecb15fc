"""`nightshift plan ...`, and what PLAN means to commands that only need its name."""

import os
import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nightshift.commands.arguments import PlanName

app = typer.Typer(no_args_is_help=True, help="Look at plans.")


@app.callback()
def _group() -> None:
    """Look at plans."""


@app.command()
def check(
    plan: PlanName,
    source: Annotated[
        str | None, typer.Option(help="Another folder in the place of the plan's own.")
    ] = None,
) -> None:
    """Check a plan, then a sample of its data; every fault at once."""
    from deployments.plans import load_plan
    from nightshift.embedded import environ_for
    from tasks.home import Home

    checked = load_plan(plan, source=source)
    typer.echo(f"{checked.name}: the plan is valid (digest {checked.digest})")
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        # Reading leaves nothing behind, not even Prefect's own home.
        environ_for(Home(Path(folder), mlflow_uri="").make(), os.environ)
        from deployments.samples import check_sample

        sample = check_sample(checked, Path(folder))
    counts = ", ".join(f"{text}: {rows:,}" for text, rows in sample.class_rows.items())
    typer.echo(
        f"{checked.name}: {sample.read} of {sample.objects} objects in {checked.dataset.source} "
        f"read, {sample.rows:,} valid rows ({counts})"
    )


def name_of(plan: str) -> str:
    """The name under which the ledger knows a plan; one that is given by path says it itself.

    A name need not be that of a plan that still stands: the ledger remembers all of them.
    """
    from deployments.plans import is_path, load_plan
    from schemas.faults import PlanError

    if is_path(plan):
        return load_plan(plan).name
    if not re.fullmatch(r"[a-z0-9_-]+", plan):
        raise PlanError(
            f"PLAN: expected a plan's name (small letters, digits, '-' and '_') or the path of "
            f"its YAML file, got {plan!r}. `nightshift nights` shows the names there are."
        )
    return plan
