"""Two registered versions of a plan side by side, on rows that neither has seen."""

from schemas.comparison import Comparison
from schemas.faults import NightFailed
from schemas.night import Night
from schemas.plan import Plan
from schemas.store import Store
from tasks.comparing import Compared, compare_kept
from tasks.home import Home
from tasks.ledger.nights import told_night
from tasks.ledger.records import history, last_finished
from tasks.registry import verified, version_of
from tasks.storage import open_store


def compare_versions(plan: Plan, home: Home, first: int, second: int) -> Comparison:
    """On the holdout of the plan's latest finished night; both models are verified."""
    store = open_store(home.state, home.memory)
    sides = [_side(store, home, plan, number) for number in (first, second)]
    return compare_kept(plan, _latest(store, plan), *sides)


def _side(store: Store, home: Home, plan: Plan, number: int) -> Compared:
    version = version_of(store, plan.name, number)
    night = told_night(store, plan.name, version.run_id)
    return Compared(verified(store, version, home.cache), night)


def _latest(store: Store, plan: Plan) -> Night:
    record = last_finished(history(store, plan.name), plan.name)
    night = record and told_night(store, plan.name, record.run_id)
    if not night:
        got = f"no record of night {record.run_id}" if record else "no finished night"
        raise NightFailed(
            f"Expected the holdout of the latest night of {plan.name}, got {got} in {store.uri} "
            f"that this release can read. `nightshift train {plan.name} --force` makes one."
        )
    return night
