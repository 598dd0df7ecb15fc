"""A light look, every few minutes, whether objects have arrived; what is due is a night as ever."""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from deployments.plans import enabled_names, load_plan
from flows.news import news
from schemas.faults import NightshiftError
from schemas.ledger import Claim, Record
from schemas.manifest import Changes
from schemas.plan import Plan
from schemas.store import Store
from tasks.home import Home, home_from
from tasks.ledger.claims import at_work, utc_now
from tasks.ledger.records import attempts, history
from tasks.scanning import Listing, look, waiting_told
from tasks.states import skipped, state_of_all
from tasks.storage import open_store

MOST_FAILURES = 2
"""Attempts at the same data that may fail before only the nightly run and people try again."""


@flow(name="train", retries=0)
def train_on_arrival(
    plans: list[str] | None = None, settle_s: float = 60.0, budget_minutes: float | None = None
) -> State[Any]:
    """Start the night of every enabled plan, or of the named ones, for which objects have arrived.

    Only lists objects and reads the ledger where nothing is new: then there is neither a record
    nor another run, and this one ends as Skipped. So it does while a night is at work on this
    machine, of whatever plan: they come one after the other, and a later look takes up what is due.
    The same data is never rejected twice, and fails `MOST_FAILURES` times at most; `train/nightly`
    tries it again and keeps a record of it.

    Parameters
    ----------
    plans : names under `deployments/plans` or paths of YAML files; all enabled ones by default
    settle_s : objects must be the same for so long, since some may still be on their way; plans
        with a `marker` do not wait
    budget_minutes : in the place of each plan's own budget
    """
    home, names = home_from(os.environ).make(), plans or enabled_names()
    if busy := _busy(home, names):
        get_run_logger().info("%s", busy)
        return skipped(busy)
    looks = {name: _look(home, name) for name in names}
    if settle_s > 0 and any(_may_grow(seen) for seen in looks.values()):
        time.sleep(settle_s)
        for name, seen in looks.items():
            looks[name] = _again(home, name, seen) if _may_grow(seen) else seen
    log = get_run_logger()
    for name, seen in looks.items():
        log.info("%s: %s", name, seen.why or "objects have arrived")
    due = [name for name, seen in looks.items() if not seen.why]
    if not due:
        return skipped("; ".join(f"{name}: {seen.why}" for name, seen in looks.items()))
    from flows.train import run_nights  # what trains is slow to import, and most looks find nothing

    return state_of_all(run_nights(due, budget_minutes=budget_minutes))


def _busy(home: Home, names: Sequence[str]) -> str:
    """Which night is at work on this machine, if one is; nights elsewhere keep off their own plan
    only.
    """
    store = open_store(home.state, home.memory)
    for name in names:
        with suppress(NightshiftError):  # the look itself tells what is wrong
            claim = at_work(store, load_plan(name).name, utc_now())
            if claim is not None and claim.host == socket.gethostname():
                return f"{_told(claim)} on this machine; a later look takes up what has arrived"
    return ""


def _told(claim: Claim) -> str:
    since = f"{claim.started_at:%Y-%m-%d %H:%M} UTC"
    return f"run {claim.run_id} is at work on {claim.plan} since {since}"


@dataclass(frozen=True)
class _Look:
    """The data that was seen, and why no night is due for it: empty where one is."""

    why: str
    digest: str = ""
    marked: bool = False


def _look(home: Home, name: str) -> _Look:
    try:
        plan = load_plan(name)
        found = look(open_store(plan.dataset.source, home.memory), plan.dataset)
        why = why_not(open_store(home.state, home.memory), plan, found)
    except NightshiftError as fault:  # the nightly run meets it too, fails and records it
        return _Look(f"no look was possible: {fault}")
    return _Look(why, found.manifest.digest, plan.dataset.marker is not None)


def _may_grow(seen: _Look) -> bool:
    return not seen.why and not seen.marked


def _again(home: Home, name: str, before: _Look) -> _Look:
    now = _look(home, name)
    if now.why or now.digest == before.digest:
        return now
    return _Look("objects are still arriving; the next look may find all of them")


def why_not(store: Store, plan: Plan, found: Listing) -> str:
    """Why a look leaves this data alone; nothing where a night is due."""
    if not found.manifest.objects:
        return waiting_told(found.waiting, plan.dataset) if found.waiting else "no objects yet"
    if (claim := at_work(store, plan.name, utc_now())) is not None:
        return _told(claim)
    past = history(store, plan.name)
    fresh = news(store, plan, found, past)
    if fresh.nothing:
        return fresh.nothing
    if fresh.last is not None and fresh.changes == Changes():
        return "no new data: the plan has changed, which the nightly run takes up"
    return _given_up(plan, found, past)


def _given_up(plan: Plan, found: Listing, past: list[Record]) -> str:
    """Whether earlier attempts at this very data say enough."""
    seen = (past, plan.name, found.manifest.digest, plan.digest)
    if rejected := attempts(*seen, "rejected-data"):
        return (
            f"this data was rejected at {rejected[-1].started_at:%Y-%m-%d %H:%M} UTC (run "
            f"{rejected[-1].run_id}); mend or remove what `nightshift nights` tells"
        )
    failed = attempts(*seen, "failed")
    if len(failed) >= MOST_FAILURES:
        return (
            f"{len(failed)} nights on this data failed, the last at "
            f"{failed[-1].started_at:%Y-%m-%d %H:%M} UTC (run {failed[-1].run_id}); the nightly "
            f"run tries again"
        )
    return ""
