"""The settings of the service: each field is an environment variable and an option of `python -m app`."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal

from limits import parse
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import TypeAliasType

from training.errors import UnknownFrameworkError
from training.frameworks import FRAMEWORKS, canonical_framework

PREFIX: Final = "TRIPTYCH_"

# Their names are what `--help` shows as the options' values.
NAMES = TypeAliasType("NAMES", Annotated[tuple[str, ...], NoDecode])
KEYS = TypeAliasType("KEYS", Annotated[tuple[SecretStr, ...], NoDecode])

CHECKPOINTS: Final = Path(__file__).resolve().parent.parent / "checkpoints"
"""Where trained models lie in a checkout, and in an installed package."""

KEY: Final = re.compile(r"[!-~]+")

_ORIGIN: Final = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")


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
        "anyone may ask. Other users of this machine can read options: prefer the variable, or the file.",
    )
    api_keys_file: Path | None = Field(
        None,
        description="File of further keys, one a line, where # begins a comment; it is read again at a reload, so that "
        "keys can be changed while the service runs.",
    )
    rate_limit: str | None = Field(
        None,
        description="Most requests of one client, by its key or else its address, such as 100/second or 5000/hour; "
        "then 429. Each worker counts by itself. Unless set, any number.",
    )
    cors_origins: NAMES = Field(
        "",
        validate_default=True,
        description="Origins whose pages may ask from a browser, separated by commas, such as https://example.org; "
        "*: any. Unless set, only the service's own pages.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that serve behind the one port, 1 to 256; each loads all frameworks, and takes its "
        "share of the cores.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe lines to log.")
    access_log: bool = Field(False, description="Whether to log each request: true or false; /metrics counts them too.")
    max_body_bytes: int = Field(
        32 * 2**20, ge=1024, le=2**31, description="Largest body of a request, in bytes once unpacked, 1024 to 2^31."
    )
    max_images: int = Field(
        1024,
        ge=1,
        le=65536,
        description="Most images or latents of a request, files of a form, n, and steps; 1 to 65536.",
    )
    max_pixels: int = Field(
        25_000_000, ge=1, le=2**30, description="Most pixels of a picture that is sent as a file, 1 to 2^30."
    )
    max_queue_images: int = Field(
        4096, ge=1, le=2**20, description="Most images or latents that wait for one framework, 1 to 2^20; then 429."
    )
    max_queue_bytes: int = Field(
        256 * 2**20, ge=1024, le=2**40, description="Most bytes of arrays that wait for one framework, 1024 to 2^40."
    )
    max_held_bytes: int = Field(
        96 * 2**20,
        ge=1024,
        le=2**40,
        description="Most bytes of bodies and answers that a worker holds for all requests, 1024 to 2^40; then 429.",
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
        15, ge=0, le=3600, description="Seconds that accepted requests are given to finish at the end, 0 to 3600."
    )
    max_connections: int = Field(
        1000, ge=1, le=2**20, description="Most connections of each worker at once, 1 to 2^20; then 503."
    )
    max_header_bytes: int = Field(
        32 * 2**10, ge=1024, le=2**20, description="Longest address and headers of a request, 1024 to 2^20; then 431."
    )
    headers_timeout_s: float = Field(
        10,
        gt=0,
        le=3600,
        description="Seconds that a client may take to send a request's headers, up to 3600; then 408.",
    )
    transfer_timeout_s: float = Field(
        60,
        gt=0,
        le=86400,
        description="Seconds that a client may take to send a request's body, then 408, and again to take its answer, "
        "up to 86400.",
    )
    keep_alive_s: int = Field(
        30, ge=0, le=3600, description="Seconds that a connection stays open between two requests, 0 to 3600."
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
        return _split(value, KEY, otherwise="a key is empty or has other characters")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: object) -> object:
        return _split(value, _ORIGIN, otherwise="an origin is no scheme, host and port, and nothing else")

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse(value)
        except ValueError as error:
            raise ValueError("it is no number of requests in a time") from error
        return value

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


def _split(value: object, item: re.Pattern[str], *, otherwise: str) -> object:
    """Return the items of a text, each of which must be one; what is no text is pydantic's to check."""
    if not isinstance(value, str):
        return value
    items = [text.strip() for text in value.split(",")] if value.strip() else []
    if not all(map(item.fullmatch, items)):
        raise ValueError(otherwise)
    return items


def _canonical(name: str) -> str:
    try:
        return canonical_framework(name)
    except UnknownFrameworkError as error:
        raise ValueError(str(error)) from error
