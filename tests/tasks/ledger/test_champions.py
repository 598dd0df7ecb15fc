import threading

import pytest

from schemas.faults import NightFailed, StoreConflict
from schemas.store import ABSENT, Store
from tasks.ledger.champions import champion as standing
from tasks.ledger.champions import move_champion
from tests.tasks.ledger.written import champion


def test_the_champion_moves_only_from_where_it_was_read(store: Store) -> None:
    first = move_champion(store, "comments", champion(1), ABSENT)
    with pytest.raises(StoreConflict, match="Expected generation 0"):
        move_champion(store, "comments", champion(2), ABSENT)
    second = move_champion(store, "comments", champion(2, 1), first)
    assert standing(store, "comments") == (champion(2, 1), second)


def test_eight_promoters_form_one_unbroken_chain(store: Store) -> None:
    move_champion(store, "comments", champion(0), ABSENT)
    barrier, moved = threading.Barrier(8), []

    def promote(number: int) -> None:
        barrier.wait()
        for turn in range(4):
            before, generation = standing(store, "comments")
            assert before is not None
            after = champion(1 + number + 8 * turn, previous=before.version)
            try:
                move_champion(store, "comments", after, generation)
            except StoreConflict:
                continue
            moved.append(after)

    threads = [threading.Thread(target=promote, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = {move.previous: move.version for move in moved}
    assert len(after) == len(moved) >= 4, "two promoters replaced the same champion"
    version = 0
    for _ in moved:
        version = after[version]
    last, _ = standing(store, "comments")
    assert last is not None
    assert last.version == version


def test_an_unreadable_champion_is_never_taken_for_none(store: Store) -> None:
    store.write("champions/comments/champion.json", b'{"plan"', ABSENT)
    with pytest.raises(NightFailed, match="never replaced blindly"):
        standing(store, "comments")
