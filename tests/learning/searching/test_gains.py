"""What the last third of a search bought, in words."""

import pytest

from learning.searching.gains import last_gain


@pytest.mark.parametrize(
    ("scored_at", "seconds", "said"),
    [
        ([], 60.0, ""),
        (
            [(10.0, 0.5), (55.0, 0.75)],
            60.0,
            "the last 20.0 of 60.0 seconds raised the score by 0.2500",
        ),
        (
            [(10.0, 0.5), (55.0, 0.4)],
            60.0,
            "the last 20.0 of 60.0 seconds raised the score by 0.0000",
        ),
        ([(55.0, 0.4)], 60.0, "all scores came in the last 20.0 of 60.0 seconds"),
        (
            [(0.0, 0.5), (55.0, 0.4)],
            60.0,
            "the last 20.0 of 60.0 seconds raised the score by 0.0000",
        ),
        ([(0.0, 0.5)], 60.0, ""),
    ],
    ids=["no scores", "gain", "no gain", "late", "known before", "nothing new"],
)
def test_the_last_third_is_told(
    scored_at: list[tuple[float, float]], seconds: float, said: str
) -> None:
    assert last_gain(scored_at, seconds) == said
