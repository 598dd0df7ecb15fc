"""The whole record of a night, as it stands beside the model that it kept."""

from schemas.night import Night
from schemas.store import Store
from tasks.ledger.stored import stored


def told_night(store: Store, plan: str, run_id: str) -> Night | None:
    """None where there is none, or none that this release can read."""
    return stored(store, f"models/{plan}/{run_id}/night.json", Night, of_later=True)[0]
