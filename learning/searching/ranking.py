"""Which trial is best, also where the end of a run left some with fewer folds than the others."""

from collections.abc import Sequence
from statistics import fmean

from schemas.trials import MethodScore, TrialRecord

Scored = TrialRecord | MethodScore


def best(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """Of those with most folds the highest score, then the lowest log-loss, then the earliest.

    One with fewer folds comes before it only if it is ahead on the folds that both have: one easy
    fold would else win a night.
    """
    scored = [record for record in records if record.score is not None]
    if not scored:
        return None
    standing = max(
        scored, key=lambda r: (len(r.oof), r.score or 0.0, -(r.log_loss or 0.0), -r.number)
    )
    ahead = [r for r in scored if len(r.oof) < len(standing.oof) and beats(r, standing)]
    return max(ahead, key=lambda record: margin(record, standing), default=standing)


def beats(first: Scored, second: Scored) -> bool:
    """Whether the first is ahead on the folds that both have."""
    return margin(first, second) > 0


def margin(first: Scored, second: Scored) -> float:
    """Score by which the first is ahead: of the mean over the folds that both have, or of the
    whole scores where they have the same folds or share none.
    """
    ours, theirs = _by_fold(first), _by_fold(second)
    shared = ours.keys() & theirs.keys()
    if not shared or ours.keys() == theirs.keys():
        return (first.score or 0.0) - (second.score or 0.0)
    return fmean(ours[fold] for fold in shared) - fmean(theirs[fold] for fold in shared)


def current(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Without the trials that were cut off and have been taken up again since."""
    return [
        record
        for record in records
        if not (record.cut_off and any(_replaces(other, record) for other in records))
    ]


def _replaces(other: TrialRecord, record: TrialRecord) -> bool:
    if other.candidate is None or other.candidate != record.candidate:
        return False
    later = (len(other.oof), other.number) > (len(record.oof), record.number)
    return later or not other.cut_off


def _by_fold(scored: Scored) -> dict[int, float]:
    return dict(zip(sorted(scored.oof), scored.fold_scores, strict=False))
