"""Puts numbers and nouns together, for the lines and messages that people read. English alone."""


def count_of(count: int, noun: str, spec: str = "") -> str:
    """Return a number and its noun, with an s unless the number is 1: "1 epoch", and with spec "," "50,000 images"."""
    return f"{count:{spec}} {noun}{'' if count == 1 else 's'}"
