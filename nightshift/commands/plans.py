"""`nightshift plan ...`, and what PLAN means to commands that only need its name."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nightshift.commands.arguments import PlanName

if TYPE_CHECKING:
    from deployments.samples import Sample
    from schemas.plan import Plan

app = typer.Typer(no_args_is_help=True, help="Write plans and look at them.")


@app.command()
def init(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A labelled file (.csv, .csv.gz, .jsonl, .jsonl.gz or .parquet), or a folder.",
        ),
    ],
    label: Annotated[
        list[str], typer.Option(metavar="COL", help="What to predict; more than once for several.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Of the plan; by default made from the file's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="By default ./NAME.yaml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a plan for a labelled file, by guesses that are told and easy to overrule."""
    from deployments.first_look import drafted
    from deployments.plans import is_path
    from nightshift.plan_drafts import drafted_told, write_plan
    from nightshift.rendering import show
    from schemas.faults import PlanError

    if output is not None and not is_path(str(output)):
        raise PlanError(f"--output: expected a name that ends in .yaml, got {str(output)!r}")
    made = drafted(data, label, output.parent if output else Path.cwd(), name)
    path = output or Path(f"{made.name}.yaml")
    write_plan(made.text, path, force)
    show(drafted_told(made, path, data))


@app.command()
def check(
    plan: PlanName,
    source: Annotated[
        str | None, typer.Option(help="Another folder or gs://bucket/prefix in the plan's place.")
    ] = None,
) -> None:
    """Check a plan, then a sample of its data; every fault at once."""
    from deployments.plan_encoders import encoder_notes
    from deployments.plans import checkable_part, load_plan
    from learning.reading.wording import amount
    from schemas.faults import NightshiftError, PlanError

    try:
        checked = load_plan(plan, source=source)
        notes = encoder_notes(checked)
    except PlanError as fault:
        part = checkable_part(plan, source)
        if part is None:
            raise
        try:
            _sampled(part)
        except NightshiftError as other:
            raise PlanError(f"{fault}\n{other}") from None
        raise
    typer.echo(f"{checked.name}: the plan is valid (digest {checked.digest})")
    sample = _sampled(checked)
    typer.echo(
        f"{checked.name}: {sample.read} of {amount(sample.objects, 'object')} in "
        f"{checked.dataset.source} read, {amount(sample.rows, 'valid row')} "
        f"({counts_told(sample.class_rows)})"
    )
    set_aside = f"a night would set aside {sample.set_aside}" if sample.set_aside else ""
    for told in filter(None, (set_aside, *sample.notes, *notes)):
        typer.echo(f"{checked.name}: {told}")


def _sampled(plan: "Plan") -> "Sample":
    """Reading leaves nothing behind, not even Prefect's own home."""
    from nightshift.embedded import environ_for
    from tasks.home import Home, home_from

    memory = home_from(os.environ).memory  # before the settings are those of a mere look
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        environ_for(Home(Path(folder), mlflow_uri="").make(), os.environ)
        from deployments.samples import check_sample

        return check_sample(plan, Path(folder), memory if memory.is_dir() else None)


def counts_told(class_rows: Mapping[str, Mapping[str, int]]) -> str:
    """Rows of each class of each target, in one line."""
    from learning.reports.counts import targets_told

    told = {
        target: {text: (rows,) for text, rows in classes.items()}
        for target, classes in class_rows.items()
    }
    return "; ".join(targets_told(told))


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


def known_name(plan: str) -> str:
    """As `name_of`, of a plan that is shipped or that the ledger has heard of."""
    from deployments.plans import no_plan, shipped_names

    name = name_of(plan)
    heard = heard_names()
    if name == plan and name not in heard and name not in shipped_names():
        raise no_plan(name, heard)
    return name


def plan_to_predict(plan: str) -> "Plan":
    """The plan itself: its champion's files do not say which column is the key."""
    return whole_plan(plan, "which column is the key", "predict")


def whole_plan(plan: str, what: str, command: str) -> "Plan":
    """The plan itself, where its name alone is not enough: only it says `what`."""
    from deployments.plans import is_path, load_plan, no_plan, shipped_names
    from schemas.faults import PlanError

    if is_path(plan) or plan in shipped_names():
        return load_plan(plan)
    heard = heard_names()
    if plan in heard:
        raise PlanError(
            f"Expected the YAML file of plan {plan!r}, got its name: no plan under "
            f"deployments/plans is called so, and only the plan says {what}. Name the file that "
            f"it was trained from, such as `nightshift {command} path/to/{plan}.yaml`."
        )
    raise no_plan(plan, heard)


def heard_names() -> tuple[str, ...]:
    """The plans that the state store has a night or a model of; none where there is no folder."""
    from schemas.faults import BucketMissing, ObjectMissing
    from tasks.home import home_from
    from tasks.storage import open_store

    home = home_from(os.environ)
    store = open_store(home.state, home.memory)
    rooms = ("ledger/", "versions/", "champions/")
    try:
        names = [ref.name.split("/") for room in rooms for ref in store.list(room)]
    except BucketMissing:
        raise
    except ObjectMissing:
        return ()
    return tuple(sorted({plan for _, plan, *_ in names}))
