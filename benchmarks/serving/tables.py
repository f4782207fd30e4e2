"""Figures as Markdown: tables, medians with their spread, and whether a goal is met. Measures nothing."""

import statistics
from collections.abc import Iterable, Mapping, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median, with the least and the most."""
    middle, least, most = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least} to {most})"


def verdict(value: float, *, at_least: float | None = None, below: float | None = None, unit: str = "") -> list[str]:
    """Return two cells: the goal, and whether the value meets it; two dashes where there is no goal."""
    if at_least is not None:
        return [f"at least {at_least:g}{unit}", "yes" if value >= at_least else "**no**"]
    if below is not None:
        return [f"below {below:g}{unit}", "yes" if value < below else "**no**"]
    return ["-", "-"]


def counts(numbers: Mapping[str, int]) -> str:
    """Return how many there were of each, such as `200: 1,234, 429: 56`."""
    return ", ".join(f"{name}: {number:,}" for name, number in numbers.items()) or "none"
