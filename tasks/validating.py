"""What the owner of the data is told: whether new rows are far from the accepted ones, and every
finding of a night, as an artifact of its run and as private files beside the rows set aside.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from learning.reading.wording import amount
from learning.reports.validation import findings_frame, validation_page
from learning.rows.exports import write_private
from learning.rows.instants import refuse_future
from learning.rows.profiles import moves, profile_of, refuse_moves
from schemas.faults import DataRejected
from schemas.findings import Finding
from schemas.manifest import Shard
from schemas.plan import Plan
from schemas.profile import Move, Profile
from schemas.validation import Validation

FILE = "findings.csv"


@task(name="validate", cache_policy=NO_CACHE)
def validate_rows(
    shards: Sequence[Shard],
    arrived: Collection[str],  # names of objects that are new or changed
    accepted: Profile | None,  # of the last finished night
    plan: Plan,
    now: datetime,
) -> tuple[Move, ...]:
    """How the rows that arrived differ from the accepted ones: told, or refused if so planned.

    Raises
    ------
    DataRejected
        They differ by more than `dataset.drift` allows, and its action is `reject`; or rows are of
        a day that is yet to come.
    """
    if plan.dataset.time is not None:
        refuse_future(shards, plan.dataset.time, now)
    drift = plan.dataset.drift
    new = [shard for shard in shards if shard.object_name in arrived]
    if drift.action == "ignore" or accepted is None or not new:
        return ()
    log, profile = get_run_logger(), profile_of(new, plan.targets)
    if profile.rows < drift.min_rows:
        log.info(
            "not compared with accepted rows: %s, dataset.drift.min_rows is %s",
            amount(profile.rows, "new row"),
            f"{drift.min_rows:,}",
        )
        return ()
    moved = moves(profile, accepted, drift, [shard.object_name for shard in new])
    for move in moved:
        log.warning("%s", move.note)
    if drift.action == "reject":
        refuse_moves(moved)
    return moved


def rejection(plan: str, run_id: str, fault: DataRejected) -> Validation:
    """What ended a night; the fault itself is the finding where no object is to blame."""
    findings = fault.findings or (
        Finding(
            object_name="",
            expected="data that can be trained on",
            got=str(fault),
            todo="Do what stands there; the next night reads the source again.",
        ),
    )
    return Validation(plan=plan, run_id=run_id, rejected=str(fault), findings=findings)


def tell_all(told: Validation, quarantine: Path) -> tuple[str, ...]:
    """Says where every finding stands; nothing where there is none, or where it can't be written.

    A report that fails ends no night.
    """
    if not told.findings and not told.rejected:
        return ()
    folder = quarantine / told.run_id
    if tell_findings(told, folder, return_state=True).is_failed():
        get_run_logger().warning("the findings could not be written to %s", folder)
        return ()
    return (f"every finding, with row numbers and what to do, stands in {folder / FILE}",)


@task(name="tell findings", cache_policy=NO_CACHE, retries=1, retry_delay_seconds=2)
def tell_findings(told: Validation, folder: Path) -> None:
    """The file with every finding; beside it the same as JSON, and the page at the run."""
    file = folder / FILE
    write_private(findings_frame(told.findings), file)
    beside = file.with_suffix(".json")
    beside.touch(mode=0o600)
    beside.write_text(told.model_dump_json(indent=2), encoding="utf-8")
    create_markdown_artifact(
        key=f"validation-{told.plan.replace('_', '-')}",
        markdown=validation_page(told, str(file)),
        description="What is wrong with the data: object by object, rule by rule",
    )
    get_run_logger().warning("findings: %d; all of them stand in %s", len(told.findings), file)
