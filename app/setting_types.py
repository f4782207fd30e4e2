"""Types of settings given as text: comma-separated lists with validated items, rates, and a path prefix."""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final

from limits import parse_many as parse_rates
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode
from typing_extensions import TypeAliasType

from app.service_address import KEY, is_address
from training.checkpoints.model_files import NAME
from training.device_names import DEVICE
from training.frameworks import canonical_framework

_ORIGIN: Final = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")
_PREFIX: Final = re.compile(r"((/[A-Za-z0-9._~-]+)+/?)?")


def lower(value: object) -> object:
    """Return a text in lower case, and other values unchanged."""
    return value.lower() if isinstance(value, str) else value


def _items(parse: Callable[[str], object]) -> BeforeValidator:
    """Return a validator that splits a text at commas and parses each item; other types are left to pydantic."""

    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        return [parse(text.strip()) for text in value.split(",")] if value.strip() else []

    return BeforeValidator(split)


def _matching(pattern: re.Pattern[str], *, otherwise: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(otherwise)
        return text

    return check


def _parse_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError("one is no address and no network, such as 10.0.0.5 or 10.0.0.0/8") from error


def _parse_backend(text: str) -> str:
    name, equals, address = text.partition("=")
    if not equals or not is_address(address):
        raise ValueError("each must be framework=address, such as jax=http://gpu-1:8000")
    return f"{canonical_framework(name)}={address}"


def parse_devices(value: object) -> object:
    """Return `device` or `framework=device`, several with commas between, with canonical names."""
    if not isinstance(value, str):
        return value
    items = [text.strip().rpartition("=") for text in value.split(",")]
    if not all(DEVICE.fullmatch(device.lower()) for _, _, device in items):
        raise ValueError("each device must be auto, cpu, cuda or cuda:N")
    named = [canonical_framework(name) if equals else "" for name, equals, _ in items]
    if len(set(named)) < len(named):
        raise ValueError("a device is given twice: name the framework of each but one, as in cpu,jax=cuda:0")
    pairs = zip(named, items, strict=True)
    return ",".join(f"{name}={device.lower()}" if name else device.lower() for name, (_, _, device) in pairs)


def check_rate(text: str) -> str:
    """Return a number of requests per time, such as 100/second."""
    try:
        rates = parse_rates(text)
    except ValueError as error:
        raise ValueError("expected a number of requests per time") from error
    if len(rates) > 1:
        raise ValueError("it is more than one limit")
    if rates[0].amount < 1:
        raise ValueError("it admits no request: expected at least 1 per time")
    return text


def parse_key(value: object) -> object:
    """Return an API key without the white space around it, such as the line end of a file's."""
    return _check_key(value.strip()) if isinstance(value, str) else value


def _parse_prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("it must begin with / and have letters, digits, or any of ._~- between slashes")
    return text.rstrip("/")


_check_origin = _matching(_ORIGIN, otherwise="an origin must be scheme, host and port, and nothing else")
_check_model = _matching(NAME, otherwise="a model's name has letters, digits, '.', '_' and '-', and 64 at most")
_check_key = _matching(KEY, otherwise="a key is empty or has other characters than visible ASCII")

# `--help` shows these names as the options' values.
FRAMEWORKS = TypeAliasType("FRAMEWORKS", Annotated[tuple[str, ...], NoDecode, _items(canonical_framework)])
MODELS = TypeAliasType("MODELS", Annotated[tuple[str, ...], NoDecode, _items(_check_model)])
ORIGINS = TypeAliasType("ORIGINS", Annotated[tuple[str, ...], NoDecode, _items(_check_origin)])
KEYS = TypeAliasType("KEYS", Annotated[tuple[SecretStr, ...], NoDecode, _items(_check_key)])
NETWORKS = TypeAliasType("NETWORKS", Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, _items(_parse_network)])
BACKENDS = TypeAliasType("BACKENDS", Annotated[tuple[str, ...], NoDecode, _items(_parse_backend)])
PATH_PREFIX = TypeAliasType("PATH_PREFIX", Annotated[str, AfterValidator(_parse_prefix)])
