"""The console of a command's lines: text as it is, without markup, highlighting, emoji or wrapping. Prints nothing."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """Return a console that prints names and paths as they are, also `:cat:` and `[bold]`."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
