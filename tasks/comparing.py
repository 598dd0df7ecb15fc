"""Two registered versions on the holdout of one night; nothing is promoted or written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.judging.attribution import Made, attribution, changed_groups, changes, made
from learning.judging.comparing import Rules, compared
from learning.judging.holdout import Holdout, answer, differences, read_holdout, untouched
from learning.keeping.models import FittedModel, load, training_keys
from learning.rows.sides import side_columns
from schemas.comparison import Attribution, Comparison, SettingChange
from schemas.faults import NightFailed, PlanError
from schemas.ledger import Version
from schemas.manifest import Rows
from schemas.night import Night, Standing
from schemas.plan import Plan


@dataclass(frozen=True)
class Compared:
    """A version to compare: its files, and what its own night told, where that still stands."""

    standing: Standing
    night: Night | None

    @property
    def version(self) -> Version:
        return self.standing.version

    @property
    def folder(self) -> Path:
        return Path(self.standing.folder)

    def model(self) -> FittedModel:
        """Loaded anew, every byte checked."""
        return load(self.folder, self.version.digest)


def compare_kept(plan: Plan, night: Night, first: Compared, second: Compared) -> Comparison:
    """Both on the holdout rows of this night that neither was trained on.

    Raises
    ------
    PlanError
        The plan's label is no longer the night's.
    NightFailed
        The rows are gone from this machine, or a version was trained on all of them.
    """
    if plan.targets != night.targets:
        raise PlanError(
            f"Expected plan {plan.name} to ask what its night {night.run_id} asked, got other "
            f"labels or classes. `nightshift train {plan.name}` makes a night of them; then "
            "compare versions on its rows."
        )
    sides = (first, second)
    models = [side.model() for side in sides]
    whole = _holdout(plan, night, models)
    holdout = untouched(whole, [training_keys(s.folder, s.version.digest) for s in sides])
    one, two = (answer(model, holdout, plan.targets) for model in models)
    rules = Rules(plan.targets, plan.objective, plan.gate, plan.search.seed)
    known = [_made(side, model) for side, model in zip(sides, models, strict=True)]
    found, why = _changes(known[0], known[1])
    return Comparison(
        plan=plan.name,
        first=first.version.number,
        second=second.version.number,
        first_model=first.version.family,
        second_model=second.version.family,
        night=night.run_id,
        rows=len(holdout.labels),
        excluded=len(whole.labels) - len(holdout.labels),
        objective=night.objective,
        confidence=plan.gate.confidence,
        resamples=rules.resamples(len(holdout.labels)),
        attribution=why,
        groups=changed_groups(found),
        changes=found,
        figures=compared(holdout.labels, one, two, rules),
        notes=(*_unknown(plan, sides, known), *_otherwise(plan, sides, models)),
    )


def _holdout(plan: Plan, night: Night, models: Sequence[FittedModel]) -> Holdout:
    """With the columns that a version knows and the rows still have."""
    rows: Rows = night.rows
    known = dict.fromkeys(name for model in models for name in model.columns)
    try:
        there = side_columns(rows.holdout)
        return read_holdout(rows, [name for name in known if name in there])
    except NightFailed as fault:
        raise NightFailed(
            f"The holdout rows of night {night.run_id} of {plan.name} are not on this machine: "
            f"{fault} `nightshift train {plan.name} --force` makes them here again; or compare "
            "where that night ran."
        ) from fault


def _made(side: Compared, model: FittedModel) -> Made | None:
    if side.night is None:
        return None
    return made(side.night, model.columns, model.targets, side.version.digest)


def _changes(
    first: Made | None, second: Made | None
) -> tuple[tuple[SettingChange, ...], Attribution]:
    if first is None or second is None:
        return (), "unknown"
    found = changes(first, second)
    return found, attribution(found)


def _unknown(plan: Plan, sides: Sequence[Compared], known: Sequence[Made | None]) -> Iterator[str]:
    for side, told in zip(sides, known, strict=True):
        if told is None:
            yield (
                f"the settings of version {side.version.number} are not known: expected them in "
                f"models/{plan.name}/{side.version.run_id}/night.json, which is gone, of another "
                "release, or of another model"
            )


def _otherwise(
    plan: Plan, sides: Sequence[Compared], models: Sequence[FittedModel]
) -> Iterator[str]:
    for side, model in zip(sides, models, strict=True):
        for told in differences(model, plan.dataset.columns, plan.targets):
            yield f"version {side.version.number} {told}"
