"""What the page's plots have in common: colours and marks of the frameworks, a row of panels under a heading."""

from collections.abc import Sequence
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.reporting.figures.style import STYLE, new_figure

COLOURS: Final = {"jax": "#0072b2", "tensorflow": "#d55e00", "pytorch": "#009e73"}
"""Blue, vermilion and green of Okabe & Ito, which the colour-blind tell apart."""

MARKERS: Final = {"jax": "o", "tensorflow": "s", "pytorch": "^"}


def new_panels(title: str, subtitle: str, widths: Sequence[float] = (1, 1), height: float = 4.2) -> tuple[Figure, Any]:
    """Return a figure with panels beside each other, and their axes."""
    width = 10.0
    with rc_context(STYLE):
        figure, top = new_figure(width, height, title=title, subtitle=subtitle)
        axes = figure.subplots(1, len(widths), gridspec_kw={"width_ratios": widths}, squeeze=False)[0]
        figure.subplots_adjust(
            left=0.85 / width, right=1 - 0.3 / width, top=1 - (top + 0.32) / height, bottom=0.6 / height, wspace=0.24
        )
    return figure, axes


def name_panel(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    """Write what a panel shows."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
