"""What the last part of a search bought."""

from collections.abc import Sequence

LAST = 1 / 3


def last_gain(
    scored_at: Sequence[tuple[float, float]],  # (seconds since the start, score of a trial); what
    # an earlier run had found stands at 0
    seconds: float,
) -> str:
    """The gain of the best score in the last third of the time, as a clause; empty where nothing
    was scored since the start.

    >>> last_gain([(60.0, 0.80), (300.0, 0.85)], 360.0)
    'the last 2.0 of 6.0 minutes raised the score by 0.0500'
    """
    if all(at <= 0 for at, _ in scored_at):
        return ""
    before = [score for at, score in scored_at if at <= seconds * (1 - LAST)]
    time = _time(seconds * LAST, seconds)
    if not before:
        return f"all scores came in the last {time}"
    gain = max(score for _, score in scored_at) - max(before)
    return f"the last {time} raised the score by {gain:.4f}"


def _time(part: float, whole: float) -> str:
    if whole < 120:
        return f"{part:.1f} of {whole:.1f} seconds"
    return f"{part / 60:.1f} of {whole / 60:.1f} minutes"
