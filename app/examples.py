"""The example bodies of `/openapi.json`: a digit drawn by hand, and latents. Tests send each to the running service."""

from typing import Final

DIGIT: Final = (
    "............................",
    "............................",
    "............................",
    "............................",
    "............................",
    "......###############.......",
    "......################......",
    "......################......",
    "...................###......",
    "..................###.......",
    "..................###.......",
    ".................###........",
    ".................###........",
    "................###.........",
    "................###.........",
    "...............###..........",
    "...............###..........",
    "..............###...........",
    "..............###...........",
    ".............###............",
    ".............###............",
    "............###.............",
    "............###.............",
    "............................",
    "............................",
    "............................",
    "............................",
    "............................",
)
"""A seven, 28 by 28."""

DIGIT_PNG_BASE64: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAANUlEQVR42mNgwAWY//9gYGJgYGFgggrIMDBBCQYGJgYGC7jEA5gY"
    "I5zFdAAmy84AE4OxcAIArdkFHNsefUkAAAAASUVORK5CYII="
)
"""The same as a PNG file in base64."""


def digit_rows() -> list[list[int]]:
    """Return the digit as numbers, row by row: 1 where it is white."""
    return [[int(cell == "#") for cell in row] for row in DIGIT]


def latents() -> list[list[float]]:
    """Return one latent of length 20: a point near the middle of the prior."""
    return [[0.5, -0.5] * 10]
