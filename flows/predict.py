"""New rows answered by a plan's champion, and a version's files handed out."""

from dataclasses import dataclass
from pathlib import Path

from schemas.faults import ModelRefused
from schemas.ledger import Version
from schemas.plan import Plan
from schemas.store import Store
from tasks.home import Home
from tasks.ledger.champions import champion
from tasks.predicting import answer_file, hand_out, refuse_places
from tasks.registry import verified, version_of
from tasks.storage import open_store


@dataclass(frozen=True)
class Predicted:
    """How many rows were answered, and by whom."""

    rows: int
    plan: str
    version: int


def predict_file(plan: Plan, home: Home, source: Path, target: Path) -> Predicted:
    """Writes the champion's answer to each row of `source`, in order, or nothing at all."""
    refuse_places(source, target)
    store = open_store(home.state, home.memory)
    version = chosen_version(store, plan.name, None)
    model = verified(store, version, home.cache)
    rows = answer_file(Path(model.folder), version.digest, plan.dataset, source, target)
    return Predicted(rows, plan.name, version.number)


def export_version(
    store: Store, cache: Path, plan: str, number: int | None, target: Path
) -> Version:
    """Copies a verified version, the champion by default, into a new folder."""
    version = chosen_version(store, plan, number)
    hand_out(Path(verified(store, version, cache).folder), version.digest, target)
    return version


def chosen_version(store: Store, plan: str, number: int | None) -> Version:
    """The version of that number, or the champion's."""
    if number is not None:
        return version_of(store, plan, number)
    answering, _ = champion(store, plan)
    if answering is None:
        raise ModelRefused(
            f"Expected a champion of {plan} in {store.uri}, got none. `nightshift train {plan}` "
            f"trains one; `nightshift nights {plan}` tells why none was promoted."
        )
    # The champion's own digest: a version's record that was changed since would be noticed.
    found = version_of(store, plan, answering.version)
    return found.model_copy(update={"digest": answering.digest})
