"""Figures as Markdown: tables, and medians with their spread."""

import statistics
import textwrap
from collections.abc import Iterable, Sequence


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table between empty lines; all columns but the first are right-aligned."""
    lines = [headers, ["---", *["--:"] * (len(headers) - 1)], *rows]
    return ["", *(f"| {' | '.join(line)} |" for line in lines), ""]


def prose(text: str) -> list[str]:
    """Return the lines of a paragraph between empty lines, rewrapped."""
    return ["", *textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False), ""]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Format the median and, for several values, minimum and maximum."""
    middle, least, most = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"


def mean_spread(values: Sequence[float], digits: int = 2) -> str:
    """Format the mean and, for several values, the sample standard deviation."""
    mean = f"{statistics.fmean(values):,.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def megabytes(count: float) -> str:
    """Format bytes in MB (10^6 bytes)."""
    return f"{count / 1e6:,.0f}"


def scientific(value: float) -> str:
    """Format a small difference with two digits."""
    return f"{value:.1e}" if value else "0"
