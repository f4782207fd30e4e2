"""Behavior shared by all commands of `python -m training`: options' names, encodings and closed pipes."""

import os
import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from typer._click.exceptions import NoSuchOption
from typer.core import TyperCommand

from training.errors import ConfigError


class Command(TyperCommand):
    """A command that names options as they are typed, and suggests valid ones for abbreviations such as `--lr`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments as click does, with better suggestions."""
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            options = [name for parameter in self.params for name in parameter.opts if name.startswith("--")]
            suggestions = suggest_options(error.option_name, options)
            hint = f": did you mean {' or '.join(suggestions)}?" if suggestions else ""
            raise NoSuchOption(error.option_name, f"No such option: {error.option_name}{hint}", ctx=ctx) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of a field names the option that sets it."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            options = {
                str(parameter.name): name
                for parameter in self.params
                for name in parameter.opts
                if name.startswith("--")
            }
            raise ConfigError(name_options(str(error), options)) from error


def name_options(message: str, options: Mapping[str, str]) -> str:
    """Return a `ConfigError`'s message with an option in place of the field that it begins with, or that is beside it.

    `latent_dim is 0: ...` becomes `--latent-dim is 0: ...`, and `invert (--invert)` becomes `--invert`. Other names,
    such as those of a recipe, stay.
    """
    message = re.sub(r"\w+ \((--[a-z-]+)\)", lambda both: both[1] if both[1] in options.values() else both[0], message)
    for field, option in options.items():
        for name in (field, field.replace("_", " ")):
            if message.startswith(f"{name} is "):
                return option + message.removeprefix(name)
    return message


def suggest_options(unknown: str, options: list[str]) -> list[str]:
    """Return options that match an unknown one by initials, by prefix or by similarity."""
    word = unknown.lstrip("-").lower()
    initials = [option for option in options if "".join(part[0] for part in option[2:].split("-")) == word]
    beginnings = [option for option in options if option[2:].startswith(word)]
    return (initials if len(word) > 1 else []) or beginnings or get_close_matches(unknown, options)


class ForgivingStream:
    """A text stream whose writes never fail: after the first error it warns on stderr and discards all output.

    A long run must not end because its progress can't be printed.
    """

    def __init__(self, stream: Any) -> None:
        """Wrap a stream."""
        self._stream = stream
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or discard."""
        return self._attempt(lambda: self._stream.write(text), len(text))

    def flush(self) -> None:
        """Flush, or discard."""
        self._attempt(self._stream.flush, 0)

    def _attempt(self, write: Any, default: int) -> int:
        if self._broken:
            return default
        try:
            return int(write() or 0)
        except OSError as error:
            self._broken = True
            # The interpreter would flush the buffer again at exit, and fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            print(f"stdout can't be written ({error.strerror}): the run continues without it", file=sys.stderr)
            return default


def tolerate_encodings() -> None:
    """Make stdout and stderr escape characters that their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
