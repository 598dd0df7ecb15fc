"""A picture of a network's fit: its losses, and the F1 on the rows held back, epoch by epoch."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from learning.pictures.drawing import COLOURS, FAINT, INK, paper, plain, png, short, told_below
from schemas.label import Target
from schemas.trials import FitEpoch

TARGETS_DRAWN = len(COLOURS)


def epochs_picture(history: Sequence[FitEpoch], targets: Sequence[Target]) -> bytes:
    """The losses of each member, and below them each target's macro-F1, where rows were held back.

    A training loss that falls while the held one rises is a network that learns rows by heart.
    """
    scored = any(each.macro_f1 for each in history)
    figure = paper(7.2, 5.6 if scored else 3.6)
    axes = [plain(each) for each in figure.subplots(2 if scored else 1, squeeze=False)[:, 0]]
    members = sorted({each.member for each in history})
    for member in members:
        own = [each for each in history if each.member == member]
        _losses(axes[0], own)
        if scored:
            _scores(axes[1], own, targets)
    axes[0].set(ylabel="loss", title="Training, epoch by epoch")
    for each in axes:
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[-1].set_xlabel("epoch" if len(members) == 1 else "epoch; a line a member")
    told_below(figure, axes[0])
    return png(figure)


def _losses(axes: Axes, own: Sequence[FitEpoch]) -> None:
    numbers = [each.epoch for each in own]
    losses = [each.train_loss for each in own]
    axes.plot(numbers, losses, marker=".", color=INK, label="loss on training rows")
    held = [(each.epoch, each.held_loss) for each in own if each.held_loss is not None]
    if held:
        epochs, of_held = zip(*held, strict=True)
        axes.plot(epochs, of_held, marker=".", color=FAINT, label="on rows held back")


def _scores(axes: Axes, own: Sequence[FitEpoch], targets: Sequence[Target]) -> None:
    told = [each for each in own if each.macro_f1]
    for place, target in enumerate(targets[:TARGETS_DRAWN]):
        reached = [each.macro_f1[place] for each in told]
        name = short(target.name)
        numbers = [each.epoch for each in told]
        axes.plot(numbers, reached, marker=".", color=COLOURS[place], label=name)
    axes.set(ylabel="macro-F1, held back", ylim=(0, 1))
    if len(targets) > 1:
        axes.legend(frameon=False, fontsize=9)
