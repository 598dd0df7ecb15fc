"""What each choice of a plan is worth: one factor of a recipe changed at a time, on equal folds."""

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from prefect import flow

from learning.reports.variants import variant_files, variant_metrics
from learning.rows.assembly import assemble
from learning.searching.workers import WorkerPool
from learning.variants.listing import BASE
from schemas.faults import NightFailed, NightshiftError, kind_and_place
from schemas.manifest import Rows
from schemas.objectives import objective_name
from schemas.plan import Plan
from schemas.variants import Variant, VariantTable
from tasks.encoders import encoders, fetch_encoder, refuse_widths
from tasks.home import Home, home_from
from tasks.ingestion import assemble_rows, ingest_objects
from tasks.scanning import refuse_nothing, scan_source
from tasks.storage import open_store
from tasks.tidying import mark_used, sweep
from tasks.tracking import Tracker
from tasks.varying import Repeat, compare, fit_repeat


@flow(name="variants", retries=0)
def variants(plan: Plan, family: str, asked: Sequence[Variant], repeats: int) -> VariantTable:
    """Compare `asked`, of which the first is the base, on `repeats` deals of the rows to folds.

    Only rows to train on are looked at: the holdout stays unseen, and no champion changes. What was
    fitted is kept, so a comparison that was stopped goes on where it was.
    """
    home = home_from(os.environ).make()
    try:
        return _compared(plan, family, asked, repeats, home)
    except NightshiftError:
        raise
    except Exception as defect:
        # Not raised on: Prefect would show its words, and they may quote a cell of the data.
        logging.getLogger(__name__).debug("the defect", exc_info=defect)
        raise NightFailed(
            f"A defect of ours, {kind_and_place(defect)}, ended the comparison. Run it again with "
            "--debug to see all of it."
        ) from None


def _compared(
    plan: Plan, family: str, asked: Sequence[Variant], repeats: int, home: Home
) -> VariantTable:
    own = tuple(each for each in plan.families if each.classifier.kind == family)
    alone = plan.model_copy(update={"families": own})
    for encoder in encoders(alone):
        fetch_encoder(encoder)
    refuse_widths(alone)
    deadline = time.monotonic() + 60 * plan.search.budget_minutes
    workers = plan.search.workers or os.cpu_count() or 1
    with WorkerPool(workers, threads=1, preload=("learning.searching.folds",)) as pool:
        source = open_store(plan.dataset.source, home.memory)
        found = scan_source(source, plan.dataset)
        refuse_nothing(found, plan.dataset)
        # Names of its own: a night that ends meanwhile tidies the plan's. Not so for rows that
        # were set aside: they are private, and only nights are sure to come and remove them.
        cache, work, answers = (
            root / f"{plan.name}.variants" for root in (home.cache, home.work, home.studies)
        )
        aside = home.quarantine / plan.name
        vectors = home.cache / plan.name / "vectors"  # a text is the same text in any night
        shards = ingest_objects(source, found.manifest, plan, cache, aside)
        mark_used(*(Path(shard.path) for shard in shards))
        done: list[Repeat] = []
        dealt: list[Rows] = []
        for number in range(1, repeats + 1):
            # Without a base there is nothing to compare the others with.
            if done and (time.monotonic() >= deadline or BASE in done[-1].notes):
                break
            ours = _repeated(plan, number)
            # Only the folds differ from one repeat to the next: told once.
            rows = (assemble if dealt else assemble_rows)(shards, ours, work)
            dealt.append(rows)
            folder = answers / rows.digest
            mark_used(work / rows.digest, folder)
            able = _able(asked, done)
            done.append(
                fit_repeat(number, repeats, able, ours, rows, pool, deadline, folder, vectors)
            )
    table = compare(asked, done, plan, dealt[0], family)
    sweep((work, answers), cache, {rows.digest for rows in dealt}, shards)
    return _logged(table, plan, home)


def _repeated(plan: Plan, number: int) -> Plan:
    """With folds and seeds of its own; k folds, so that every row is scored in every repeat."""
    seed = (plan.search.seed + number - 1) % 2**31
    search = plan.search.model_copy(update={"seed": seed, "validation": "k-fold"})
    return plan.model_copy(update={"search": search})


def _able(asked: Sequence[Variant], done: Sequence[Repeat]) -> list[Variant]:
    """Without those that could not be fitted before: they would fail again."""
    failed = {name for repeat in done for name in repeat.notes}
    return [variant for variant in asked if variant.name not in failed]


def _logged(table: VariantTable, plan: Plan, home: Home) -> VariantTable:
    """The table on a run of MLflow, each variant on a run below it."""
    tracker = Tracker(
        home.mlflow_uri,
        home.artifacts,
        f"nightshift/{plan.name}",
        {"nightshift.run": uuid4().hex[:12], "nightshift.plan": plan.name},
        objective_name(plan.objective),
    )
    facts = table.model_dump(exclude={"scores", "mlflow_run", "mlflow_link"})
    parent = tracker.log_run(
        f"{plan.name}_variants",
        {"variants": float(len(table.scores) - 1)},
        facts,
        variant_files(table),
        {"experiment_type": "variants"},
    )
    for score in table.scores if parent else ():
        variant = score.variant
        tracker.log_run(
            variant.name,
            variant_metrics(score, table.objective),
            {
                "factor": variant.factor or "none",
                "setting": variant.setting or "at rest",
                "candidate": variant.candidate.model_dump_json(),
            },
            {},
            {
                "mlflow.parentRunId": parent,
                "experiment_type": "variant",
                "standing": score.standing,
                "note": score.note,
            },
        )
    link = tracker.link(os.environ.get("NIGHTSHIFT_MLFLOW_UI"), parent)
    return table.model_copy(update={"mlflow_run": parent, "mlflow_link": link if parent else ""})
