"""The settings of the service: each field is an environment variable and an option of `python -m app`."""

import re
import sys
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, CliApp, NoDecode, SettingsConfigDict, SettingsError
from typing_extensions import TypeAliasType

from training.errors import UnknownFrameworkError
from training.frameworks import FRAMEWORKS, canonical_framework

PREFIX: Final = "TRIPTYCH_"

WRONG_SETTING: Final = 2
"""Exit code of the process when a setting is wrong, the same as of an unknown option."""

# Their names are what `--help` shows as the options' values.
NAMES = TypeAliasType("NAMES", Annotated[tuple[str, ...], NoDecode])
KEYS = TypeAliasType("KEYS", Annotated[tuple[SecretStr, ...], NoDecode])

CHECKPOINTS: Final = Path(__file__).resolve().parent.parent / "checkpoints"
"""Where trained models lie in a checkout, and in an installed package."""

_KEY: Final = re.compile(r"[!-~]+")


class Settings(BaseSettings):
    """Serve the trained models over HTTP. Each option is also an environment variable; the option wins."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        cli_kebab_case=True,
        cli_prog_name="python -m app",
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_show_env_vars=True,
        frozen=True,
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 is every address.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on, 0 to 65535; 0 takes a free one.")
    checkpoints: Path = Field(
        CHECKPOINTS, description="Folder of the trained models, <framework>/model.safetensors each."
    )
    frameworks: NAMES = Field(
        ",".join(FRAMEWORKS),
        validate_default=True,
        description=f"Frameworks to load, separated by commas, from {', '.join(FRAMEWORKS)}.",
    )
    default_framework: str | None = Field(
        None,
        description="The framework that answers where a request names none, one of those to load; "
        "unless set, the first of them that is installed (jax, if it is).",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where the models compute: auto takes a GPU where the framework finds one."
    )
    api_keys: KEYS = Field(
        "",
        validate_default=True,
        description="Keys that clients must send one of, separated by commas, in visible ASCII characters; none: "
        "anyone may ask. Other users of this machine can read options: prefer the variable.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe lines to log.")
    access_log: bool = Field(False, description="Whether to log each request: true or false; /metrics counts them too.")
    max_body_bytes: int = Field(
        32 * 2**20, ge=1024, le=2**31, description="Largest body of a request, in bytes once unpacked, 1024 to 2^31."
    )
    max_images: int = Field(1024, ge=1, le=65536, description="Most images or latents of a request, 1 to 65536.")
    max_pixels: int = Field(
        25_000_000, ge=1, le=2**30, description="Most pixels of a picture that is sent as a file, 1 to 2^30."
    )
    max_queue_images: int = Field(
        4096, ge=1, le=2**20, description="Most images or latents that wait for one framework, 1 to 2^20; then 429."
    )
    max_queue_bytes: int = Field(
        256 * 2**20, ge=1024, le=2**40, description="Most bytes of arrays that wait for one framework, 1024 to 2^40."
    )
    max_samples: int = Field(
        5000, ge=1, le=2**20, description="Most draws of noise for each image that /score takes, 1 to 2^20."
    )
    request_timeout_s: float = Field(
        30,
        ge=0,
        le=86400,
        description="Seconds that a request may take before it is dropped with 504, 0 to 86400; "
        "0: any number. A client may ask for less by the header X-Request-Timeout.",
    )
    hang_timeout_s: float = Field(
        30,
        ge=0,
        le=86400,
        description="Seconds that one batch may take before its framework counts as hanging and is "
        "loaded anew, 0 to 86400; 0: any number.",
    )
    shutdown_timeout_s: int = Field(
        8, ge=0, le=3600, description="Seconds that accepted requests are given to finish at the end, 0 to 3600."
    )

    @field_validator("frameworks", mode="before")
    @classmethod
    def _read_frameworks(cls, value: object) -> object:
        names = [_canonical(name) for name in value.split(",")] if isinstance(value, str) else value
        if isinstance(names, Sequence) and len(set(names)) != len(names):
            raise ValueError("a framework stands there twice")
        return names

    @field_validator("api_keys", mode="before")
    @classmethod
    def _read_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        keys = [key.strip() for key in value.split(",")] if value.strip() else []
        if not all(_KEY.fullmatch(key) for key in keys):
            raise ValueError("a key is empty or has other characters")
        return keys

    @field_validator("default_framework")
    @classmethod
    def _read_default(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        name = _canonical(value)
        loaded = info.data.get("frameworks", FRAMEWORKS)
        if name not in loaded:
            raise ValueError(f"it is not among the frameworks to load: {', '.join(loaded)}")
        return name

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


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


def _canonical(name: str) -> str:
    try:
        return canonical_framework(name)
    except UnknownFrameworkError as error:
        raise ValueError(str(error)) from error
