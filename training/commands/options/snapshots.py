"""The option `--snapshots` of `train`: the epochs whose weights are kept beside the checkpoint."""

from collections.abc import Iterable
from typing import Annotated, Final

import typer

from training.errors import ConfigError

SNAPSHOTS: Final = "0,1,2,5,25"

SnapshotsOption = Annotated[
    str | None,
    typer.Option(
        help="Epochs whose weights are kept in half precision beside the checkpoint, for the page's slider over time; "
        "0 is before the first. Empty for none. The checkpoint itself is the last.",
        show_default=SNAPSHOTS,
    ),
]


def describe_snapshots(epochs: Iterable[int]) -> str:
    """Return the option's text for these epochs."""
    return ",".join(map(str, epochs))


def parse_snapshots(text: str) -> list[int]:
    """Return the epochs of the option.

    Raises:
        ConfigError: It isn't a list of whole numbers from 0.
    """
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    wrong = [entry for entry in entries if not (entry.isascii() and entry.isdigit() and len(entry) < 10)]
    if wrong:
        raise ConfigError(f"--snapshots {text}: expected epochs such as {SNAPSHOTS}, found {wrong[0]!r}")
    return sorted(set(map(int, entries)))
