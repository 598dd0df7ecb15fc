"""Many at once over one ledger, in a folder and in a bucket: one wins, nothing is lost."""

from schemas.faults import StoreConflict
from schemas.store import Store
from tasks.ledger import records as ledger
from tests.racing import at_once
from tests.tasks.ledger.written import record


def test_of_sixteen_writers_of_one_runs_record_one_wins(store: Store) -> None:
    outcomes: list[str] = []

    def settle(number: int) -> None:
        told = record().model_copy(update={"note": str(number)})
        try:
            ledger.write_record(store, told)
            outcomes.append(told.note)
        except StoreConflict:
            outcomes.append("conflict")

    at_once(16, settle)
    assert len(outcomes) == 16
    winners = [outcome for outcome in outcomes if outcome != "conflict"]
    assert winners == [kept.note for kept in ledger.history(store)]


def test_sixteen_writers_of_the_same_record_leave_one(store: Store) -> None:
    names: list[str] = []
    at_once(16, lambda _: names.append(ledger.write_record(store, record())))
    assert names == [ledger.record_name(record())] * 16
    assert ledger.history(store) == [record()]
