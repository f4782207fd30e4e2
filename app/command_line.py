"""Reads the settings from options and environment, and says in one line what is wrong with them."""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from app.settings import PREFIX, Settings

WRONG_SETTING: Final = 2
"""Exit code of the process when a setting is wrong, the same as of an unknown option."""


def read_settings(arguments: Sequence[str]) -> Settings:
    """Return the settings of the process from its arguments and environment.

    Raises:
        SystemExit: One is wrong, with a line on stderr and `WRONG_SETTING`; or help was asked for.
    """
    try:
        return CliApp.run(Settings, list(arguments))
    except ValidationError as error:
        lines = [_describe(str(item["loc"][0]), item["input"], item["msg"]) for item in error.errors()]
    except SettingsError as error:
        lines = [str(error)]
    sys.stderr.writelines(f"python -m app: error: {line}\n" for line in lines)
    raise SystemExit(WRONG_SETTING)


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return those of the environment's names that look like settings and are none, such as a misspelt one."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)


def _describe(name: str, value: object, message: str) -> str:
    shown = "" if name == "api_keys" else f" is {str(value)[:60]!r}"
    reason = message.removeprefix("Value error, ")
    names = f"{PREFIX}{name.upper()} (--{name.replace('_', '-')})"
    return f"{names}{shown}: {reason[0].lower()}{reason[1:]}. Expected: {Settings.model_fields[name].description}"
