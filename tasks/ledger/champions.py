"""The one object that names a plan's champion; it moves by compare-and-swap."""

from schemas.faults import NightFailed
from schemas.ledger import Champion
from schemas.store import ABSENT, Store
from tasks.ledger.stored import as_json, stored


def champion(store: Store, plan: str) -> tuple[Champion | None, int]:
    """Who answers now, with the generation that a move needs; `(None, 0)` before the first."""
    name = _champion_name(plan)
    found, generation = stored(store, name, Champion)
    if found is None and generation != ABSENT:
        raise NightFailed(
            f"Expected a champion in {name} of {store.uri}, got content that can't be read. It is "
            f"never replaced blindly: restore the object, or remove it to start without a champion."
        )
    return found, generation


def move_champion(store: Store, plan: str, champion: Champion, if_generation: int) -> int:
    """The new generation; `StoreConflict` if the champion moved since it was read."""
    return store.write(_champion_name(plan), as_json(champion), if_generation)


def _champion_name(plan: str) -> str:
    return f"champions/{plan}/champion.json"
