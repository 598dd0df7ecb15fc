"""One-factor variants as a person sees them: a task run a repeat, then one table of all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from learning.reports.texts import escaped_rows
from learning.reports.variants import variant_rows
from learning.searching.oof import Truth, read_truth
from learning.searching.units import Fits
from learning.searching.workers import WorkerPool
from learning.variants.fits import fit_variants
from learning.variants.listing import BASE
from learning.variants.scores import CONFIDENCE, Answered, answered, scored
from schemas.faults import NightFailed
from schemas.manifest import Rows
from schemas.objectives import objective_name
from schemas.plan import Plan
from schemas.variants import Variant, VariantTable


@dataclass(frozen=True)
class Repeat:
    """All variants on one assignment of the rows to folds; `notes` say why one has no answers."""

    truth: Truth
    answers: dict[str, Answered]
    notes: dict[str, str]


@task(name="fit-repeat", task_run_name="fit-repeat-{number}", cache_policy=NO_CACHE)
def fit_repeat(
    number: int,  # from 1
    of: int,
    variants: Sequence[Variant],
    plan: Plan,  # with this repeat's seed
    rows: Rows,
    pool: WorkerPool,
    deadline: float,  # monotonic seconds
    folder: Path,
    vectors: Path | None = None,  # keeps what encoders make of texts
) -> Repeat:
    """Fits every variant on the same folds; each is told as it is scored."""
    log, name = get_run_logger(), objective_name(plan.objective)
    done = Repeat(read_truth(rows, plan.targets, plan.objective), {}, {})
    progress = _Progress(plan.name, number, of, len(variants))

    def tell(variant: Variant, fits: Fits) -> None:
        place = f"repeat {number} of {of}: {variant.name}"
        if fits.note:
            done.notes[variant.name] = fits.note
            # What is late is told once, at the end: it may be most of them.
            if not fits.late:
                log.warning("%s is left out: %s", place, fits.note)
        else:
            found = done.answers[variant.name] = answered(done.truth, fits)
            log.info("%s: %s %.4f, fitted in %.1f s", place, name, found.score, fits.seconds)
        progress.step()

    fit_variants(variants, plan, rows, pool, deadline, folder, tell, vectors)
    late = len(variants) - len(done.answers)
    if late and time.monotonic() >= deadline:
        log.warning("repeat %d of %d: the time was up before all were fitted", number, of)
    return done


@task(name="compare", cache_policy=NO_CACHE)
def compare(
    variants: Sequence[Variant], repeats: Sequence[Repeat], plan: Plan, rows: Rows, family: str
) -> VariantTable:
    """Each variant's figures and its difference to the base, as a table.

    Raises
    ------
    NightFailed
        The base has no answers: there is nothing to compare with.
    """
    log = get_run_logger()
    notes = {name: note for repeat in reversed(repeats) for name, note in repeat.notes.items()}
    if not any(BASE in repeat.answers for repeat in repeats):
        raise NightFailed(
            f"The base recipe of {family} has no answers, so there is nothing to compare with: "
            f"{notes.get(BASE, 'it was not fitted')}. Give it more time (--budget-minutes), or "
            "another --family."
        )
    found = {
        variant.name: {
            number: repeat.answers[variant.name]
            for number, repeat in enumerate(repeats)
            if variant.name in repeat.answers
        }
        for variant in variants
    }
    truths = {number: repeat.truth for number, repeat in enumerate(repeats)}
    table = VariantTable(
        plan=plan.name,
        family=family,
        objective=objective_name(plan.objective),
        rows=rows.n_train,
        folds=plan.search.folds,
        repeats=len(repeats),
        seed=plan.search.seed,
        confidence=CONFIDENCE,
        scores=scored(variants, truths, found, notes),
    )
    create_table_artifact(
        key=f"variants-{plan.name.replace('_', '-')}",
        table=escaped_rows(variant_rows(table)),
        description=f"One-factor variants of {family}, {table.repeats} x {table.folds} folds",
    )
    marked = [score for score in table.scores if score.standing in ("better", "worse")]
    log.info("%d variants, %d apart from the base", len(table.scores) - 1, len(marked))
    return table


class _Progress:
    """A repeat's progress artifact."""

    def __init__(self, plan: str, number: int, of: int, variants: int) -> None:
        self._before, self._all, self._done = (number - 1) * variants, of * variants, 0
        key = f"variants-progress-{plan.replace('_', '-')}"
        self._artifact = cast(UUID, create_progress_artifact(self._percent(), key=key))

    def step(self) -> None:
        self._done += 1
        update_progress_artifact(self._artifact, self._percent())

    def _percent(self) -> float:
        return 100 * (self._before + self._done) / self._all
