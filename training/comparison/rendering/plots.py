"""Shared layout of the comparison's plots: a row of panels under a heading."""

from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.reporting.figures.style import STYLE, new_figure


def new_panels(title: str, subtitle: str, widths: Sequence[float] = (1, 1), height: float = 4.2) -> tuple[Figure, Any]:
    """Return a figure with panels in a row, and their axes."""
    width = 10.0
    with rc_context(STYLE):
        figure, top = new_figure(width, height, title=title, subtitle=subtitle)
        axes = figure.subplots(1, len(widths), gridspec_kw={"width_ratios": widths}, squeeze=False)[0]
        figure.subplots_adjust(
            left=0.85 / width, right=1 - 0.3 / width, top=1 - (top + 0.32) / height, bottom=0.6 / height, wspace=0.24
        )
    return figure, axes


def name_panel(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    """Set a panel's title."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
