"""`nightshift variants`: what each choice of a plan is worth, one at a time."""

import contextlib
import os
from typing import TYPE_CHECKING, Annotated

import typer

from nightshift.commands.arguments import AsJson, PlanName
from schemas.faults import PlanError

if TYPE_CHECKING:
    from schemas.plan import Family, Plan
    from schemas.variants import Variant, VariantTable


def compare_variants(
    ctx: typer.Context,
    plan: PlanName,
    factor: Annotated[
        list[str] | None,
        typer.Option(help="`imbalance` or a knob such as `classifier.C`; all of them if none."),
    ] = None,
    family: Annotated[
        str | None, typer.Option(metavar="KIND", help="One of the plan's; its first if none.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, max=20, help="Times that the rows are dealt to folds anew.")
    ] = 3,
    source: Annotated[
        str | None, typer.Option(help="Another folder or gs://bucket/prefix in the plan's place.")
    ] = None,
    budget_minutes: Annotated[
        float | None, typer.Option(help="In the place of the plan's own budget.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change one factor of a recipe at a time and show what each change is worth.

    The base is one family's recipe with every knob at rest and nothing done about imbalance.
    Nothing is promoted; the holdout is not looked at.
    """
    from deployments.plans import load_plan
    from learning.variants.listing import variants as variants_of
    from nightshift.rendering import show
    from nightshift.variant_table import variants_told

    loaded = load_plan(plan, source=source, budget_minutes=budget_minutes)
    chosen = _family(loaded, family)
    asked = variants_of(chosen, loaded.imbalance, loaded.dataset.columns, factor or ())
    if len(asked) == 1:
        raise PlanError(f"{', '.join(factor or ['PLAN'])}: there is no other setting to compare")
    compared = _compared(loaded, chosen.classifier.kind, asked, repeats, bool(ctx.obj), as_json)
    if as_json:
        typer.echo(compared.model_dump_json(indent=2))
    else:
        show(variants_told(compared))


def _family(plan: "Plan", kind: str | None) -> "Family":
    if kind is None:
        return plan.families[0]
    for family in plan.families:
        if family.classifier.kind == kind:
            return family
    kinds = ", ".join(family.classifier.kind for family in plan.families)
    raise PlanError(f"--family: expected one of {kinds}, as in plan {plan.name}, got {kind!r}")


def _compared(
    plan: "Plan",
    family: str,
    asked: "tuple[Variant, ...]",
    repeats: int,
    debug: bool,
    as_json: bool,
) -> "VariantTable":
    """Nothing imports prefect before its settings are chosen."""
    from nightshift.embedded import embedded_server
    from nightshift.terminal import Facts, Interrupt, facts_only, show
    from tasks.home import home_from

    home = home_from(os.environ).make()
    interrupt = Interrupt()
    with contextlib.ExitStack() as stack:
        # Programs read stdout: what a person watches goes to stderr then.
        aside = stack.enter_context(os.fdopen(os.dup(2), "w", errors="replace"))
        facts = stack.enter_context(facts_only(home.logs / "nightshift.log", debug))
        stack.enter_context(interrupt)
        stack.enter_context(embedded_server(home, preload=("flows.variants",)))
        show(Facts(aside) if as_json and not debug else facts)
        from flows.variants import variants

        ended = variants(plan, family, asked, repeats, return_state=True)
        outcome = ended.result(raise_on_failure=False)
    # Raised out here: a fault on its way up would keep Prefect from sending what it has to say.
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
