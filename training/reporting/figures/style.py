"""Common style of the figures: fonts, colors, margins, heading. Independent of models."""

import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.figure import Figure

from training.atomic_file import write_atomically

DPI: Final = 144

INK: Final = "#1a1a1a"
MUTED: Final = "#595959"
TRAIN: Final = "#0072b2"
VALIDATION: Final = "#d55e00"
"""Blue and vermilion, safe for color-blind readers: Okabe & Ito (2008), "Color universal design"."""

STYLE: Final[dict[Any, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.5,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.color": MUTED,
    "ytick.labelsize": 9,
}
"""matplotlib's settings for all figures."""

HEADING: Final = 0.78
"""Height of a heading with a one-line subtitle, in inches."""

MARGIN: Final = 0.3
"""Distance of the heading from the figure's left edge, in inches."""


def new_figure(width: float, height: float, *, title: str, subtitle: str) -> tuple[Figure, float]:
    """Return a figure of a size in inches with its heading, and the height of the heading in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI)
    left = MARGIN / width
    figure.text(left, 1 - 0.24 / height, title, size=13, weight="bold", va="top")
    lines = textwrap.wrap(subtitle, int((width - 2 * MARGIN) * 13.5))
    figure.text(left, 1 - 0.5 / height, "\n".join(lines), size=9.5, color=MUTED, va="top", linespacing=1.3)
    return figure, HEADING + 0.19 * (len(lines) - 1)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG or SVG file atomically; the suffix of the path decides the format."""
    content = BytesIO()
    # Deterministic SVG, so that an unchanged figure causes no diff.
    metadata = {"Date": None} if path.suffix == ".svg" else None
    with rc_context(STYLE | {"svg.hashsalt": path.stem}):
        figure.savefig(content, format=path.suffix[1:], facecolor="white", metadata=metadata)
    write_atomically(path, content.getvalue())
