"""Pictures of a verdict: what was decided, and what changed against the reference."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from learning.pictures.drawing import BETTER, FAINT, INK, PAPER, WORSE, paper, png, sheet, short
from schemas.results import ClassChange, Interval, TargetScore

CELLS_WITH_NUMBERS = 20
"""Above so many classes the numbers in the cells could not be read."""
MOST_NAMED = 100
"""Names of more classes are finer than print, and take seconds to lay out."""
LETTERS_BESIDE = 30
"""Names of more letters would run into each other where they stand side by side."""
CHANGES_DRAWN = 40


def confusion_picture(card: TargetScore, title: str) -> bytes:
    """Share of each class's rows decided as each class, with the counts where they can be read.

    Of very many classes the axes count them, from 0, in the order of `classes.csv`.
    """
    counts = np.asarray(card.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = [short(c.name) for c in card.classes]
    side, longest = min(12.0, 3.2 + 0.55 * len(names)), max(map(len, names))
    named = len(names) <= MOST_NAMED
    figure = paper(side + 0.5 + 0.05 * longest * named, side)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the class's rows", shrink=0.8)
    size = 9 if len(names) <= CELLS_WITH_NUMBERS else max(3.0, 190 / len(names))
    if named:
        _name_classes(axes, names, size)
    axes.set(xlabel="decided", ylabel="true")
    axes.set_title(short(title, most=60), fontsize=11)
    if len(names) <= CELLS_WITH_NUMBERS:
        for (i, j), count in np.ndenumerate(counts):
            color = PAPER if shares[i, j] > 0.5 else INK
            axes.text(j, i, f"{count}", ha="center", va="center", color=color, fontsize=size)
    return png(figure)


def _name_classes(axes: Axes, names: Sequence[str], size: float) -> None:
    axes.set_xticks(np.arange(len(names)), names, fontsize=size)
    if len(names) > 4 or max(map(len, names)) * len(names) > LETTERS_BESIDE:
        axes.tick_params(axis="x", rotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(names)), names, fontsize=size)


def class_change_picture(changes: Sequence[ClassChange], reference: str) -> bytes:
    """F1 of each class, challenger minus reference, with its interval; the greatest gain on top.

    Of very many classes those that changed most.
    """
    drawn = sorted(changes, key=lambda change: -abs(change.f1.value))[:CHANGES_DRAWN]
    drawn.sort(key=lambda change: change.f1.value)
    figure = paper(7.2, 1.4 + 0.3 * max(2, len(drawn)))
    axes = sheet(figure)
    axes.axvline(0, color=INK, linewidth=1)
    for place, change in enumerate(drawn):
        f1, colour = change.f1, _colour(change.f1)
        axes.plot((f1.low, f1.high), (place, place), color=colour, linewidth=2.4, alpha=0.55)
        axes.plot(f1.value, place, marker="o", color=colour, markersize=6)
    several = len({change.target for change in changes}) > 1
    names = [short(f"{c.target}: {c.name}" if several else c.name, most=36) for c in drawn]
    axes.set_yticks(np.arange(len(drawn)), names, fontsize=9)
    axes.set_ylim(-0.7, max(2, len(drawn)) - 0.3)
    axes.set(xlabel=f"F1 minus that of {short(reference)}", title="Change of each class")
    if len(drawn) < len(changes):
        axes.set_title(f"Change of the {len(drawn)} classes of {len(changes)} that changed most")
    return png(figure)


def _colour(change: Interval) -> str:
    """Whether the interval leaves out 0, and on which side it is then."""
    return BETTER if change.low > 0 else WORSE if change.high < 0 else FAINT
