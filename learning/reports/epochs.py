"""An epoch of a network in one line, while its fit runs."""

from collections.abc import Sequence
from statistics import fmean

from learning.reports.methods import Place, class_name
from schemas.label import Target
from schemas.trials import FitEpoch

MOST_TOLD = 3
"""Of targets, else their mean is told, and of the rarest classes: a network loses these first."""


def epoch_line(epoch: FitEpoch, targets: Sequence[Target], counts: Sequence[Sequence[int]]) -> str:
    """Loss on the training rows, and by arg max on the rows held back: macro-F1 of each target and
    F1 of the rarest classes that count.
    """
    member = f"member {epoch.member + 1}, " if epoch.member else ""
    told = f"{member}epoch {epoch.epoch}: loss {epoch.train_loss:.4f}"
    if not epoch.macro_f1:
        return told
    rare = [
        f"{class_name(targets, place, c)} {f1:.3f}"
        for place, c in _rarest_first(targets, counts)
        if (f1 := epoch.class_f1[place][c]) is not None
    ]
    return f"{told}, {_macro(epoch.macro_f1, targets)}; rarest F1: {', '.join(rare[:MOST_TOLD])}"


def _macro(scores: Sequence[float], targets: Sequence[Target]) -> str:
    if len(targets) == 1 or len(targets) > MOST_TOLD:
        return f"macro-F1 {fmean(scores):.3f}"
    return ", ".join(
        f"{target.name} macro-F1 {score:.3f}" for target, score in zip(targets, scores, strict=True)
    )


def _rarest_first(targets: Sequence[Target], counts: Sequence[Sequence[int]]) -> list[Place]:
    every = [(place, c) for place, target in enumerate(targets) for c in target.counted]
    return sorted(every, key=lambda each: counts[each[0]][each[1]])
