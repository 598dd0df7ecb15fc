"""Pictures of probabilities: whether they mean what they say, and how well they rank."""

from collections.abc import Callable, Iterable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from learning.arrays import Decisions, Labels, Mask, Probabilities
from learning.pictures.drawing import (
    COLOURS,
    FAINT,
    INK,
    paper,
    plain,
    png,
    sheet,
    short,
    told_below,
)
from schemas.label import Target

MOST_CURVES = 10


def reliability_picture(
    labels: Labels,
    probabilities: Probabilities,
    before: Probabilities | None = None,  # of the same rows, before calibration
    title: str = "Reliability",
    bins: int = 10,
) -> bytes:
    """How often what was given a probability came true, in bins of equal width, with 95 % bounds.

    Of two classes the rarer one's probability; of more, that of the arg max. Below, the rows.
    """
    said, came = _asked(labels, probabilities)
    figure = paper(5.2, 5.6)
    upper, lower = (
        plain(axes) for axes in figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    )
    upper.plot((0, 1), (0, 1), linestyle="--", color=FAINT, label="honest")
    if before is not None:
        x, y, _ = _binned(*_asked(labels, before), bins)
        upper.plot(x, y, marker="o", markersize=4, color=COLOURS[1], label="before calibration")
    x, y, bounds = _binned(said, came, bins)
    upper.errorbar(x, y, yerr=bounds, color=INK, marker="o", capsize=2, label="this model")
    two = probabilities.shape[1] == 2
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that came true" if two else "share right")
    upper.set_title(short(title, most=48))
    edges = np.linspace(0, 1, bins + 1)
    rows, _ = np.histogram(said, edges)
    lower.bar((edges[:-1] + edges[1:]) / 2, rows, width=0.9 / bins, color=INK)
    lower.set(xlabel="probability of the rarer class" if two else "confidence", ylabel="rows")
    if len(filled := rows[rows > 0]) and filled.max() > 50 * np.median(filled):
        lower.set_yscale("symlog")
        lower.set_ylim(bottom=0)
    told_below(figure, upper)
    return png(figure)


def precision_recall_picture(
    labels: Labels,
    probabilities: Probabilities,
    target: Target,
    decisions: Decisions | None = None,
    title: str = "Precision and recall",
) -> bytes:
    """A curve for each class that counts, at most the ten rarest; dots are what is decided.

    Dotted is the class's share of rows: the precision of deciding by chance.
    """

    def draw(axes: Axes, c: int, own: Mask, colour: str) -> str:
        scores = probabilities[:, c]
        precision, recall, _ = precision_recall_curve(own, scores, drop_intermediate=True)
        axes.step(recall, precision, where="post", color=colour)
        axes.axhline(own.mean(), color=colour, linestyle=":", linewidth=0.8, alpha=0.7)
        if decisions is not None and (decided := decisions == c).any():
            hits = (decided & own).sum()
            axes.plot(hits / own.sum(), hits / decided.sum(), "o", color=colour, markersize=7)
        return f"AP {average_precision_score(own, scores):.3f}"

    return _picture(labels, target, _counted(labels, target), draw, "recall", "precision", title)


def roc_picture(
    labels: Labels,
    probabilities: Probabilities,
    target: Target,
    decisions: Decisions | None = None,
    title: str = "ROC",
) -> bytes:
    """A curve for each class that counts, at most the ten rarest; dots are what is decided.

    Of two classes one curve: the other one's is its mirror image.
    """

    def draw(axes: Axes, c: int, own: Mask, colour: str) -> str:
        scores = probabilities[:, c]
        false, true, _ = roc_curve(own, scores)
        axes.plot(false, true, color=colour)
        if decisions is not None:
            decided = decisions == c
            axes.plot(decided[~own].mean(), decided[own].mean(), "o", color=colour, markersize=7)
        return f"AUC {roc_auc_score(own, scores):.3f}"

    asked = _counted(labels, target)
    drawn = asked[:1] if target.classes == 2 else asked
    return _picture(
        labels, target, drawn, draw, "false positive rate", "true positive rate", title, chance=True
    )


def _picture(
    labels: Labels,
    target: Target,
    asked: list[int],
    draw: Callable[[Axes, int, Mask, str], str],
    across: str,
    up: str,
    title: str,
    *,
    chance: bool = False,
) -> bytes:
    figure = paper(6.4 if len(asked) <= 3 else 8.2, 5.2)
    axes = sheet(figure)
    if chance:
        axes.plot((0, 1), (0, 1), linestyle="--", color=FAINT)
    for colour, c in zip(COLOURS, asked, strict=False):
        own = labels == c
        line = len(axes.lines)
        figure_told = draw(axes, c, own, colour)
        rows = f"{own.sum():,}".replace(",", " ")
        axes.lines[line].set_label(f"{short(target.class_texts[c])}: {figure_told} ({rows} rows)")
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.02), xlabel=across, ylabel=up)
    axes.set_title(short(title, most=60))
    if len(asked) > 3:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    elif asked:
        axes.legend(loc="lower right" if chance else "lower left", frameon=True, fontsize=9)
    return png(figure)


def _counted(labels: Labels, target: Target) -> list[int]:
    """Counted classes that some rows have and others don't, the rarest first, at most ten."""
    support = np.bincount(labels, minlength=target.classes)
    known: Iterable[int] = (c for c in target.counted if 0 < support[c] < len(labels))
    return sorted(known, key=lambda c: (support[c], -c))[:MOST_CURVES]


def _asked(
    labels: Labels, probabilities: Probabilities
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What is asked of each row: a probability, and whether it came true."""
    if probabilities.shape[1] == 2:
        first, second = np.bincount(labels, minlength=2)
        rarer = 0 if first < second else 1
        return probabilities[:, rarer], labels == rarer
    return probabilities.max(1), probabilities.argmax(1) == labels


def _binned(
    said: NDArray[np.float64], came: NDArray[np.bool_], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each bin with rows: what was said, what came, and how far below and above it may be.

    Bounds by Clopper and Pearson (1934): few rows are never sure.
    """
    bin_of = np.clip((said * bins).astype(np.int64), 0, bins - 1)
    rows = np.bincount(bin_of, minlength=bins)
    filled = np.flatnonzero(rows)
    n, hits = rows[filled], np.bincount(bin_of, came, bins)[filled]
    x, y = np.bincount(bin_of, said, bins)[filled] / n, hits / n
    low = np.where(hits > 0, beta.ppf(0.025, np.maximum(hits, 0.5), n - hits + 1), 0.0)
    high = np.where(hits < n, beta.ppf(0.975, hits + 1, np.maximum(n - hits, 0.5)), 1.0)
    return x, y, np.stack([y - low, high - y])
