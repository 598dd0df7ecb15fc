"""The nightly retraining: scan, ingest, screen, tune, fit, judge, keep, promote, record."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from deployments.plans import enabled_names, load_plan, plan_path_exists
from flows.news import news
from flows.rows import Due
from flows.search import search
from learning.reports.figures import metrics
from learning.reports.files import ending_files, judgement_files
from learning.searching.budget import Budget
from schemas.faults import (
    DataRejected,
    NightFailed,
    NightshiftError,
    SourceChanged,
    StoreConflict,
)
from schemas.ledger import Claim, Record, Version
from schemas.night import Night
from schemas.plan import Plan
from schemas.store import ABSENT, Store
from tasks.attempt import Attempt, not_started
from tasks.encoders import encoders, fetch_encoder, refuse_widths
from tasks.home import Home, home_from
from tasks.judging import PICTURES, judge_night
from tasks.ledger.champions import champion, move_champion
from tasks.ledger.claims import (
    TTL_S,
    Heartbeat,
    claim_night,
    release,
    settle_killed,
    utc_now,
)
from tasks.ledger.manifests import keep_manifest
from tasks.ledger.records import history, write_record
from tasks.registry import keep_model, promote, save_pyfunc
from tasks.reporting import report, tags
from tasks.scanning import scan_source, waiting_told
from tasks.states import state_of, state_of_all
from tasks.storage import open_store
from tasks.tidying import drop_checkpoints, keep_newest, sweep_readings, tidy
from tasks.tracking import Tracker
from tasks.validating import rejection, tell_all


@flow(name="train", retries=0)
def train(
    plans: list[str] | None = None, force: bool = False, budget_minutes: float | None = None
) -> State[Any]:
    """Retrain every enabled plan, or the named ones, and promote only what earns its place.

    Parameters
    ----------
    plans : names under `deployments/plans` or paths of YAML files; all enabled ones by default
    force : train also where the ledger says that nothing is new
    budget_minutes : in the place of each plan's own budget
    """
    return state_of_all(run_nights(plans or enabled_names(), force, budget_minutes))


def run_nights(
    names: Sequence[str],
    force: bool = False,
    budget_minutes: float | None = None,
    source: str | None = None,
) -> tuple[Record, ...]:
    """Each plan's night as a flow run of its own; one that fails does not stop the others."""
    records = []
    for name in names:
        try:
            plan = load_plan(name, source=source, budget_minutes=budget_minutes)
            records.append(_run_night(plan, force))
        except NightshiftError as fault:
            records.append(not_started(name, fault, utc_now()))
            if not plan_path_exists(name):
                continue  # a mistyped name is nobody's night
            with suppress(NightshiftError):  # a store that can't be written is told all the same
                write_record(open_store(home_from(os.environ).make().state), records[-1])
    return tuple(records)


# Threads: the families only wait for the workers, which are processes of their own.
_SIDE_BY_SIDE = cast(TaskRunner[PrefectFuture[Any]], ThreadPoolTaskRunner(max_workers=8))


@flow(name="night", retries=0, task_runner=_SIDE_BY_SIDE)
def night(plan: Plan, run_id: str, force: bool = False) -> State[Any]:
    """One plan's night. However it ends, the ledger has its record and the champion answers."""
    home = home_from(os.environ).make()
    attempt = Attempt(plan, run_id, open_store(home.state, home.memory), write_record, utc_now)
    try:
        record = _attend(attempt, home, force)
    except NightshiftError as fault:
        record = _fail(attempt, home, fault)
    except BaseException as defect:
        record = attempt.crash(defect)
        if not isinstance(defect, Exception):
            raise
        # Not raised on: Prefect would show its words, and they may quote a cell of the data.
        logging.getLogger(__name__).debug("the defect", exc_info=defect)
    get_run_logger().info("%s: %s", record.outcome, "; ".join(record.reasons))
    return state_of(record)


def _attend(attempt: Attempt, home: Home, force: bool) -> Record:
    """The night, unless another run is at work on the plan: there is never more than one."""
    plan, store = attempt.plan, attempt.store
    for killed in settle_killed(store, plan.name, attempt.now()):
        get_run_logger().warning("run %s was killed; this one resumes it", killed.run_id)
    _tell_champion(attempt)
    claim = claim_night(
        store,
        plan.name,
        attempt.run_id,
        attempt.now(),
        started_at=attempt.started_at,
        plan_digest=plan.digest,
        code_version=attempt.code_version,
    )
    prompt = open_store(home.state, home.memory, TTL_S / 4)  # a beat is worth nothing later
    with Heartbeat(prompt, claim) as heartbeat:
        try:
            try:
                return _work(attempt, home, force, heartbeat)
            except SourceChanged as fault:  # a producer is at work: one more look is worth it
                get_run_logger().warning("the source is listed again: %s", fault)
                attempt.look_again()
                return _work(attempt, home, force, heartbeat)
        except NightshiftError as fault:
            return _fail(attempt, home, fault)  # in the claim: a kill here still leaves a record
        finally:
            _give_back(prompt, claim)


def _give_back(store: Store, claim: Claim) -> None:
    """The night has its record: a claim that can't be given back only runs out later."""
    try:
        release(store, claim)
    except NightshiftError as fault:
        get_run_logger().warning("the claim is left to run out: %s", fault)


def _tell_champion(attempt: Attempt) -> None:
    before, _ = champion(attempt.store, attempt.plan.name)
    number = before.version if before else None
    attempt.tell(champion_before=number, champion_after=number)


def _fail(attempt: Attempt, home: Home, fault: NightshiftError) -> Record:
    """The record of a night that a fault ended; what is wrong with rejected data is told first."""
    if isinstance(fault, DataRejected):
        told = rejection(attempt.plan.name, attempt.run_id, fault)
        aside = home.quarantine / attempt.plan.name
        attempt.note(*tell_all(told, aside))
        keep_newest(aside)  # no finished night may come for long
    try:
        return attempt.fail(fault)
    except StoreConflict:  # the answer to the first record was lost, or another run settled it
        if (there := _record_of(attempt.store, attempt.plan, attempt.run_id)) is None:
            raise
        return there


def _work(attempt: Attempt, home: Home, force: bool, heartbeat: Heartbeat) -> Record:
    """See whether there is something new, and learn from it."""
    plan, store = attempt.plan, attempt.store
    sweep_readings(home.cache / plan.name)
    _tell_champion(attempt)  # again: until the claim was ours, another run may have moved it
    with attempt.stage("scan"):
        found = scan_source(open_store(plan.dataset.source, home.memory), plan.dataset)
        fresh = news(store, plan, found, history(store, plan.name))
    listed = found.manifest.listed()
    attempt.tell(manifest=listed, changes=fresh.changes.shortened())
    attempt.note(*([waiting_told(found.waiting, plan.dataset)] if found.waiting else []))
    if not found.manifest.objects:
        return attempt.end("skipped", "nothing to read yet")
    if fresh.nothing and not force:
        return attempt.end("skipped", fresh.nothing)
    get_run_logger().info("objects since the last finished night: %s", fresh.changes.told)
    attempt.note(*([fresh.note] if fresh.note else []))
    listed = keep_manifest(store, plan.name, found.manifest)
    attempt.tell(manifest=listed)
    heartbeat.found(listed)
    arrived = frozenset((*fresh.changes.new, *fresh.changes.changed))
    due = Due(found.manifest, arrived, fresh.last.profile if fresh.last else None)
    return _retrain(attempt, home, due, heartbeat)


def _retrain(attempt: Attempt, home: Home, due: Due, heartbeat: Heartbeat) -> Record:
    """From objects to a verdict, and on to the champion where it says so."""
    plan, store = attempt.plan, attempt.store
    for encoder in encoders(plan):
        with attempt.stage("fetch encoders"):
            fetch_encoder(encoder)
    refuse_widths(plan)
    budget = Budget(plan.search.budget_minutes, plan.search.folds)
    before, generation = champion(store, plan.name)
    found = search(attempt, home, due, budget, before)
    tracker, rows = found.tracker, found.read.rows
    judged = found.folder / "judged"
    with attempt.stage("judge"):
        judgement = judge_night(plan, rows, found.finalist, found.fits, found.standing, judged)
    told = attempt.night(rows, found.methods, found.studies, found.fits, judgement)
    told = told.model_copy(update={"moves": found.read.moves, "findings": found.read.findings})
    heartbeat.check()
    with attempt.stage("keep"):
        version = _keep(attempt, tracker, told, judged)
    told = told.model_copy(
        update={
            "version": version.number,
            "stage_seconds": dict(attempt.stage_seconds),
            "mlflow_run": version.mlflow_run_id or "",
            "mlflow_link": tracker.link(
                os.environ.get("NIGHTSHIFT_MLFLOW_UI"), version.mlflow_run_id or ""
            ),
        }
    )
    if judgement.verdict.decision == "PROMOTE":
        heartbeat.check()
        move = partial(move_champion, store, plan.name, if_generation=generation)
        stood = found.standing.version if found.standing else None
        promoted = promote(store, version, stood, rows.cutoff, move, tracker.mirror)
        attempt.tell(champion_after=promoted.version)
        told = told.model_copy(update={"champion_after": promoted.version})
    record = attempt.conclude(told)
    _tell(attempt, tracker, told)
    aside = home.quarantine / plan.name  # of findings, too, the newest stay
    nights = (home.studies / plan.name, home.work / plan.name, home.cache / ".models", aside)
    drop_checkpoints(found.folder)
    tidy(nights, home.cache / plan.name, aside, found.read.shards)
    return record


def _tell(attempt: Attempt, tracker: Tracker, told: Night) -> None:
    """The page and the whole record, for people; the ledger has the night: nothing fails it now."""
    files = ending_files(told)
    tracker.add_files(told.mlflow_run, files)
    beside = f"models/{told.plan}/{told.run_id}/night.json"
    try:
        attempt.store.write(beside, files["night.json"], ABSENT)
    except NightshiftError as fault:
        get_run_logger().warning("%s could not be written: %s", beside, fault)
    if report(told, return_state=True).is_failed():
        get_run_logger().warning("the page could not be written; the ledger has the night")


def _keep(attempt: Attempt, tracker: Tracker, told: Night, judged: Path) -> Version:
    """Every challenger is kept, in MLflow and in the store, also one that is not promoted."""
    plan, fit = attempt.plan, told.fits[told.judgement.contender]
    files = judgement_files(told)
    pictures = judged / PICTURES
    files |= {
        path.relative_to(pictures).as_posix(): path.read_bytes()
        for path in sorted(pictures.rglob("*.png"))
    }
    run = tracker.log_run(
        f"night_{attempt.started_at:%Y-%m-%d}_{attempt.run_id}",
        metrics(told),
        {"plan_digest": plan.digest, "holdout_rows": told.judgement.rows, **fit.settings},
        files,
        tags(told),
    )
    pyfunc = save_pyfunc(Path(fit.out), fit.digest, plan, judged.parent / "pyfunc")
    number = tracker.register(plan.name, pyfunc, run, {"nightshift.digest": fit.digest})
    tracker.check()
    (judged / "metrics.json").write_bytes(files["metrics.json"])
    return keep_model(attempt.store, Path(fit.out), judged, attempt.version(told, number, run))


def _run_night(plan: Plan, force: bool) -> Record:
    run_id = uuid4().hex[:12]
    state = night.with_options(flow_run_name=f"night-{plan.name}")(
        plan, run_id, force, return_state=True
    )
    home = home_from(os.environ)
    store = open_store(home.state, home.memory)
    if (record := _record_of(store, plan, run_id)) is not None:
        return record
    raise NightFailed(
        f"Expected a ledger record of run {run_id} of {plan.name} in {store.uri}, got none: "
        f"{state.message}. Check that the folder can be written and the disk is not full."
    )


def _record_of(store: Store, plan: Plan, run_id: str) -> Record | None:
    own = (record for record in history(store, plan.name) if record.run_id == run_id)
    return next(own, None)
