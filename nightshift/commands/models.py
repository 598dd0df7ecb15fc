"""`nightshift models ...`: what is registered for a plan, and who answers now."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nightshift.commands.arguments import AsJson, PlanName
from nightshift.commands.plans import known_name, whole_plan

if TYPE_CHECKING:
    from schemas.store import Store
    from tasks.home import Home

app = typer.Typer(no_args_is_help=True, help="Look at the registered models of a plan.")


@app.command("list")
def list_versions(plan: PlanName, as_json: AsJson = False) -> None:
    """Every registered version, oldest first."""
    _show_versions(plan, as_json, slice(None))


@app.command()
def latest(plan: PlanName, as_json: AsJson = False) -> None:
    """The newest version, champion or not."""
    _show_versions(plan, as_json, slice(-1, None))


@app.command()
def get(
    plan: PlanName,
    output: Annotated[Path, typer.Option(help="A folder that does not exist yet.")],
    version: Annotated[
        int | None, typer.Option(help="A version's number; the champion's if none.")
    ] = None,
) -> None:
    """Copy a version's files into a folder, once its checksums hold and it loads."""
    name = known_name(plan)
    home, store = place_of(name)
    from flows.predict import export_version

    kept = export_version(store, home.cache, name, version, output)
    typer.echo(f"wrote {output}: {kept.plan} version {kept.number}, sha256 {kept.digest}")


@app.command()
def compare(
    plan: PlanName,
    first: Annotated[int, typer.Argument(metavar="V1", help="A version's number.")],
    second: Annotated[int, typer.Argument(metavar="V2", help="Measured against the first.")],
    as_json: AsJson = False,
) -> None:
    """What differs between two versions, and what it is worth on rows that neither has seen.

    The rows are the holdout of the plan's latest night. Nothing is promoted or kept.
    """
    from nightshift.comparison_table import comparison_told
    from nightshift.rendering import show
    from schemas.faults import PlanError

    if first == second:
        raise PlanError(f"V1 and V2: expected two versions, got {first} twice")
    loaded = whole_plan(plan, "by which objective to compare", "models compare")
    home, _ = place_of(loaded.name)
    from flows.compare import compare_versions

    compared = compare_versions(loaded, home, first, second)
    if as_json:
        typer.echo(compared.model_dump_json(indent=2))
    else:
        show(comparison_told(compared))


def place_of(plan: str) -> "tuple[Home, Store]":
    """The home and its store, where there is one; what imports prefect may be imported after."""
    from nightshift.embedded import environ_for
    from schemas.faults import BucketMissing, ModelRefused, ObjectMissing
    from tasks.home import home_from
    from tasks.storage import open_store

    home = home_from(os.environ)
    store = open_store(home.state, home.memory)
    try:
        next(store.list("versions/"), None)
    except BucketMissing:
        raise
    except ObjectMissing:
        raise ModelRefused(
            f"Expected models of {plan} in {home.state}, got no such folder. "
            f"`nightshift train {plan}` trains one; NIGHTSHIFT_HOME names another place."
        ) from None
    environ_for(home.make(), os.environ)  # Prefect's settings stay in our home
    return home, open_store(home.state, home.memory)


def _show_versions(plan: str, as_json: bool, which: slice) -> None:
    from nightshift.rendering import show, show_json, versions_table
    from schemas.ledger import ListedVersion
    from tasks.ledger.champions import champion

    name = known_name(plan)
    _, store = place_of(name)
    from tasks.registry import versions

    kept = versions(store, name)[which]
    answering, _ = champion(store, name)
    if as_json:
        number = None if answering is None else answering.version
        show_json([ListedVersion(**dict(v), champion=v.number == number) for v in kept])
    elif kept:
        show(versions_table(kept, answering))
    else:
        typer.echo(f"no models of {name} yet in {store.uri}")
