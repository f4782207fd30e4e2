"""The command line: reads the settings from options and environment, and reports each wrong one in one line."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from app.settings import PREFIX, Settings

WRONG_SETTING: Final = 2
"""Exit code of the process when a setting is wrong, the same as of an unknown option."""

COMMANDS: Final = ("client", "status", "models")
"""First arguments for which `app/__main__.py` does something else than serve."""

# https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
_SERVICE_LINK: Final = re.compile(
    rf"{PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_LINKED_PORT: Final = re.compile(r"(?:tcp|udp|sctp)://.+:\d+")

_SECRETS: Final = frozenset({"api_keys", "backend_key"})
"""Settings whose values are never shown."""


def read_settings(arguments: Sequence[str]) -> Settings:
    """Return the settings of the process from its arguments and environment.

    Raises:
        SystemExit: One is wrong (a line on stderr, and `WRONG_SETTING`), or help was requested.
    """
    lines = [_describe_unknown(option, "an option", _options()) for option in _unknown_options(arguments)]
    if arguments and not arguments[0].startswith("-"):
        lines = [_describe_unknown(arguments[0], "a command", COMMANDS)]
    if not lines:
        try:
            return CliApp.run(Settings, list(arguments))
        except ValidationError as error:
            lines = [_describe(str(item["loc"][0]), item["input"], item["msg"]) for item in error.errors()]
        except SettingsError as error:
            lines = [str(error)]
    sys.stderr.writelines(f"python -m app: error: {line}\n" for line in lines)
    raise SystemExit(WRONG_SETTING)


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return the names that look like settings and are not, such as a misspelled one."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)


def unset_service_links() -> list[str]:
    """Unset the variables that Kubernetes makes of a Service named `triptych`, and return their names.

    One of them is `TRIPTYCH_PORT`, which is an address there and our port here.
    """
    port = f"{PREFIX}PORT"
    links = [
        name
        for name, value in os.environ.items()
        if _SERVICE_LINK.fullmatch(name) or (name == port and _LINKED_PORT.fullmatch(value))
    ]
    for name in links:
        del os.environ[name]
    return sorted(links)


def _unknown_options(arguments: Sequence[str]) -> list[str]:
    known = _options()
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("--") and argument != "--"]
    return [option for option in options if option not in known]


def _options() -> list[str]:
    return ["--help", *(f"--{name.replace('_', '-')}" for name in Settings.model_fields)]


def _describe_unknown(word: str, kind: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1)
    advice = f"did you mean {close[0]}?" if close else "see `python -m app --help`"
    return f"{word[:60]} is not {kind}: {advice}"


def _describe(name: str, value: object, message: str) -> str:
    quoted_value = "" if name in _SECRETS else f" is {str(value)[:60]!r}"
    reason = message.removeprefix("Value error, ")
    names = f"{PREFIX}{name.upper()} (--{name.replace('_', '-')})"
    return (
        f"{names}{quoted_value}: {reason[0].lower()}{reason[1:]}. Expected: {Settings.model_fields[name].description}"
    )
