"""Paper, ink and PNG bytes for every picture; no pyplot, so any thread may draw."""

from functools import cache
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

DPI = 100
INK, PAPER, FAINT = "#1b2a41", "#ffffff", "#9aa5b1"
BETTER, WORSE = "#0072b2", "#d55e00"
COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
    "#56b4e9", "#7f4f24", "#6a4c93", "#4a4e69", "#b5a300",
)  # fmt: skip
"""Told apart by the colour-blind too, as far as ten can be (Okabe and Ito 2008, and three more)."""


def paper(width: float, height: float) -> Figure:
    """An empty picture; sides in inches of 100 dots."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor=PAPER)


def sheet(figure: Figure) -> Axes:
    """The one drawing of a picture, with a faint grid and no frame."""
    return plain(figure.add_subplot())


def plain(axes: Axes) -> Axes:
    """A drawing with a faint grid and no frame."""
    axes.grid(color=FAINT, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def told_below(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """A drawing's legend under everything, where it covers no point; each name once."""
    handles, names = axes.get_legend_handles_labels()
    once = dict(zip(names, handles, strict=True))
    if once:
        figure.legend(
            once.values(), once.keys(), loc="outside lower center", ncols=min(columns, len(once)),
            frameon=False, fontsize=9,
        )  # fmt: skip


def png(figure: Figure) -> bytes:
    """The picture; the same figures give the same bytes."""
    buffer = BytesIO()
    # Without the library's version and date.
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def short(text: str, most: int = 24) -> str:
    """A name that fits, on one line; a dollar sign is a dollar sign, not mathematics.

    Characters that the font has no shape for, which would each be warned of, are question marks.

    >>> short("a long class of $5", most=12), short("\N{CJK UNIFIED IDEOGRAPH-6587} b")
    ('a long cl...', '? b')
    """
    told = " ".join(text.split())
    told = told if len(told) <= most else f"{told[: most - 3].rstrip()}..."
    return "".join(c if ord(c) in _shapes() else "?" for c in told).replace("$", r"\$")


@cache
def _shapes() -> frozenset[int]:
    """Code points of Matplotlib's own font."""
    return frozenset(FT2Font(findfont("DejaVu Sans")).get_charmap())
