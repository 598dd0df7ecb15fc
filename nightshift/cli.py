"""The commands. Each is a sentence over flows, tasks and plans; what it imports is paid when run.

Exit codes: 0 done or skipped, 2 bad plan or arguments, 3 data rejected, 4 a plan failed, 130
interrupted. Faults are told on stderr without a stack trace; `--debug`, anywhere on the line,
shows it.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from nightshift.commands import data, models, plans, simulate, variants
from nightshift.commands.arguments import AsJson, PlanName
from schemas.faults import NightshiftError, PlanError

if TYPE_CHECKING:
    from schemas.ledger import Record
    from tasks.home import Home


class Commands(TyperGroup):
    """Turns faults into messages and exit codes, in one place for all commands."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **named: Any) -> Any:
        """`--debug` counts wherever it stands; a fault ends with its own exit code."""
        given = list(sys.argv[1:] if args is None else args)
        debug = ["--debug"] if "--debug" in given else []
        try:
            return super().main(debug + [a for a in given if a != "--debug"], *rest, **named)
        except NightshiftError as fault:
            if debug:
                raise
            typer.echo(f"nightshift: {fault}", err=True)
            sys.exit(fault.exit_code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Retrains imbalanced classifiers on nights that brought new data; promotes on evidence.",
)
app.add_typer(models.app, name="models")
app.add_typer(plans.app, name="plan")
app.add_typer(data.app, name="data")
app.command("variants")(variants.compare_variants)
app.command("simulate")(simulate.simulate)


@app.callback()
def options(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show stack traces and all logs.")] = False,
) -> None:
    """State is kept in NIGHTSHIFT_HOME: a folder, by default ./.nightshift, or gs://bucket/prefix."""
    ctx.obj = debug
    if not debug:
        warnings.simplefilter("ignore")  # libraries talk to us, not to whoever reads a table
        sys.excepthook = _tell_defect


@app.command()
def train(
    ctx: typer.Context,
    plans: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLAN]...", help="Names or paths; all enabled plans if none."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Another folder or gs://bucket/prefix in the plan's place.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Train even if no data is new.")] = False,
    budget_minutes: Annotated[
        float | None, typer.Option(help="In the place of the plan's own budget.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Prefect API to report to; by default one that lives as long as this."),
    ] = None,
) -> None:
    """Run a night here and now for each PLAN."""
    from deployments.plans import enabled_names
    from tasks.home import home_from

    names = list(plans or enabled_names())
    if source is not None and len(names) != 1:
        raise PlanError(f"--source: expected exactly one PLAN with it, got {len(names)}")
    if not names:
        raise PlanError("No plan is enabled; name one, or set `enabled: true` in a plan")
    home = home_from(os.environ).make()
    records = _nights(home, names, force, budget_minutes, source, server, bool(ctx.obj))
    _conclude(records)


@app.command()
def nights(
    plan: Annotated[
        str | None, typer.Argument(metavar="[PLAN]", help="Name or path; all plans if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ledger: every attempt at a night, oldest first."""
    from nightshift.rendering import nights_table, show, show_json
    from tasks.home import home_from
    from tasks.ledger.records import damaged, history
    from tasks.storage import open_store

    name = None if plan is None else plans.name_of(plan)
    home = home_from(os.environ)
    if home.shared:
        home.make()  # what was read of a bucket once is remembered here
    store = open_store(home.state, home.memory)
    records = history(store, name)
    for entry in damaged(store, name):
        typer.echo(f"nightshift: {entry} can't be read and is left out", err=True)
    if as_json:
        show_json(records)
    elif records:
        show(nights_table(records))
    else:
        typer.echo(f"no nights{f' of {name}' if name else ''} yet in {store.uri}")


@app.command()
def predict(
    plan: PlanName,
    source: Annotated[
        Path, typer.Option("--input", help="Rows: .csv, .jsonl (both also .gz) or .parquet.")
    ],
    target: Annotated[Path, typer.Option("--output", help="Where to write, by the same endings.")],
) -> None:
    """Answer new rows with the plan's champion; one row of output for each of input, in order."""
    from nightshift.commands.models import place_of

    answering = plans.plan_to_predict(plan)
    home, _ = place_of(answering.name)
    from flows.predict import predict_file
    from learning.reading.wording import amount

    predicted = predict_file(answering, home, source, target)
    typer.echo(
        f"wrote {target}: {amount(predicted.rows, 'row')}, predicted by {predicted.plan} "
        f"version {predicted.version}"
    )


@app.command()
def up(
    prefect_port: Annotated[
        int | None, typer.Option(help="Prefect's port; by default 4200, or any that is free.")
    ] = None,
    mlflow_port: Annotated[
        int | None, typer.Option(help="MLflow's port; by default 5000, or any that is free.")
    ] = None,
) -> None:
    """Run Prefect server, worker, deployments and MLflow's pages until Ctrl-C."""
    from nightshift.up import up as run_services
    from tasks.home import home_from

    run_services(home_from(os.environ), typer.echo, prefect_port, mlflow_port)


def _nights(
    home: "Home",
    names: Sequence[str],
    force: bool,
    budget_minutes: float | None,
    source: str | None,
    server: str | None,
    debug: bool,
) -> "tuple[Record, ...]":
    """Nothing imports prefect before its settings are chosen."""
    from nightshift.embedded import embedded_server, environ_for
    from nightshift.terminal import Interrupt, facts_only, show

    interrupt = Interrupt()
    with contextlib.ExitStack() as stack:
        facts = stack.enter_context(facts_only(home.logs / "nightshift.log", debug))
        stack.enter_context(interrupt)  # ends inside: what libraries say then is for the log
        if any(_is_plan(name) for name in names):
            stack.enter_context(embedded_server(home, server, preload=("flows.train",)))
        else:  # the ledger is told what is wrong with them; that needs no server
            environ_for(home, os.environ)
        show(facts)
        from flows.train import run_nights

        return run_nights(names, force, budget_minutes, source)


def _is_plan(name: str) -> bool:
    from deployments.plans import load_plan

    try:
        load_plan(name)
    except PlanError:
        return False
    return True


def _conclude(records: "Sequence[Record]") -> None:
    """What came of it, and the exit code of the worst."""
    from nightshift.rendering import exit_code, show
    from nightshift.summary import night_summary

    for record in records:
        show(night_summary(record), error=exit_code(record) > 0)
    raise typer.Exit(max(map(exit_code, records), default=0))


def _tell_defect(
    kind: type[BaseException], defect: BaseException, trace: TracebackType | None
) -> None:
    """One line: where, but not the defect's own words, which may quote a cell of the data."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    told = f"nightshift: a defect of ours, {kind.__name__}{place} ({at})"
    typer.echo(f"{told}. Run it again with --debug to see all of it.", err=True)


if __name__ == "__main__":
    app()
