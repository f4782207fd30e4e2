"""Figures as Markdown: tables, and medians with their spread."""

import statistics
import textwrap
from collections.abc import Iterable, Sequence

NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "pytorch": "PyTorch"}
"""How a framework writes itself."""


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, with an empty one on each side; all columns but the first to the right."""
    lines = [headers, ["---", *["--:"] * (len(headers) - 1)], *rows]
    return ["", *(f"| {' | '.join(line)} |" for line in lines), ""]


def prose(text: str) -> list[str]:
    """Return the lines of a paragraph, with an empty one on each side; how the text is broken doesn't matter."""
    return ["", *textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False), ""]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median and, of several values, the least and the most."""
    middle, least, most = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"


def mean_spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the mean and, of several values, the sample's standard deviation."""
    mean = f"{statistics.fmean(values):,.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def megabytes(count: float) -> str:
    """Return bytes in MB of a million."""
    return f"{count / 1e6:,.0f}"


def scientific(value: float) -> str:
    """Return a small difference with two digits."""
    return f"{value:.1e}" if value else "0"
