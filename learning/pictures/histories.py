"""Pictures of a search: every trial, the best so far, and which settings mattered."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from learning.pictures.drawing import (
    BETTER,
    COLOURS,
    FAINT,
    INK,
    WORSE,
    paper,
    png,
    sheet,
    short,
    told_below,
)
from schemas.trials import StudyResult, TrialRecord

SETTINGS_DRAWN = 15


def study_picture(
    scores: Mapping[str, Sequence[tuple[float, float]]],  # family: (seconds, score) of trials
    objective: str = "macro-F1",
) -> bytes:
    """Every trial's score by the time it ended, and each family's best so far as a line."""
    figure = paper(7.2, 4.2)
    axes = sheet(figure)
    for place, family in enumerate(sorted(scores)):
        ended = sorted(scores[family])
        if not ended:
            continue
        seconds, reached = np.array(ended).T
        colour = COLOURS[place % len(COLOURS)]
        axes.scatter(seconds, reached, s=14, alpha=0.6, color=colour)
        best = np.maximum.accumulate(reached)
        axes.step(seconds, best, where="post", color=colour, label=short(family))
    axes.set(
        xlabel="seconds of fitting and predicting",
        title="Trials of all families, and the best so far",
    )
    axes.set_ylabel(f"{short(objective)}, cross-fitted")
    told_below(figure, axes, columns=3)
    return png(figure)


def history_picture(study: StudyResult, objective: str = "macro-F1") -> bytes:
    """One family's trials by number: scored, cut off or pruned early, failed; and the best so far.

    A trial that was stopped stands at the mean of the folds that it had.
    """
    figure = paper(7.2, 4.2)
    axes = sheet(figure)
    whole = [t for t in study.trials if t.score is not None and not t.cut_off]
    cut = [t for t in study.trials if t not in whole and t.fold_scores]
    failed = [t for t in study.trials if t.state == "FAIL" and t not in cut and t not in whole]
    if whole:
        numbers, reached = [t.number for t in whole], [_height(t) for t in whole]
        axes.scatter(numbers, reached, s=22, color=BETTER, label=f"scored: {len(whole)}")
        best = np.maximum.accumulate(reached)
        # As far as trials were tried: the best stays it through those that were stopped.
        last = max(t.number for t in study.trials)
        axes.step(
            [*numbers, last], [*best, best[-1]], where="post", color=INK,
            label=f"best: {best[-1]:.4f}",
        )  # fmt: skip
        axes.scatter([numbers[int(np.argmax(reached))]], [best[-1]], s=90, marker="*", color=INK)
    if cut:
        axes.scatter(
            [t.number for t in cut], [_height(t) for t in cut], s=24, marker="x", linewidth=1,
            color=FAINT, label=f"stopped early: {len(cut)}",
        )  # fmt: skip
    for t in failed:
        axes.axvline(t.number, color=WORSE, linewidth=0.8, alpha=0.7, label="failed")
    told_below(figure, axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=f"{short(objective)}, cross-fitted", title=short(study.family))
    return png(figure)


def importance_picture(importances: Mapping[str, float], title: str) -> bytes:
    """Bars of how much each setting mattered, the most on top; shares of 1."""
    ranked = sorted(importances.items(), key=lambda entry: (entry[1], entry[0]))[-SETTINGS_DRAWN:]
    figure = paper(7.2, 1.3 + 0.32 * max(2, len(ranked)))
    axes = sheet(figure)
    shares = [share for _, share in ranked]
    bars = axes.barh(range(len(ranked)), shares, color=BETTER, height=0.62)
    axes.bar_label(bars, [f"{share:.2f}" for share in shares], padding=3, fontsize=9)
    axes.set_yticks(range(len(ranked)), [short(path, most=44) for path, _ in ranked], fontsize=9)
    axes.grid(visible=False, axis="y")
    axes.set(
        xlim=(0, max([*shares, 0.01]) * 1.12), xlabel="share of what sets the best trials apart"
    )
    axes.set_title(short(title, most=60))
    return png(figure)


def _height(trial: TrialRecord) -> float:
    if trial.score is not None:
        return trial.score
    return float(np.mean(trial.fold_scores))
