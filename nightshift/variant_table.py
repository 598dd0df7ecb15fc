"""A comparison of variants as a person reads it: the table, what failed, and what chance does."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from learning.reading.wording import amount
from learning.reports.texts import figure, interval
from nightshift.cells import table
from schemas.variants import Standing, VariantClass, VariantScore, VariantTable

CLASSES_SHOWN = 4
"""More would not fit; all of them stand in the table that MLflow keeps."""
_STYLES: dict[Standing, str] = {
    "base": "bold",
    "better": "green",
    "worse": "red",
    "within noise": "dim",
    "undecided": "dim",
    "failed": "yellow",
}


def variants_told(compared: VariantTable) -> RenderableType:
    """The base first, then each factor's variants."""
    title = Text.assemble((compared.plan, "bold"), f": variants of {compared.family}")
    work = Text(
        f"  {amount(compared.rows, 'row')}, {compared.repeats} x {compared.folds} folds, "
        f"{compared.objective} with cross-fitted offsets, {compared.confidence:.0%} intervals",
        style="dim",
    )
    parts: list[RenderableType] = [Text(), title, work, Text(), _figures(compared)]
    parts += [
        Text(f"  {score.variant.name}: left out: {score.note}", style="yellow")
        for score in compared.scores
        if score.standing == "failed"
    ]
    parts.append(Text(f"  {_chance(compared)}", style="dim"))
    if compared.mlflow_run:
        parts.append(Text(f"  MLflow run {compared.mlflow_link or compared.mlflow_run}"))
    return Group(*parts, Text())


def _figures(compared: VariantTable) -> Table:
    known = [score for score in compared.scores if score.standing != "failed"]
    classes = _shown(known)
    told = table(
        "variant",
        compared.objective,
        "difference to base",
        "",
        "without offsets",
        "accuracy",
        *([] if compared.objective == "macro-F1" else ["macro-F1"]),
        *(f"F1 {_named(each, classes)}" for each in classes),
        "seconds",
        *(["repeats"] if _uneven(known) else []),
    )
    for score in known:
        told.add_row(
            Text(score.variant.name),
            interval(score.score),
            interval(score.difference, signed=True),
            Text(score.standing, style=_STYLES[score.standing]),
            figure(score.plain_score),
            figure(score.accuracy),
            *([] if compared.objective == "macro-F1" else [figure(score.macro_f1)]),
            *(figure(_f1(score, each)) for each in classes),
            f"{score.seconds:.1f}",
            *([str(score.repeats)] if _uneven(known) else []),
        )
    return told


def _shown(known: list[VariantScore]) -> tuple[VariantClass, ...]:
    """The classes whose F1 is shown: the rarest ones, in the plan's order."""
    classes = known[0].classes
    rarest = sorted(classes, key=lambda each: each.support)[:CLASSES_SHOWN]
    return tuple(each for each in classes if each in rarest)


def _named(each: VariantClass, classes: tuple[VariantClass, ...]) -> str:
    several = len({other.target for other in classes}) > 1
    return f"{each.target} {each.name}" if several else each.name


def _f1(score: VariantScore, asked: VariantClass) -> float | None:
    same = (c for c in score.classes if (c.target, c.name) == (asked.target, asked.name))
    return next((each.f1 for each in same), None)


def _uneven(known: list[VariantScore]) -> bool:
    """Whether the time was up before every variant had all its repeats."""
    return len({score.repeats for score in known}) > 1


def _chance(compared: VariantTable) -> str:
    if any(score.standing == "undecided" for score in compared.scores):
        return "one repeat does not tell what folds and seeds do: nothing is called better or worse"
    tried = sum(score.difference is not None for score in compared.scores)
    expected = (1 - compared.confidence) * tried
    return (
        f"if none of the {tried} variants differed, about {expected:.1f} would be called better or "
        "worse by chance"
    )
