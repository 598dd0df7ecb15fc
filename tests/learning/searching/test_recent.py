"""What was made last is at hand, and no more of it than fits."""

import pytest

from learning.searching.recent import Recent

SIZES = {"small": 1, "other": 1, "third": 1, "large": 60, "huge": 200}


def made(recent: Recent[str, str], *asked: str) -> list[str]:
    """Those that had to be made, in turn."""
    fresh: list[str] = []
    for name in asked:

        def make(name: str = name) -> str:
            fresh.append(name)
            return name

        assert recent.get(name, make) == name
    return fresh


@pytest.fixture
def recent() -> Recent[str, str]:
    return Recent(most=2, most_bytes=100, size=SIZES.__getitem__)


def test_what_is_at_hand_is_not_made_again(recent: Recent[str, str]) -> None:
    assert made(recent, "small", "other", "small", "other") == ["small", "other"]


def test_what_was_asked_for_last_stays(recent: Recent[str, str]) -> None:
    again = made(recent, "small", "other", "small", "third", "small", "other")
    assert again == ["small", "other", "third", "other"]


def test_of_large_things_only_one_is_at_hand(recent: Recent[str, str]) -> None:
    assert made(recent, "large", "large", "small", "large") == ["large", "small", "large"]


def test_room_is_made_before_the_next_large_thing(recent: Recent[str, str]) -> None:
    made(recent, "huge")
    recent.get("small", lambda: str(recent._kept))
    assert recent._kept["small"] == "{}"


def test_what_is_larger_than_all_that_may_be_kept_is_at_hand_too(
    recent: Recent[str, str],
) -> None:
    assert made(recent, "huge", "huge") == ["huge"]


def test_nothing_is_at_hand_after_clearing(recent: Recent[str, str]) -> None:
    made(recent, "small")
    recent.clear()
    assert made(recent, "small") == ["small"]
