"""Pictures of a night as PNG bytes, drawn from its records; no pyplot, so any thread may draw."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from learning.arrays import Labels, Probabilities
from schemas.results import Scorecard

DPI = 100
CELLS_WITH_NUMBERS = 20
"""Above so many classes the numbers in the cells could not be read."""
INK, PAPER = "#1b2a41", "#ffffff"


def confusion_picture(card: Scorecard, title: str) -> bytes:
    """Share of each class's rows decided as each class, with the counts where they can be read."""
    counts = np.asarray(card.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = [_short(c.name) for c in card.classes]
    side = min(12.0, 3.2 + 0.55 * len(names))
    figure = Figure(figsize=(side + 0.8, side), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the class's rows", shrink=0.8)
    places = np.arange(len(names))
    size = 9 if len(names) <= CELLS_WITH_NUMBERS else 4
    axes.set_xticks(places, names, rotation=45 if len(names) > 4 else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.set(xlabel="decided", ylabel="true", title=title)
    if len(names) <= CELLS_WITH_NUMBERS:
        for (i, j), count in np.ndenumerate(counts):
            color = PAPER if shares[i, j] > 0.5 else INK
            axes.text(j, i, f"{count}", ha="center", va="center", color=color, fontsize=size)
    return _png(figure)


def reliability_picture(labels: Labels, probabilities: Probabilities, bins: int = 10) -> bytes:
    """Accuracy against confidence of the arg max in bins of equal width, above their row counts."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.digitize(confidence, edges) - 1, 0, bins - 1)
    rows = np.bincount(bin_of, minlength=bins)
    filled = np.flatnonzero(rows)
    mean_confidence = np.bincount(bin_of, confidence, bins)[filled] / rows[filled]
    accuracy = np.bincount(bin_of, right, bins)[filled] / rows[filled]
    figure = Figure(figsize=(5.2, 5.6), dpi=DPI, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot((0, 1), (0, 1), linestyle="--", color="grey", label="honest")
    upper.plot(mean_confidence, accuracy, marker="o", color=INK, label="this model")
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share right", title="Reliability")
    upper.legend(loc="upper left")
    lower.bar((edges[:-1] + edges[1:]) / 2, rows, width=0.9 / bins, color=INK)
    lower.set(xlabel="confidence", ylabel="rows")
    return _png(figure)


def study_picture(
    scores: Mapping[str, Sequence[tuple[float, float]]],  # family: (seconds, macro-F1) of trials
) -> bytes:
    """Every trial's score by the time it ended, and each family's best so far as a line."""
    figure = Figure(figsize=(7.2, 4.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for place, family in enumerate(sorted(scores)):
        ended = sorted(scores[family])
        if not ended:
            continue
        seconds, reached = np.array(ended).T
        color = f"C{place % 10}"
        axes.scatter(seconds, reached, s=14, alpha=0.6, color=color)
        best = np.maximum.accumulate(reached)
        axes.step(seconds, best, where="post", color=color, label=f"{_short(family)}, best so far")
    axes.set(
        xlabel="seconds of fitting and predicting", ylabel="macro-F1, cross-fitted", title="Trials"
    )
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    return _png(figure)


def _short(text: str, most: int = 24) -> str:
    """A name that fits; a dollar sign is a dollar sign, not mathematics."""
    told = text if len(text) <= most else f"{text[: most - 3]}..."
    return told.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    # Without the library's version and date the same figures give the same bytes.
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
