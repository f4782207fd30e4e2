"""Cells of the result tables: goals, and counts of statuses. Measures nothing."""

from collections.abc import Mapping


def verdict(value: float, *, at_least: float | None = None, below: float | None = None, unit: str = "") -> list[str]:
    """Return two cells: the goal, and whether the value meets it; two dashes without a goal."""
    if at_least is not None:
        return [f"at least {at_least:g}{unit}", "yes" if value >= at_least else "**no**"]
    if below is not None:
        return [f"below {below:g}{unit}", "yes" if value < below else "**no**"]
    return ["-", "-"]


def counts(numbers: Mapping[str, int]) -> str:
    """Return the counts as text, such as `200: 1,234, 429: 56`."""
    return ", ".join(f"{name}: {number:,}" for name, number in numbers.items()) or "none"
